#include "core/quorum/write_round.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/probe.h"

namespace stator {

void WriteRound::start(const WriteOptions& options, std::span<const Candidate> candidates,
                       ReplicaIndex local, MonoTime now) {
  STATOR_ASSERT(options.w >= 1);
  STATOR_ASSERT(local < candidates.size());
  STATOR_ASSERT(!options.durable_one || options.dw == 0);
  options_ = options;
  attempt_ = 0;
  local_ = local;
  phase_ = Phase::kStoring;
  failed_round_ = false;
  cover_done_ = !options.cover;
  store_wished_ = sync_wished_ = repair_wished_ = false;
  object_digest_ = 0;
  evidence_ = {};
  wish_first_ = wish_end_ = 0;
  sent_ = acked_ = durable_ = differing_ = failed_ = silent_ = ReplicaSet();
  durable_copy_.start({.wanted = options.durable_one,
                       .local = local,
                       .spread = options.spread,
                       .hedge_after = options.hedge_after,
                       .durable_after = options.durable_after});
  stands_for_.fill(kNoReplica);
  names_.fill(0);
  home_ = kNoReplica;
  renames_ = 0;
  candidates_.start(candidates, options.more);
  candidates_.is_here(local_);
  if (!candidates_[local_].owner) {
    // Health may have changed since this node was asked to stand in: the last owner, since those
    // before it get copies of their own.
    const ReplicaSet away = owners() - candidates_.usable();
    home_ = away.empty() ? owners().last() : away.first();
    stands_for_[local_] = home_;
  }
  advance(now);
}

void WriteRound::add_candidates(std::span<const Candidate> more, MonoTime now) {
  if (candidates_.grow(more) && phase_ != Phase::kFinished) advance(now);
}

// True while there may be nodes that nobody has named yet.
bool WriteRound::take_more() {
  if (candidates_.await()) wish({.kind = WriteWish::Kind::kMore, .replica = kNoReplica});
  return candidates_.may_grow();
}

void WriteRound::on_minted(std::uint64_t digest, MonoTime now) {
  if (phase_ != Phase::kStoring) return;
  phase_ = Phase::kSending;
  sent_.add(local_);
  begin_attempt(digest, now);
}

void WriteRound::on_covered(std::uint64_t digest, MonoTime now) {
  if (phase_ != Phase::kCovering) return;
  phase_ = Phase::kSending;
  attempt_ = 1;
  acked_ = durable_ = differing_ = silent_ = ReplicaSet();
  durable_copy_.begin_attempt();
  sync_wished_ = false;
  begin_attempt(digest, now);
}

void WriteRound::on_cover_refused(MonoTime now) {
  if (phase_ != Phase::kCovering) return;
  STATOR_PROBE("write: covering was refused");
  phase_ = Phase::kSending;
  advance(now);
}

void WriteRound::on_cover_failed(ErrorCode code) {
  if (phase_ == Phase::kCovering) fail(code);
}

void WriteRound::on_ack(ReplicaIndex i, std::uint8_t attempt, std::uint64_t digest, bool durable,
                        MonoTime now) {
  if (phase_ == Phase::kStoring || phase_ == Phase::kFinished) return;
  if (!sent_.contains(i) || failed_.contains(i)) return;
  if (attempt != attempt_of(i)) {
    if (attempt % 2 != attempt_) {
      STATOR_PROBE("write: acknowledged before it was covered again");
    } else {
      STATOR_PROBE("write: acknowledged under the name that it had before");
    }
    return;
  }
  if (acked_.contains(i)) {
    // Who reports twice: when it is in the engine and when it is on disk.
    const bool reports = i == local_ || asked_durable().contains(i);
    if (!reports) STATOR_PROBE("write: an acknowledgement comes twice");
    if (!reports || !durable) return;
    note_durable(i);
    advance(now);
    return;
  }
  acked_.add(i);
  silent_.remove(i);
  if (durable) note_durable(i);
  digests_[i] = digest;
  if (digest != object_digest_) {
    STATOR_PROBE("write: a replica knew more");
    differing_.add(i);
  }
  if (phase_ == Phase::kCovering) STATOR_PROBE("write: acknowledged while it is covered");
  advance(now);
}

void WriteRound::note_durable(ReplicaIndex i) {
  durable_.add(i);
  durable_copy_.on_durable(i);
}

void WriteRound::on_failure(ReplicaIndex i, std::uint8_t attempt, ErrorCode code, MonoTime now) {
  if (phase_ == Phase::kFinished || !candidates_.contains(i) || attempt != attempt_of(i) ||
      failed_.contains(i))
    return;
  if (phase_ == Phase::kStoring) {
    if (i != local_) return;
    STATOR_PROBE("write: refused before it was minted");
    failed_.add(i);
    codes_[i] = code;
    fail(code);
    return;
  }
  if (!sent_.contains(i)) return;
  if (acked_.contains(i) && options_.durable_one) {
    if (!asked_durable().contains(i) || durable_.contains(i)) return;
    STATOR_PROBE("write: the one that was asked cannot make its copy durable");
    durable_copy_.on_vain(i);
    advance(now);
    return;
  }
  if (acked_.contains(i)) {
    if (i != local_ || durable_.contains(i)) return;
    // It was in the engine and will never be on disk.
    acked_.remove(i);
    differing_.remove(i);
  }
  if (phase_ == Phase::kAnswered) STATOR_PROBE("write: a replica fails after the answer");
  if (phase_ == Phase::kCovering) STATOR_PROBE("write: a replica fails while it is covered");
  failed_.add(i);
  silent_.remove(i);
  codes_[i] = code;
  advance(now);
}

void WriteRound::on_tick(MonoTime now) {
  if (phase_ != Phase::kFinished) advance(now);
}

std::optional<WriteWish> WriteRound::next() {
  if (wish_first_ != wish_end_) return wishes_[wish_first_++];
  if (!std::exchange(sync_wished_, false)) return std::nullopt;
  return WriteWish{.kind = WriteWish::Kind::kSync,
                   .replica = durable_copy_.last_asked(),
                   .attempt = attempt_of(durable_copy_.last_asked())};
}

MonoTime WriteRound::wake_at() const {
  if (phase_ == Phase::kFinished) return {std::numeric_limits<std::int64_t>::max()};
  if (phase_ == Phase::kCovering) return options_.deadline;
  MonoTime at = std::min(options_.deadline, durable_copy_.wake_at(known_copies()));
  if (phase_ == Phase::kAnswered) return repair_wished_ ? at : std::min(at, straggler_end_);
  if (phase_ != Phase::kSending) return at;
  for (const ReplicaIndex i : pending() - silent_) {
    at = std::min(at, sent_at_[i] + options_.hedge_after);
  }
  return at;
}

void WriteRound::advance(MonoTime now) {
  switch (phase_) {
    case Phase::kStoring: advance_storing(now); break;
    case Phase::kCovering:
      if (now >= options_.deadline) fail(ErrorCode::kTimeout);
      break;
    case Phase::kSending: advance_sending(now); break;
    case Phase::kAnswered: break;
    case Phase::kFinished: return;
  }
  if (phase_ == Phase::kAnswered) advance_answered(now);
}

// The answer is given, the copies are still owed: failed places are filled again, and only time
// tells of the silent ones.
void WriteRound::advance_answered(MonoTime now) {
  if (now < straggler_end_) fill_places(sent_ - failed_, now);
  note_silence(now);
  ask_for_durable(now);
  const bool over = now >= straggler_end_;
  if (!over && (!pending().empty() || candidates_.awaited())) return;
  if (durable_copy_.awaited(failed_) && now < options_.deadline) {
    // A disk decides how long this takes.
    if (!std::exchange(repair_wished_, true)) {
      wish({.kind = WriteWish::Kind::kRepair, .replica = kNoReplica, .attempt = attempt_});
    }
    return;
  }
  if (over && !pending().empty()) STATOR_PROBE("write: ends without an owner's acknowledgement");
  finish();
}

// Refused before anything is stored: a promise that is kept (D8), where a write that W nodes cannot
// take would end unknown.
void WriteRound::advance_storing(MonoTime now) {
  if (store_wished_) {
    if (now < options_.deadline) return;
    STATOR_PROBE("write: its time is over before it was minted");
    fail(ErrorCode::kTimeout);
  } else if (hopeless()) {
    fail(ErrorCode::kTooFewNodes);
  } else if (now >= options_.deadline) {
    fail(ErrorCode::kTimeout);
  } else if (!short_of_nodes()) {
    store_wished_ = true;
    wish({.kind = WriteWish::Kind::kStore, .replica = local_});
  } else if (!take_more()) {
    STATOR_PROBE("write: refused, too few nodes are there");
    fail(ErrorCode::kTooFewNodes);
  }
}

void WriteRound::advance_sending(MonoTime now) {
  note_silence(now);
  if (enough(acked_, durable_)) {
    if (cover_done_ || differing_.empty()) {
      answer(now);
    } else if (now < options_.deadline) {
      STATOR_PROBE("write: covers again what a replica showed");
      cover_done_ = true;
      phase_ = Phase::kCovering;
      wish({.kind = WriteWish::Kind::kCover, .replica = local_});
    } else {
      fail(ErrorCode::kTimeout);
    }
  } else if (hopeless()) {
    STATOR_PROBE("write: too few can acknowledge");
    fail(failure_of(failed_, codes_));
  } else if (now >= options_.deadline) {
    STATOR_PROBE("write: its time is over");
    fail(ErrorCode::kTimeout);
  } else {
    if (acked_.size() >= options_.w && places().size() < options_.w) {
      STATOR_PROBE("write: a stand-in and its owner are one place");
    }
    fill_places(sent_ - failed_ - silent_, now);
    ask_for_durable(now);
  }
}

// The local store of the attempt is under way already; everybody else gets the object now.
void WriteRound::begin_attempt(std::uint64_t digest, MonoTime now) {
  object_digest_ = digest;
  sent_at_[local_] = now;
  names_.fill(0);
  stands_for_[local_] = home_;  // what is minted, or stored again, is the object that stands there
  const ReplicaSet again = sent_ - failed_;
  sent_ = ReplicaSet();
  if (again.contains(local_)) sent_.add(local_);
  for (const ReplicaIndex i : again - sent_) send(i, now);
  advance(now);
}

void WriteRound::note_silence(MonoTime now) {
  for (const ReplicaIndex i : pending() - silent_) {
    if (now - sent_at_[i] < options_.hedge_after) continue;
    STATOR_PROBE("write: a replica is silent");
    silent_.add(i);
  }
}

// `live`: those of sent_ on whose copy one can count.
void WriteRound::fill_places(ReplicaSet live, MonoTime now) {
  const std::uint8_t wanted = std::min(std::max(options_.n, options_.w), owners().size());
  for (;;) {
    const ReplicaSet served = served_by(live);
    const ReplicaSet durably = served_by(live - never_durable());
    const bool place_missing = served.size() < wanted;
    ReplicaIndex i = kNoReplica;
    if (place_missing || durably.size() < options_.dw) {
      const ReplicaSet supplied = place_missing ? served : durably;
      const ReplicaIndex missed = (owners() - supplied).first();
      const ReplicaSet fresh = candidates_.all() - sent_ - failed_;
      if ((fresh & candidates_.usable()).empty() && take_more()) return;
      i = next_for(supplied);
      if (i == kNoReplica) {
        const ReplicaSet copies = live & acked_;
        i = spare(place_missing ? copies : copies - never_durable());
        if (i == kNoReplica) return;
        rename(i, missed, now);
        continue;
      }
      if (!owners().contains(i)) stands_for_[i] = missed;
    } else if ((live & owners()).size() < options_.pw) {
      i = candidates_.next(owners() - sent_ - failed_);
    }
    if (i == kNoReplica) return;
    send(i, now);
    live.add(i);
  }
}

// Whom to send to next, where these owners need no further copy. Usable owners that have not been
// sent to yet are missed too, and come before every stand-in; among those who hardly answer, an
// owner that needs it comes first.
ReplicaIndex WriteRound::next_for(ReplicaSet served) const {
  const ReplicaSet fresh = candidates_.all() - sent_ - failed_;
  for (const ReplicaSet from : {fresh & candidates_.usable(), (fresh & owners()) - served}) {
    if (!from.empty()) return from.first();
  }
  return fresh.first();
}

// A stand-in whose copy is one too many of these: its owner is served without it. Nobody is after
// the answer: W places stand, and what else is missed a hint of the coordinator will do for.
ReplicaIndex WriteRound::spare(ReplicaSet copies) const {
  if (phase_ != Phase::kSending || renames_ == kRenamesMax) return kNoReplica;
  for (const ReplicaIndex i : copies - owners()) {
    ReplicaSet others = copies;
    others.remove(i);
    if (names_[i] < kNamesMax && served_by(others).contains(stands_for_[i])) return i;
  }
  return kNoReplica;
}

CopiesKnown WriteRound::known_copies() const {
  return {.sent = sent_,
          .acked = acked_,
          .failed = failed_,
          .owners = owners(),
          .usable = candidates_.usable() - silent_,
          .more_come = candidates_.awaited() && phase_ == Phase::kSending};
}

void WriteRound::ask_for_durable(MonoTime now) {
  if (now >= options_.deadline) return;
  const ReplicaIndex one = durable_copy_.ask(known_copies(), now);
  if (one == kNoReplica) return;
  sync_wished_ = false;
  // The message that brings the copy brings the wish, too, if it has not left yet.
  for (std::uint8_t at = wish_first_; at < wish_end_; ++at) {
    WriteWish& waiting = wishes_[at];
    if (waiting.kind != WriteWish::Kind::kSend || waiting.replica != one) continue;
    if (waiting.attempt != attempt_of(one)) continue;
    waiting.durable = true;
    return;
  }
  sync_wished_ = true;
}

void WriteRound::send(ReplicaIndex i, MonoTime now) {
  STATOR_ASSERT(!sent_.contains(i) && i != local_);
  sent_.add(i);
  sent_at_[i] = now;
  wish({.kind = WriteWish::Kind::kSend, .replica = i, .attempt = attempt_of(i)});
}

// From now on `i`, which is spare, stands for `owner`, and counts again when it has said so. What
// it showed of other writes stays known.
void WriteRound::rename(ReplicaIndex i, ReplicaIndex owner, MonoTime now) {
  STATOR_PROBE("write: a stand-in stands for another owner");
  STATOR_ASSERT(acked_.contains(i) && !owners().contains(i));
  if (durable_copy_.last_asked() == i) sync_wished_ = false;
  durable_copy_.on_other_copy(i);
  acked_.remove(i);
  durable_.remove(i);
  stands_for_[i] = owner;
  ++names_[i];
  ++renames_;
  sent_at_[i] = now;
  wish({.kind = WriteWish::Kind::kSend, .replica = i, .attempt = attempt_of(i)});
}

bool WriteRound::enough(ReplicaSet acked, ReplicaSet durable) const {
  return served_by(acked).size() >= options_.w && (acked & owners()).size() >= options_.pw &&
         served_by(acked & durable).size() >= options_.dw;
}

// Not even if everybody who has not spoken yet says yes, durably.
bool WriteRound::hopeless() const {
  const ReplicaSet possible = candidates_.all() - failed_;
  if ((possible & owners()).size() < options_.pw) return true;
  if (owners().size() < std::max(options_.w, options_.dw)) return true;
  if (candidates_.may_grow()) return false;
  return most_places(possible) < options_.w ||
         most_places(possible - never_durable()) < options_.dw;
}

// Too few nodes are known to answer.
bool WriteRound::short_of_nodes() const {
  return hopeful().size() < std::max(options_.w, options_.dw) ||
         (hopeful() & owners()).size() < options_.pw;
}

// The places that these copies fill: owners that are among them, and those for whom one is kept.
ReplicaSet WriteRound::served_by(ReplicaSet copies) const {
  ReplicaSet served = copies & owners();
  for (const ReplicaIndex i : copies - owners()) served.add(stands_for_[i]);
  return served;
}

// Who counts of these: an owner rather than whoever stands for it.
ReplicaSet WriteRound::one_per_place(ReplicaSet copies) const {
  ReplicaSet counted = copies & owners();
  ReplicaSet served = counted;
  for (const ReplicaIndex i : copies - owners()) {
    if (served.contains(stands_for_[i])) continue;
    served.add(stands_for_[i]);
    counted.add(i);
  }
  return counted;
}

// How many places so many nodes can fill, each under the name that is needed.
std::uint8_t WriteRound::most_places(ReplicaSet nodes) const {
  return std::min(nodes.size(), owners().size());
}

// Acknowledged, but not durably. Only the local store may still report that it has become durable.
ReplicaSet WriteRound::never_durable() const {
  ReplicaSet set = acked_ - durable_;
  set.remove(local_);
  return set;
}

void WriteRound::answer(MonoTime now) {
  STATOR_ASSERT(enough(acked_, durable_));
  if (!failed_.empty()) STATOR_PROBE("write: answered although a replica failed");
  if (attempt_ > 0) STATOR_PROBE("write: answered after it was covered again");
  evidence_ = evidence_of(one_per_place(acked_), candidates_.view());
  phase_ = Phase::kAnswered;
  straggler_end_ = std::min(now + options_.straggler_window, options_.deadline);
  wish({.kind = WriteWish::Kind::kAnswer, .replica = kNoReplica, .attempt = attempt_});
}

void WriteRound::fail(ErrorCode code) {
  failed_round_ = true;
  WriteWish w{.kind = WriteWish::Kind::kFail, .replica = kNoReplica, .attempt = attempt_};
  w.code = code;
  w.outcome = phase_ == Phase::kStoring ? Outcome::kNotApplied : Outcome::kUnknown;
  // Before the mint nobody has been asked: what is too little are those who could be.
  const bool refused = phase_ == Phase::kStoring && code == ErrorCode::kTooFewNodes;
  const std::uint8_t primaries = ((refused ? hopeful() : acked_) & owners()).size();
  const std::uint8_t durable = refused ? most_places(hopeful()) : served_by(durable_).size();
  w.needed = options_.w;
  w.got = refused ? most_places(hopeful()) : places().size();
  if (w.got >= w.needed && primaries < options_.pw) {
    w.needed = options_.pw;
    w.got = primaries;
  } else if (w.got >= w.needed && durable < options_.dw) {
    w.needed = options_.dw;
    w.got = durable;
  }
  wish(w);
  finish();
}

void WriteRound::finish() {
  phase_ = Phase::kFinished;
  sync_wished_ = false;
  wish({.kind = WriteWish::Kind::kFinished, .replica = kNoReplica, .attempt = attempt_});
}

void WriteRound::wish(const WriteWish& w) {
  STATOR_ASSERT(wish_end_ < wishes_.size());
  wishes_[wish_end_++] = w;
}

}  // namespace stator

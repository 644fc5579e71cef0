#include "core/quorum/write_round.h"

#include <algorithm>
#include <limits>

#include "base/probe.h"

namespace stator {

void WriteRound::start(const WriteOptions& options, std::span<const Candidate> candidates,
                       ReplicaIndex local, MonoTime now) {
  STATOR_ASSERT(well_formed(candidates));
  STATOR_ASSERT(options.w >= 1);
  STATOR_ASSERT(local < candidates.size());
  options_ = options;
  count_ = static_cast<std::uint8_t>(candidates.size());
  attempt_ = 0;
  local_ = local;
  phase_ = Phase::kStoring;
  failed_round_ = false;
  cover_done_ = !options.cover;
  object_digest_ = 0;
  evidence_ = {};
  wish_first_ = wish_end_ = 0;
  all_ = owners_ = usable_ = sent_ = acked_ = durable_ = differing_ = failed_ = silent_ =
      ReplicaSet();
  for (ReplicaIndex i = 0; i < count_; ++i) {
    candidates_[i] = candidates[i];
    all_.add(i);
    if (candidates[i].owner) owners_.add(i);
    if (candidates[i].usable) usable_.add(i);
  }
  if (!hopeless() && now < options_.deadline)
    wish({.kind = WriteWish::Kind::kStore, .replica = local_});
  advance(now);
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
  if (attempt != attempt_) STATOR_PROBE("write: acknowledged before it was covered again");
  if (phase_ == Phase::kStoring || phase_ == Phase::kFinished || attempt != attempt_) return;
  if (!sent_.contains(i) || failed_.contains(i)) return;
  if (acked_.contains(i)) {
    // Only the local store reports twice: when it is in the engine and when it is on disk.
    if (i != local_) STATOR_PROBE("write: an acknowledgement comes twice");
    if (i != local_ || !durable) return;
    durable_.add(i);
    advance(now);
    return;
  }
  acked_.add(i);
  silent_.remove(i);
  if (durable) durable_.add(i);
  digests_[i] = digest;
  if (digest != object_digest_) {
    STATOR_PROBE("write: a replica knew more");
    differing_.add(i);
  }
  if (phase_ == Phase::kCovering) STATOR_PROBE("write: acknowledged while it is covered");
  advance(now);
}

void WriteRound::on_failure(ReplicaIndex i, std::uint8_t attempt, ErrorCode code, MonoTime now) {
  if (phase_ == Phase::kFinished || attempt != attempt_ || i >= count_ || failed_.contains(i))
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
  if (wish_first_ == wish_end_) return std::nullopt;
  return wishes_[wish_first_++];
}

MonoTime WriteRound::wake_at() const {
  if (phase_ == Phase::kFinished) return {std::numeric_limits<std::int64_t>::max()};
  if (phase_ == Phase::kAnswered) return straggler_end_;
  MonoTime at = options_.deadline;
  if (phase_ != Phase::kSending) return at;
  for (const ReplicaIndex i : pending() - silent_) {
    at = std::min(at, sent_at_[i] + options_.hedge_after);
  }
  return at;
}

void WriteRound::advance(MonoTime now) {
  switch (phase_) {
    case Phase::kStoring:
      if (hopeless()) {
        fail(ErrorCode::kTooFewNodes);
      } else if (now >= options_.deadline) {
        STATOR_PROBE("write: its time is over before it was minted");
        fail(ErrorCode::kTimeout);
      }
      break;
    case Phase::kCovering:
      if (now >= options_.deadline) fail(ErrorCode::kTimeout);
      break;
    case Phase::kSending: advance_sending(now); break;
    case Phase::kAnswered: break;
    case Phase::kFinished: return;
  }
  if (phase_ != Phase::kAnswered) return;
  // The answer is given, the copies are still owed: failed places are filled again, and only time
  // tells of the silent ones.
  if (now < straggler_end_) fill_places(sent_ - failed_, now);
  if (now >= straggler_end_ && !pending().empty()) {
    STATOR_PROBE("write: ends without an owner's acknowledgement");
  }
  if (now >= straggler_end_ || pending().empty()) finish();
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
    fill_places(sent_ - failed_ - silent_, now);
  }
}

// The local store of the attempt is under way already; everybody else gets the object now.
void WriteRound::begin_attempt(std::uint64_t digest, MonoTime now) {
  object_digest_ = digest;
  sent_at_[local_] = now;
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
  const std::uint8_t places = std::max(options_.n, options_.w);
  for (;;) {
    const bool owner_missing = (live & owners_).size() < options_.pw;
    const bool durable_missing = (live - never_durable()).size() < options_.dw;
    ReplicaIndex i = kNoReplica;
    if (live.size() < places || durable_missing) {
      i = pick(all_ - sent_ - failed_);
    } else if (owner_missing) {
      i = pick(owners_ - sent_ - failed_);
    }
    if (i == kNoReplica) return;
    send(i, now);
    live.add(i);
  }
}

// First N healthy (paper 4.5): who is believed down comes after the stand-ins.
ReplicaIndex WriteRound::pick(ReplicaSet from) const {
  const ReplicaSet usable = from & usable_;
  return usable.empty() ? from.first() : usable.first();
}

void WriteRound::send(ReplicaIndex i, MonoTime now) {
  STATOR_ASSERT(!sent_.contains(i) && i != local_);
  sent_.add(i);
  sent_at_[i] = now;
  wish({.kind = WriteWish::Kind::kSend, .replica = i, .attempt = attempt_});
}

bool WriteRound::enough(ReplicaSet acked, ReplicaSet durable) const {
  return acked.size() >= options_.w && (acked & owners_).size() >= options_.pw &&
         (acked & durable).size() >= options_.dw;
}

// Not even if everybody who has not spoken yet says yes, durably.
bool WriteRound::hopeless() const {
  const ReplicaSet possible = all_ - failed_;
  return !enough(possible, possible - never_durable());
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
  evidence_ = evidence_of(acked_, candidates_);
  phase_ = Phase::kAnswered;
  straggler_end_ = std::min(now + options_.straggler_window, options_.deadline);
  wish({.kind = WriteWish::Kind::kAnswer, .replica = kNoReplica, .attempt = attempt_});
}

void WriteRound::fail(ErrorCode code) {
  failed_round_ = true;
  WriteWish w{.kind = WriteWish::Kind::kFail, .replica = kNoReplica, .attempt = attempt_};
  w.code = code;
  w.outcome = phase_ == Phase::kStoring ? Outcome::kNotApplied : Outcome::kUnknown;
  w.needed = options_.w;
  w.got = acked_.size();
  if (w.got >= w.needed && (acked_ & owners_).size() < options_.pw) {
    w.needed = options_.pw;
    w.got = (acked_ & owners_).size();
  } else if (w.got >= w.needed && durable_.size() < options_.dw) {
    w.needed = options_.dw;
    w.got = durable_.size();
  }
  wish(w);
  finish();
}

void WriteRound::finish() {
  phase_ = Phase::kFinished;
  wish({.kind = WriteWish::Kind::kFinished, .replica = kNoReplica, .attempt = attempt_});
}

void WriteRound::wish(const WriteWish& w) {
  STATOR_ASSERT(wish_end_ < wishes_.size());
  wishes_[wish_end_++] = w;
}

}  // namespace stator

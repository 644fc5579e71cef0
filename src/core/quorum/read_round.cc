#include "core/quorum/read_round.h"

#include <algorithm>
#include <limits>

#include "base/probe.h"

namespace stator {

void ReadRound::start(const ReadOptions& options, std::span<const Candidate> candidates,
                      ReplicaIndex local, MonoTime now) {
  STATOR_ASSERT(options.r >= 1);
  STATOR_ASSERT(local == kNoReplica || local < candidates.size());
  options_ = options;
  local_ = local;
  fastest_ = kNoReplica;
  phase_ = Phase::kAsking;
  failed_round_ = false;
  hedges_allowed_ = stand_ins_trusted_ = true;
  merged_digest_ = 0;
  merged_history_count_ = 0;
  wish_first_ = wish_end_ = 0;
  evidence_ = {};
  asked_ = asked_value_ = pending_ = pending_value_ = silent_ = known_ = merged_ = included_ =
      counted_ = failed_ = unreadable_ = heard_again_ = ReplicaSet();
  candidates_.start(candidates, options.more);
  advance(now);
}

void ReadRound::add_candidates(std::span<const Candidate> more, MonoTime now) {
  if (candidates_.grow(more) && phase_ != Phase::kFinished) advance(now);
}

// True while there may be nodes that nobody has named yet.
bool ReadRound::take_more() {
  if (candidates_.await()) wish({.kind = ReadWish::Kind::kMore, .replica = kNoReplica});
  return candidates_.may_grow();
}

void ReadRound::on_digest(ReplicaIndex i, std::uint64_t digest, MonoTime now) {
  if (phase_ == Phase::kFinished || !pending_.contains(i)) return;
  if (pending_value_.contains(i) && digest != 0) {
    // It was asked for the value and names it instead: it will not say more.
    on_failure(i, ErrorCode::kCorrupt, now);
    return;
  }
  note_reply(i);
  known_.add(i);
  digests_[i] = digest;
  advance(now);
}

void ReadRound::on_value(ReplicaIndex i, std::uint64_t digest, std::uint64_t merged_digest,
                         MonoTime now) {
  // What was merged is merged, even if the reply itself comes too late to be counted.
  if (phase_ == Phase::kFinished || !candidates_.contains(i) || !pending_.contains(i)) {
    STATOR_PROBE("read: a value comes late or twice");
    return;
  }
  if (digest == 0 && merged_digest != 0)
    STATOR_PROBE("read: a replica lacks the key that others hold");
  note_reply(i);
  known_.add(i);
  merged_.add(i);
  included_.add(i);
  digests_[i] = digest;
  merged_digest_ = merged_digest;
  merged_history_[merged_history_count_++] = merged_digest;
  advance(now);
}

void ReadRound::on_failure(ReplicaIndex i, ErrorCode code, MonoTime now) {
  if (phase_ == Phase::kFinished || !pending_.contains(i)) return;
  pending_.remove(i);
  pending_value_.remove(i);
  silent_.remove(i);
  // It may have been included by a digest given earlier; a node that has failed since stands behind
  // nothing.
  included_.remove(i);
  failed_.add(i);
  codes_[i] = code;
  if (code == ErrorCode::kUnreadable) unreadable_.add(i);
  if (phase_ == Phase::kAnswered) STATOR_PROBE("read: a replica fails after the answer");
  advance(now);
}

void ReadRound::on_silent(ReplicaIndex i, MonoTime now) {
  if (phase_ == Phase::kFinished || !pending_.contains(i)) return;
  silent_.add(i);
  candidates_.falls_silent(i);
  advance(now);
}

void ReadRound::on_heard(ReplicaIndex i, MonoTime now) {
  if (phase_ != Phase::kAsking) return;
  candidates_.is_heard(i);
  if (pending_.contains(i)) {
    silent_.remove(i);
    asked_at_[i] = now;
  } else if (failed_.contains(i) && codes_[i] == ErrorCode::kClosed && !heard_again_.contains(i)) {
    heard_again_.add(i);
    failed_.remove(i);
    asked_.remove(i);
    asked_value_.remove(i);
    known_.remove(i);
  }
  advance(now);
}

void ReadRound::trust_stand_ins(bool trusted, MonoTime now) {
  stand_ins_trusted_ = trusted;
  if (phase_ != Phase::kFinished) advance(now);
}

void ReadRound::on_tick(MonoTime now) {
  if (phase_ != Phase::kFinished) advance(now);
}

std::optional<ReadWish> ReadRound::next() {
  if (wish_first_ == wish_end_) return std::nullopt;
  return wishes_[wish_first_++];
}

MonoTime ReadRound::wake_at() const {
  if (phase_ == Phase::kFinished) return {std::numeric_limits<std::int64_t>::max()};
  MonoTime at = phase_ == Phase::kAnswered ? straggler_end_ : options_.deadline;
  for (const ReplicaIndex i : watched()) at = std::min(at, overdue_at(i));
  return at;
}

MonoTime ReadRound::overdue_at(ReplicaIndex i) const {
  const Duration patience = candidates_[i].patience;
  return asked_at_[i] + (patience.ns > 0 ? patience : options_.hedge_after);
}

ReplicaSet ReadRound::stale() const {
  ReplicaSet set;
  for (const ReplicaIndex i : known_) {
    if (digests_[i] != merged_digest_) set.add(i);
  }
  return set;
}

ReplicaSet ReadRound::owners_not_asked() const {
  return owners() - asked_;
}

// Everything that an event may have made possible, in one place.
void ReadRound::advance(MonoTime now) {
  note_silence(now);
  include_what_is_merged();
  if (phase_ == Phase::kAsking) {
    if (enough(trusted(included_))) {
      answer(now);
    } else if (hopeless()) {
      STATOR_PROBE("read: too few can answer");
      if (!given_up().empty()) STATOR_PROBE("read: those who are believed down stay silent");
      fail(failure_of(failed_, codes_));
    } else if (now >= options_.deadline) {
      STATOR_PROBE("read: its time is over");
      fail(ErrorCode::kTimeout);
    } else {
      ask_for_differing(now);
      ask_more(now);
    }
  }
  if (phase_ == Phase::kAnswered) {
    // Whoever differs may know more than the answer: its value makes the repair complete.
    if (now < straggler_end_) ask_for_differing(now);
    if (now >= straggler_end_ && !pending_.empty()) {
      STATOR_PROBE("read: ends without a straggler");
    }
    if (now >= straggler_end_ || pending_.empty()) finish();
  }
}

void ReadRound::note_reply(ReplicaIndex i) {
  pending_.remove(i);
  pending_value_.remove(i);
  silent_.remove(i);
  if (fastest_ == kNoReplica && candidates_[i].owner) fastest_ = i;
}

void ReadRound::note_silence(MonoTime now) {
  for (const ReplicaIndex i : watched()) {
    if (now < overdue_at(i)) continue;
    STATOR_PROBE("read: a replica is silent");
    silent_.add(i);
  }
}

void ReadRound::include_what_is_merged() {
  for (const ReplicaIndex i : known_ - included_ - failed_) {
    if (is_merged(digests_[i])) included_.add(i);
  }
}

bool ReadRound::is_merged(std::uint64_t digest) const {
  if (digest == 0) return true;
  for (std::uint8_t k = 0; k < merged_history_count_; ++k) {
    if (merged_history_[k] != digest) continue;
    if (k + 1 < merged_history_count_) STATOR_PROBE("read: a replica holds what was merged before");
    return true;
  }
  for (const ReplicaIndex i : merged_) {
    if (digests_[i] == digest) return true;
  }
  return false;
}

// Until the first value is there, nobody can tell whether a digest differs from it.
bool ReadRound::first_value_is_coming() const {
  return merged_.empty() && !(pending_value_ - silent_ - known_).empty();
}

bool ReadRound::value_is_coming_for(std::uint64_t digest) const {
  for (const ReplicaIndex i : (pending_value_ - silent_) & known_) {
    if (digests_[i] == digest) return true;
  }
  return false;
}

// One value per digest is enough: replicas of one digest hold the same.
void ReadRound::ask_for_differing(MonoTime now) {
  if (first_value_is_coming()) return;
  for (const ReplicaIndex i : known_ - included_ - failed_ - asked_value_) {
    if (value_is_coming_for(digests_[i])) continue;
    STATOR_PROBE("read: a digest differs, its value is asked for");
    if (phase_ == Phase::kAnswered) STATOR_PROBE("read: a straggler differs after the answer");
    ask(i, true, now);
  }
}

// Replicas that are counted already or may soon be.
ReplicaSet ReadRound::in_play() const {
  ReplicaSet set = included_ | (pending_ - silent_);
  const bool first_value = first_value_is_coming();
  for (const ReplicaIndex i : known_ - set - failed_) {
    if (first_value || value_is_coming_for(digests_[i])) set.add(i);
  }
  return trusted(set);
}

void ReadRound::ask_more(MonoTime now) {
  for (ReplicaSet set = in_play(); !enough(set); set = in_play()) {
    ReplicaIndex i = kNoReplica;
    if ((set & owners()).size() < options_.pr) i = pick(owners() - asked_);
    if (i == kNoReplica && set.size() < options_.r) {
      i = pick(owners() - asked_);
      if (i == kNoReplica && misses_owners()) {
        if ((candidates_.all() - asked_).empty() && take_more()) return;
        // While they do not count, so many are enough to count later.
        if (!stand_ins_trusted_ && (asked_ - owners()).size() >= options_.r) return;
        i = pick(candidates_.all() - asked_);
      }
    }
    if (i == kNoReplica) return;
    if (!silent_.empty()) STATOR_PROBE("read: hedged");
    const bool have_value = !merged_.empty() || !(pending_value_ - silent_).empty();
    ask(i, !options_.allow_digest || !have_value, now);
  }
}

// The local replica costs no message, then preference order; who is believed down comes last.
ReplicaIndex ReadRound::pick(ReplicaSet from) const {
  const ReplicaSet usable = from & candidates_.usable();
  if (local_ != kNoReplica && (usable & owners()).contains(local_)) return local_;
  if (usable.empty() && !from.empty()) STATOR_PROBE("read: asks one that is believed down");
  return candidates_.next(from);
}

void ReadRound::ask(ReplicaIndex i, bool value, MonoTime now) {
  STATOR_ASSERT(!pending_.contains(i));
  asked_.add(i);
  pending_.add(i);
  if (value) {
    asked_value_.add(i);
    pending_value_.add(i);
  }
  asked_at_[i] = now;
  wish({.kind = value ? ReadWish::Kind::kAskValue : ReadWish::Kind::kAskDigest, .replica = i});
}

ReplicaSet ReadRound::trusted(ReplicaSet set) const {
  return stand_ins_trusted_ ? set : set & owners();
}

bool ReadRound::enough(ReplicaSet set) const {
  return set.size() >= options_.r && (set & owners()).size() >= options_.pr;
}

// Owners that are believed down and stay silent are as good as failed; one that is only slow is
// not.
bool ReadRound::misses_owners() const {
  return (owners() - failed_ - (silent_ & candidates_.away())).size() < options_.r;
}

// Those who are believed down and were asked in vain all the same. Not while this node comes back
// itself: they are probably heard in a moment.
ReplicaSet ReadRound::given_up() const {
  return stand_ins_trusted_ ? silent_ & candidates_.away() : ReplicaSet();
}

// Whose silence is noted. That of those who are believed down costs nothing: it was expected.
ReplicaSet ReadRound::watched() const {
  const ReplicaSet waiting = pending_ - silent_;
  return hedges_allowed_ ? waiting : waiting & candidates_.away();
}

// Not even if everybody counts who has not failed, and of whom silence was not expected.
bool ReadRound::hopeless() const {
  const ReplicaSet possible = candidates_.all() - failed_ - given_up();
  if (candidates_.may_grow()) return (possible & owners()).size() < options_.pr;
  return !enough(possible);
}

void ReadRound::answer(MonoTime now) {
  counted_ = trusted(included_);
  STATOR_ASSERT(enough(counted_));
  if (merged_history_count_ > 1) STATOR_PROBE("read: the answer merges several values");
  if (!failed_.empty()) STATOR_PROBE("read: answered although a replica failed");
  if (!(counted_ - owners()).empty()) STATOR_PROBE("read: a stand-in counts");
  evidence_ = evidence_of(counted_, candidates_.view());
  phase_ = Phase::kAnswered;
  straggler_end_ = std::min(now + options_.straggler_window, options_.deadline);
  wish({.kind = ReadWish::Kind::kAnswer, .replica = kNoReplica});
}

void ReadRound::fail(ErrorCode code) {
  failed_round_ = true;
  const ReplicaSet got = trusted(included_);
  const bool r_missing = got.size() < options_.r;
  wish({.kind = ReadWish::Kind::kFail,
        .replica = kNoReplica,
        .code = code,
        .needed = r_missing ? options_.r : options_.pr,
        .got = r_missing ? got.size() : (got & owners()).size()});
  finish();
}

void ReadRound::finish() {
  phase_ = Phase::kFinished;
  wish({.kind = ReadWish::Kind::kFinished, .replica = kNoReplica});
}

void ReadRound::wish(const ReadWish& w) {
  STATOR_ASSERT(wish_end_ < wishes_.size());
  wishes_[wish_end_++] = w;
}

}  // namespace stator

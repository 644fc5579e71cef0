#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "base/error.h"
#include "base/time.h"
#include "core/quorum/candidates.h"
#include "core/quorum/round_candidates.h"

// One get, from the first request to the last straggler (paper 4.5 and 5, design 4.4): replies and
// clock ticks go in, wishes come out. The coordinator carries wishes out and decides nothing.
//
// How a read goes. The value is asked of one replica (the local one if it is an owner, else the
// first usable), digests of R-1 others. A replica is *counted* when all that it knows is part of
// the merged object: its value was merged, or its digest is 0 (it knows nothing), or its digest
// equals that of the merged object or of something merged earlier. R counted replicas, PR of them
// owners, are the answer. Where a digest names something not merged yet, the value is asked of one
// replica per digest. A replica that fails, refuses or stays silent for its patience is replaced
// by the next candidate, usable ones first; a silent one may still count when it speaks. After the
// answer the rest is heard until `straggler_window` is over, for repair only.
//
// Stand-ins (paper 4.6) come last, since one that keeps nothing of the key counts all the same:
// where all owners were asked, and so many have failed, or were believed down and stay silent, that
// fewer than R are left. An owner that is only slow is waited for, and one that is believed down is
// asked first: a node that was cut off itself believes that of all. A round begins with the owners;
// where it misses them it wishes kMore, once, and add_candidates() names the others. What a
// stand-in keeps of the key for any owner is what it knows. Nobody repairs one: what it keeps is
// delivered.
//
// A read that only those could answer who are believed down is refused once they have been silent
// for their patience, and does not wait for its deadline: elsewhere it may find its owners, and
// answers that a client waits for behind it in a pipeline come no later for it. A write is refused
// at once then (WriteRound): it has nothing to lose by asking.
//
// Promises (checked by exhaustive tests):
//  - wishes are: asks, then exactly one of kAnswer and kFail, perhaps asks, then exactly one
//    kFinished, and nothing after it;
//  - no replica is asked the same thing twice (but for one that could not be reached and is heard
//    again), none is counted twice, a failed one never counts: an unreadable record is not "not
//    found";
//  - the round has finished at the first tick at or after the deadline, and as soon as everybody
//    asked has answered or failed and nobody is left to ask, unless stand-ins that have answered
//    are not trusted yet.
//
// No allocation, no clock; about 1.4 KB, made to be reused: start() begins anew. Not
// thread-safe, lives on one shard. Events that come twice, unasked, after a failure of that replica
// or after the end are ignored, since a peer can cause them.

namespace stator {

struct ReadOptions {
  std::uint8_t r = 2;        // replicas counted in the answer, at least 1
  std::uint8_t pr = 0;       // owners among them
  bool allow_digest = true;  // false: ask everybody for the value
  bool more = false;         // there are nodes beyond the candidates: kMore may be wished
  MonoTime deadline{};
  Duration hedge_after = milliseconds(50);        // for candidates that bring no patience
  Duration straggler_window = milliseconds(500);  // after the answer, never beyond the deadline
};

struct ReadWish {
  enum class Kind : std::uint8_t {
    kMore,       // name the usable nodes beyond the owners, if there are any: add_candidates()
    kAskValue,   // ask `replica` for its whole object
    kAskDigest,  // ask `replica` for its digest
    kAnswer,     // the merged object is the answer; evidence() stands behind it
    kFail,       // answer with `code`, `needed`, `got`
    kFinished,   // repair what stale() and unreadable() name; the round may be reused
  };
  Kind kind = Kind::kFinished;
  ReplicaIndex replica = kNoReplica;
  ErrorCode code = ErrorCode::kTimeout;
  std::uint8_t needed = 0;
  std::uint8_t got = 0;
  bool operator==(const ReadWish&) const = default;
};

class ReadRound {
 public:
  /// `candidates` in preference order, distinct nodes, 1 to kCandidatesMax; copied. `local`: the
  /// coordinator's own index or kNoReplica.
  void start(const ReadOptions& options, std::span<const Candidate> candidates, ReplicaIndex local,
             MonoTime now);

  /// The answer to kMore: distinct nodes that are not candidates yet; what goes beyond
  /// kCandidatesMax in all is left out.
  void add_candidates(std::span<const Candidate> more, MonoTime now);

  /// `i` says that the digest of what it holds is `digest` (0: it holds nothing of the key).
  void on_digest(ReplicaIndex i, std::uint64_t digest, MonoTime now);
  /// `i` sent its object, of digest `digest`; the coordinator has merged it and the merged object
  /// has now `merged_digest`. A replica that holds nothing: digest 0, merged_digest unchanged.
  void on_value(ReplicaIndex i, std::uint64_t digest, std::uint64_t merged_digest, MonoTime now);
  /// `i` refused, failed, or cannot read its record (kUnreadable). kClosed, kTimeout and the like
  /// for what the link says.
  void on_failure(ReplicaIndex i, ErrorCode code, MonoTime now);
  /// `i` is believed down: it is counted on no more, though its answer may still come.
  void on_silent(ReplicaIndex i, MonoTime now);
  /// `i` answers again. What it was asked and has not answered is asked again by the coordinator,
  /// since the link may have lost it; and one that failed since no link led to it may be asked
  /// anew, once.
  void on_heard(ReplicaIndex i, MonoTime now);
  void on_tick(MonoTime now);
  /// While false nobody is given up for silence: what would be asked instead is more than the node
  /// can spare. True at the start.
  void allow_hedges(bool allowed) { hedges_allowed_ = allowed; }

  /// While false stand-ins do not count: this node was cut off, and owners that it believes down
  /// are probably heard in a moment. True at the start.
  void trust_stand_ins(bool trusted, MonoTime now);
  [[nodiscard]] bool trusts_stand_ins() const { return stand_ins_trusted_; }

  /// The oldest wish not carried out yet. Carrying one out may feed events back at once.
  [[nodiscard]] std::optional<ReadWish> next();
  /// When on_tick() has something to do next.
  [[nodiscard]] MonoTime wake_at() const;

  [[nodiscard]] bool answered() const { return phase_ >= Phase::kAnswered && !failed_round_; }
  [[nodiscard]] bool finished() const { return phase_ == Phase::kFinished; }
  [[nodiscard]] const Candidate& candidate(ReplicaIndex i) const { return candidates_[i]; }
  [[nodiscard]] std::size_t candidate_count() const { return candidates_.size(); }
  /// kNoReplica: `node` is no candidate.
  [[nodiscard]] ReplicaIndex index_of(NodeId node) const { return candidates_.index_of(node); }

  /// Of the replicas counted when the answer was given.
  [[nodiscard]] const QuorumEvidence& evidence() const { return evidence_; }
  [[nodiscard]] ReplicaSet counted() const { return counted_; }
  /// The owner that answered first: whom the context names as coordinator of the write that follows
  /// (paper 5). kNoReplica when none did.
  [[nodiscard]] ReplicaIndex fastest() const { return fastest_; }
  [[nodiscard]] std::uint64_t merged_digest() const { return merged_digest_; }

  /// Replicas whose last known digest is not that of the merged object: they get the whole of it
  /// (core/repair). Final at kFinished.
  [[nodiscard]] ReplicaSet stale() const;
  /// Replicas that hold a damaged record.
  [[nodiscard]] ReplicaSet unreadable() const { return unreadable_; }
  /// Owners all of whose knowledge is in the merged object. Final at kFinished.
  [[nodiscard]] ReplicaSet included_owners() const { return included_ & owners(); }
  [[nodiscard]] ReplicaSet owners() const { return candidates_.owners(); }
  /// Owners that were not asked, for the share of reads that probes them after the answer
  /// (design 4.4).
  [[nodiscard]] ReplicaSet owners_not_asked() const;
  /// Replicas asked that have neither answered nor failed.
  [[nodiscard]] ReplicaSet waiting() const { return pending_; }
  /// Those of waiting() that were asked for the value.
  [[nodiscard]] ReplicaSet waiting_for_value() const { return pending_value_; }
  /// Those of waiting() whose answer is overdue, and counted on no more.
  [[nodiscard]] ReplicaSet silent() const { return silent_; }
  /// `i` does not answer, for all that this round has heard: of its silence nobody learns anything.
  [[nodiscard]] bool believed_down(ReplicaIndex i) const { return candidates_.away().contains(i); }
  /// When `i` was asked what it was asked last.
  [[nodiscard]] MonoTime asked_at(ReplicaIndex i) const { return asked_at_[i]; }

 private:
  enum class Phase : std::uint8_t { kAsking, kAnswered, kFinished };

  void advance(MonoTime now);
  void note_reply(ReplicaIndex i);
  void note_silence(MonoTime now);
  [[nodiscard]] MonoTime overdue_at(ReplicaIndex i) const;
  void include_what_is_merged();
  void ask_for_differing(MonoTime now);
  void ask_more(MonoTime now);
  void ask(ReplicaIndex i, bool value, MonoTime now);
  void answer(MonoTime now);
  void fail(ErrorCode code);
  void finish();
  void wish(const ReadWish& w);
  [[nodiscard]] ReplicaSet trusted(ReplicaSet set) const;
  [[nodiscard]] bool enough(ReplicaSet set) const;
  [[nodiscard]] bool is_merged(std::uint64_t digest) const;
  [[nodiscard]] bool first_value_is_coming() const;
  [[nodiscard]] bool value_is_coming_for(std::uint64_t digest) const;
  [[nodiscard]] ReplicaSet in_play() const;
  [[nodiscard]] ReplicaIndex pick(ReplicaSet from) const;
  [[nodiscard]] bool misses_owners() const;
  [[nodiscard]] ReplicaSet watched() const;
  [[nodiscard]] bool hopeless() const;
  [[nodiscard]] ReplicaSet given_up() const;
  [[nodiscard]] bool take_more();

  ReadOptions options_;
  ReplicaIndex local_ = kNoReplica;
  ReplicaIndex fastest_ = kNoReplica;
  Phase phase_ = Phase::kFinished;
  bool failed_round_ = false;
  bool hedges_allowed_ = true;
  bool stand_ins_trusted_ = true;
  MonoTime straggler_end_{};
  std::uint64_t merged_digest_ = 0;
  QuorumEvidence evidence_;

  ReplicaSet asked_;          // for anything
  ReplicaSet asked_value_;    // for the value
  ReplicaSet pending_;        // the answer is outstanding; at most one request per replica is
  ReplicaSet pending_value_;  // that request is for the value
  ReplicaSet silent_;         // pending for longer than patience
  ReplicaSet known_;          // its digest is known
  ReplicaSet merged_;         // its value was merged
  ReplicaSet included_;       // all it knows is in the merged object
  ReplicaSet counted_;        // included_ when the answer was given
  ReplicaSet failed_, unreadable_;
  ReplicaSet heard_again_;  // failed once, and may be asked anew

  RoundCandidates candidates_;
  std::array<std::uint64_t, kCandidatesMax> digests_;
  std::array<MonoTime, kCandidatesMax> asked_at_;
  std::array<ErrorCode, kCandidatesMax> codes_;
  // Digests that the merged object has had: whoever shows one of them knows nothing beyond it.
  std::array<std::uint64_t, kCandidatesMax> merged_history_;
  std::uint8_t merged_history_count_ = 0;
  // All wishes of a round fit: each replica is asked at most twice, and twice more where it is
  // heard again, kMore, kAnswer or kFail, kFinished.
  std::array<ReadWish, 4 * kCandidatesMax + 3> wishes_;
  std::uint8_t wish_first_ = 0;
  std::uint8_t wish_end_ = 0;
};

}  // namespace stator

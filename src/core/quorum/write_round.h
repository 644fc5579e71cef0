#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "base/error.h"
#include "base/time.h"
#include "core/quorum/candidates.h"
#include "core/quorum/durable_copy_round.h"
#include "core/quorum/round_candidates.h"

// One put or delete on the node that mints it (paper 4.5: "W-1 others"; design 1, 2.4, 4.2): events
// go in, wishes come out. The coordinator carries wishes out and decides nothing.
//
// How a write goes. kStore: the coordinator mints the version into the local object and hands it to
// the engine; on_minted() says that this happened, and only then is it sent to the N-1 other places
// at once: usable owners, then usable stand-ins, then whoever is left. The completion of the local
// store is an acknowledgement like any other (on_ack of the local index), so that for W=1 the local
// write is enough. W places that have acknowledged, PW of them their owners and DW of them durable,
// are success. A replica that fails or stays silent for `hedge_after` before that is replaced by
// the next candidate.
//
// Stand-ins (paper 4.6). A candidate that is no owner gets a copy only in the name of an owner that
// is not counted on (not usable, failed, silent) and for whom nobody stands yet: stands_for(). A
// round begins with the owners; where it misses one it wishes kMore, once, and add_candidates()
// names the others, so that a healthy cluster never looks them up. Fewer than W candidates that are
// not away, all others included, are refused before anything is stored.
//
// Places (D9, D14). An owner and whoever stands for it are one place of the N: what a stand-in
// keeps goes once the owner has it. So where an owner acknowledges late for whom a stand-in did
// already, one of the two counts. The stand-in's copy is spare then. Where no other node is left it
// is sent the object once more before the answer, in the name of an owner whom nobody serves, and
// counts for that one when it has acknowledged that, so that W nodes that take it are W places
// (P5).
//
// Covering (design 2.4). An acknowledgement whose digest is not that of the sent object comes from
// a replica that holds something which the write did not cover. It counts. For a plain write
// (options.cover) the round then wishes kCover once, before it answers: the coordinator merges what
// the acknowledgements brought, restamps the write and stores it; on_covered() sends the result as
// attempt 1 to the same places, and W acknowledgements of *that* are success. Once is enough: a
// write that was acknowledged before this one began stands on W replicas, and W+W > N puts one of
// them among the W that acknowledged attempt 0. Whatever shows up later ran beside this write.
//
// One durable copy (options.durable_one; paper 6.1). One of those that get a copy is asked to make
// it durable, and another (kSync) where that one fails or takes long: DurableCopyRound says who.
// Nobody waits for it: it acknowledges like everybody else, and once more when its copy is on disk.
// After the answer the round goes on for that until one copy is known to be durable or all who were
// asked have failed, at most until the deadline; what else is owed does not wait for it (kRepair).
//
// Honesty (D8): kFail says kNotApplied only while nothing was minted and nothing sent; from then on
// a failure is kUnknown. After kFail the coordinator must not mint what kStore asked for.
//
// Promises (checked by exhaustive tests): kStore, sends, perhaps kCover and sends of attempt 1,
// then exactly one of kAnswer and kFail, perhaps one kRepair after kAnswer, then exactly one
// kFinished and nothing after it; nothing is sent twice to one replica in one attempt under one
// name, nor is it asked twice to be durable; kMore comes once, at any time; no node and no place
// counts twice; the round has finished at the first tick at or after the deadline, and as soon as
// everybody sent to has answered or failed and no durable copy is awaited.
//
// No allocation, no clock; reused by start(). Not thread-safe, lives on one shard. Events that come
// twice, unasked, of an earlier attempt or after the end are ignored.

namespace stator {

struct WriteOptions {
  std::uint8_t n = 3;        // places that get a copy
  std::uint8_t w = 2;        // places that acknowledge, the local one included; at least 1
  std::uint8_t pw = 0;       // owners among them
  std::uint8_t dw = 0;       // durable ones among them
  bool durable_one = false;  // one copy is to be durable soon; not together with `dw`
  std::uint64_t spread = 0;  // chooses it: any number that differs from write to write
  bool cover = false;        // a plain write: cover what acknowledgements show before answering
  bool more = false;         // there are nodes beyond the candidates: kMore may be wished
  MonoTime deadline{};
  Duration hedge_after = milliseconds(200);
  // How long the disk of the one may take before the next is asked, too. Longer than the syncs of a
  // busy disk take, so that disks are not given everything twice just when they are slow; and a
  // quarter of the usual deadline: of three each can be asked in time, the last as long as the
  // others.
  Duration durable_after = milliseconds(500);
  Duration straggler_window = milliseconds(500);  // after the answer, never beyond the deadline
};

struct WriteWish {
  enum class Kind : std::uint8_t {
    kMore,      // name the usable nodes beyond the owners, if there are any: add_candidates()
    kStore,     // mint into the local object and store it; then on_minted(), later on_ack(local)
    kSend,      // send the whole object to `replica`, as `attempt`; `durable`: see there. Of the
                // local one: keep it, too, for the owner for whom it stands from now on
    kSync,      // ask `replica`, which was sent to already or is local, to make its copy durable
    kCover,     // merge what came back, restamp, store; then on_covered() or on_cover_refused()
    kAnswer,    // success; evidence() stands behind it
    kFail,      // answer with `code`, `outcome`, `needed`, `got`
    kRepair,    // as of kFinished, which still waits for a durable copy
    kFinished,  // repair what differing() names, unless kRepair has come; the round may be reused
  };
  Kind kind = Kind::kFinished;
  ReplicaIndex replica = kNoReplica;
  std::uint8_t attempt = 0;
  bool durable = false;  // of kSend: it is the one that is asked to make its copy durable
  ErrorCode code = ErrorCode::kTimeout;
  Outcome outcome = Outcome::kOk;
  std::uint8_t needed = 0;
  std::uint8_t got = 0;
  bool operator==(const WriteWish&) const = default;
};

class WriteRound {
 public:
  /// `candidates` in preference order, distinct nodes, 1 to kCandidatesMax; copied. `local` is the
  /// index of this, the minting, node.
  void start(const WriteOptions& options, std::span<const Candidate> candidates, ReplicaIndex local,
             MonoTime now);

  /// The answer to kMore: distinct nodes that are not candidates yet; what goes beyond
  /// kCandidatesMax in all is left out.
  void add_candidates(std::span<const Candidate> more, MonoTime now);

  /// The version is minted and on its way to the engine; the object to send has `digest`. May be
  /// called before the store is complete: an incarnation never reuses a dot, so a copy elsewhere of
  /// what this node lost in a crash is an ordinary version.
  /// An acknowledgement that comes before this call is ignored: call this before anything that may
  /// report the store as complete; so with on_covered().
  void on_minted(std::uint64_t digest, MonoTime now);
  /// `i` (the local replica too) holds what was sent as `attempt`, that of the wish; after its
  /// merge its digest is `digest`. The local replica, and one that was asked for the durable copy,
  /// may acknowledge again, with `durable`, once it is.
  void on_ack(ReplicaIndex i, std::uint8_t attempt, std::uint64_t digest, bool durable,
              MonoTime now);
  /// `i` refused or failed. Of the local replica before on_minted(): nothing was applied; after an
  /// acknowledgement that was not durable: it will not become so, and does not count. With
  /// `durable_one`, after an acknowledgement: the copy counts, but will not become durable.
  void on_failure(ReplicaIndex i, std::uint8_t attempt, ErrorCode code, MonoTime now);
  /// The restamped object is on its way to the engine and has `digest`.
  void on_covered(std::uint64_t digest, MonoTime now);
  /// Nothing to cover: the write is superseded already, or what came back is covered by it.
  void on_cover_refused(MonoTime now);
  /// What came back cannot be covered, though it should be: the outcome is unknown.
  void on_cover_failed(ErrorCode code);
  void on_tick(MonoTime now);

  [[nodiscard]] std::optional<WriteWish> next();
  [[nodiscard]] MonoTime wake_at() const;

  /// False: nothing of the write exists anywhere.
  [[nodiscard]] bool minted() const { return !sent_.empty(); }
  [[nodiscard]] bool answered() const { return phase_ >= Phase::kAnswered && !failed_round_; }
  [[nodiscard]] bool finished() const { return phase_ == Phase::kFinished; }
  [[nodiscard]] const Candidate& candidate(ReplicaIndex i) const { return candidates_[i]; }
  [[nodiscard]] std::size_t candidate_count() const { return candidates_.size(); }
  /// kNoReplica: `node` is no candidate.
  [[nodiscard]] ReplicaIndex index_of(NodeId node) const { return candidates_.index_of(node); }
  /// 0; 1 once it is covered again.
  [[nodiscard]] std::uint8_t attempt() const { return attempt_; }
  /// As what `i` was sent the object last: attempt(), and twice the number of other names that it
  /// was given in it. At most 15.
  [[nodiscard]] std::uint8_t attempt_of(ReplicaIndex i) const {
    return static_cast<std::uint8_t>(attempt_ + 2 * names_[i]);
  }
  /// `i` keeps the object of the present attempt under more than one name.
  [[nodiscard]] bool renamed(ReplicaIndex i) const { return names_[i] != 0; }
  /// Of the object of the present attempt.
  [[nodiscard]] std::uint64_t digest() const { return object_digest_; }
  /// The owner in whose name `i` gets its copy; kNoReplica for an owner, which gets it in its own.
  [[nodiscard]] ReplicaIndex stands_for(ReplicaIndex i) const { return stands_for_[i]; }

  /// Of the acknowledgements counted when the answer was given: one for each place, the owner
  /// rather than its stand-in.
  [[nodiscard]] const QuorumEvidence& evidence() const { return evidence_; }
  /// The places that have acknowledged, by their owners: those that have the write, and those for
  /// whom somebody keeps it.
  [[nodiscard]] ReplicaSet places() const { return served_by(acked_); }
  /// Acknowledgements of the present attempt.
  [[nodiscard]] ReplicaSet acked() const { return acked_; }
  [[nodiscard]] ReplicaSet durable() const { return durable_; }
  /// Who was asked, at the present attempt, for the one durable copy.
  [[nodiscard]] ReplicaSet asked_durable() const { return durable_copy_.asked(); }
  /// Of these, who may still report that its copy is durable.
  [[nodiscard]] ReplicaSet syncing() const { return durable_copy_.syncing(failed_); }
  /// Acknowledged, and one durable copy was wanted that nobody has reported.
  [[nodiscard]] bool lacks_durable() const {
    return options_.durable_one && answered() && !durable_copy_.found();
  }
  /// What `i` (in acked()) said of its object at the present attempt.
  [[nodiscard]] std::uint64_t digest_of(ReplicaIndex i) const { return digests_[i]; }
  /// Acknowledged with another digest than the object's: they hold more than was sent, and the
  /// others lack it.
  [[nodiscard]] ReplicaSet differing() const { return differing_; }
  /// Sent to, without acknowledgement so far, failed ones included: whom hints are for.
  [[nodiscard]] ReplicaSet not_acked() const { return sent_ - acked_; }
  /// Sent to, and neither acknowledged nor failed.
  [[nodiscard]] ReplicaSet waiting() const { return pending(); }
  /// When the present attempt was sent to `i`.
  [[nodiscard]] MonoTime sent_at(ReplicaIndex i) const { return sent_at_[i]; }
  /// Owners that do not have the write, and for whom nobody keeps it: whom extra hints are for.
  [[nodiscard]] ReplicaSet unserved() const { return owners() - places(); }
  /// Owners that do not have the write for all that is known.
  [[nodiscard]] ReplicaSet owners_missing() const { return owners() - acked_; }

 private:
  enum class Phase : std::uint8_t { kStoring, kSending, kCovering, kAnswered, kFinished };
  static constexpr std::uint8_t kNamesMax = 7;     // more than its own; attempt_of() has four bits
  static constexpr std::uint8_t kRenamesMax = 16;  // of a round; each takes somebody's late answer

  void advance(MonoTime now);
  void advance_storing(MonoTime now);
  void advance_sending(MonoTime now);
  void begin_attempt(std::uint64_t digest, MonoTime now);
  void note_silence(MonoTime now);
  void fill_places(ReplicaSet live, MonoTime now);
  [[nodiscard]] ReplicaIndex next_for(ReplicaSet served) const;
  [[nodiscard]] ReplicaIndex spare(ReplicaSet copies) const;
  void rename(ReplicaIndex i, ReplicaIndex owner, MonoTime now);
  void ask_for_durable(MonoTime now);
  void note_durable(ReplicaIndex i);
  void advance_answered(MonoTime now);
  void send(ReplicaIndex i, MonoTime now);
  void answer(MonoTime now);
  void fail(ErrorCode code);
  void finish();
  void wish(const WriteWish& w);
  [[nodiscard]] bool enough(ReplicaSet acked, ReplicaSet durable) const;
  [[nodiscard]] bool hopeless() const;
  [[nodiscard]] ReplicaSet never_durable() const;
  [[nodiscard]] CopiesKnown known_copies() const;
  [[nodiscard]] ReplicaSet pending() const { return sent_ - acked_ - failed_; }
  [[nodiscard]] bool short_of_nodes() const;
  [[nodiscard]] ReplicaSet owners() const { return candidates_.owners(); }
  /// Not known to be away.
  [[nodiscard]] ReplicaSet hopeful() const { return candidates_.all() - candidates_.away(); }
  [[nodiscard]] ReplicaSet served_by(ReplicaSet copies) const;
  [[nodiscard]] ReplicaSet one_per_place(ReplicaSet copies) const;
  [[nodiscard]] std::uint8_t most_places(ReplicaSet nodes) const;
  [[nodiscard]] bool take_more();

  WriteOptions options_;
  std::uint8_t attempt_ = 0;
  ReplicaIndex local_ = kNoReplica;
  Phase phase_ = Phase::kFinished;
  bool failed_round_ = false;
  bool cover_done_ = false;
  bool store_wished_ = false;
  MonoTime straggler_end_{};
  std::uint64_t object_digest_ = 0;
  QuorumEvidence evidence_;

  ReplicaSet sent_;  // of the present attempt, the local store included
  ReplicaSet acked_, durable_, differing_, failed_, silent_;
  bool repair_wished_ = false;

  RoundCandidates candidates_;
  DurableCopyRound durable_copy_;  // of the present attempt
  std::array<ReplicaIndex, kCandidatesMax> stands_for_;
  std::array<std::uint8_t, kCandidatesMax> names_;  // given to it beside its first, of this attempt
  ReplicaIndex home_ = kNoReplica;  // for whom the local object itself stands, if for anybody
  std::uint8_t renames_ = 0;        // of all
  std::array<std::uint64_t, kCandidatesMax> digests_;
  std::array<MonoTime, kCandidatesMax> sent_at_;
  std::array<ErrorCode, kCandidatesMax> codes_;
  bool sync_wished_ = false;  // kSync, of whoever was asked last: it comes behind the others
  // All other wishes of a round fit: two attempts, other names, kMore, kStore, kCover, kAnswer or
  // kFail, kRepair, kFinished.
  std::array<WriteWish, 2 * kCandidatesMax + kRenamesMax + 6> wishes_;
  std::uint8_t wish_first_ = 0;
  std::uint8_t wish_end_ = 0;
};

}  // namespace stator

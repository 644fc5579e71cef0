#pragma once

#include <cstdint>

#include "base/time.h"
#include "core/quorum/candidates.h"

// Who is asked to make its copy of a write durable, and for how long each is given time (paper 6.1:
// one of the N replicas performs a durable write, and the put does not wait for it; what happens
// when that one fails the paper leaves open). A part of a WriteRound, which says what it knows of
// the copies and carries the asking out.
//
// One is asked as long as no copy is known to be durable: choose_durable() says who. When it fails,
// has not acknowledged within `hedge_after` or is not durable within `durable_after` of being
// asked, the next is asked, too: each once. Who takes long is not given up: whoever reports first
// is the one.
//
// Two patiences, since they judge two things: an acknowledgement tells how long a node takes, and
// nothing of its disk.
//
// No allocation, no clock; reused by start(). Not thread-safe, lives on one shard. Whatever is said
// of somebody who was not asked is as good: a copy that is durable anyway is enough.

namespace stator {

struct DurableCopyOptions {
  bool wanted = false;              // false: nobody is ever asked
  ReplicaIndex local = kNoReplica;  // the coordinator
  std::uint64_t spread = 0;         // chooses among equals: differs from write to write
  Duration hedge_after{};           // how long one may take to say that it has the copy
  Duration durable_after{};         // how long the disk of one may take
};

/// The copies of the present attempt, as the round knows them now.
struct CopiesKnown {
  ReplicaSet sent;         // who has one or is being sent one, the coordinator included
  ReplicaSet acked;        // who says that it has one
  ReplicaSet failed;       // who has none, or is not counted on any more
  ReplicaSet owners;       // of all candidates
  ReplicaSet usable;       // of all candidates: believed to answer
  bool more_come = false;  // others are about to get one: the coordinator is not asked yet
};

class DurableCopyRound {
 public:
  void start(const DurableCopyOptions& options);
  /// What was sent is sent again, changed: nobody was asked, nothing is durable.
  void begin_attempt();

  /// The copy of `i` is on its disk, whoever asked for that.
  void on_durable(ReplicaIndex i) { durable_.add(i); }
  /// `i`, which was asked, has a copy and cannot make it durable.
  void on_vain(ReplicaIndex i) { vain_.add(i); }
  /// `i` is sent the object again, to keep it in another place, and may be asked for that copy as
  /// if it never had been. A copy that it has made durable stays so.
  void on_other_copy(ReplicaIndex i) {
    asked_.remove(i);
    vain_.remove(i);
  }
  /// Whom to ask now; kNoReplica: nobody. It counts as asked from here on.
  [[nodiscard]] ReplicaIndex ask(const CopiesKnown& copies, MonoTime now);

  /// When ask() may name somebody although nothing was heard; the far future if never.
  [[nodiscard]] MonoTime wake_at(const CopiesKnown& copies) const;

  /// Some copy is durable.
  [[nodiscard]] bool found() const { return !durable_.empty(); }
  /// None is known to be, and somebody who was asked, and is none of `failed`, may still report it.
  [[nodiscard]] bool awaited(ReplicaSet failed) const {
    return !found() && !syncing(failed).empty();
  }
  [[nodiscard]] ReplicaSet asked() const { return asked_; }
  [[nodiscard]] ReplicaIndex last_asked() const { return last_asked_; }
  /// Of those asked who may still report that its copy is durable.
  [[nodiscard]] ReplicaSet syncing(ReplicaSet failed) const {
    return asked_ - durable_ - vain_ - failed;
  }

 private:
  [[nodiscard]] ReplicaSet not_asked(const CopiesKnown& copies) const {
    return copies.sent - copies.failed - asked_;
  }
  [[nodiscard]] MonoTime ask_next_at(ReplicaSet acked) const;

  DurableCopyOptions options_;
  ReplicaSet asked_, durable_, vain_;
  ReplicaIndex last_asked_ = kNoReplica;
  MonoTime asked_at_{};  // when it was
};

}  // namespace stator

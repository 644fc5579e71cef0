#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/assert.h"
#include "core/quorum/candidates.h"

// The list of candidates of one round, which begins with the owners and grows once, when they are
// not enough (paper 4.6), so that a healthy cluster never looks the others up. Nobody leaves it: a
// node keeps its index, its name within the round, until the next start(). Tells who a node is, who
// is next, and what was believed of whom; which of them were asked, and what they said, is the
// round's.
//
// No allocation, no clock; 0.5 KB, a part of a round that is reused. Not thread-safe.

namespace stator {

class RoundCandidates {
 public:
  /// Begins anew with `candidates`, in preference order, which are well_formed(). `may_grow`: there
  /// are nodes beyond them, which grow() may bring.
  void start(std::span<const Candidate> candidates, bool may_grow);

  /// There may be nodes that nobody has named yet.
  [[nodiscard]] bool may_grow() const { return growth_ != Growth::kComplete; }
  /// The round has wished for them, and they have not come yet.
  [[nodiscard]] bool awaited() const { return growth_ == Growth::kAwaited; }
  /// The round wishes for them. True when that has to be said: once, and only while may_grow().
  [[nodiscard]] bool await();
  /// Takes them: distinct nodes that are no candidates yet; what goes beyond kCandidatesMax in all
  /// is left out. False, with nothing done, unless awaited(): somebody else's answer. The list is
  /// complete from then on.
  [[nodiscard]] bool grow(std::span<const Candidate> more);

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool contains(ReplicaIndex i) const { return i < size_; }
  /// `i` is one of a wish or of index_of(): contains(i).
  [[nodiscard]] const Candidate& operator[](ReplicaIndex i) const { return list_[i]; }
  [[nodiscard]] std::span<const Candidate> view() const { return {list_.data(), size_}; }
  /// kNoReplica: `node` is no candidate.
  [[nodiscard]] ReplicaIndex index_of(NodeId node) const {
    for (std::uint8_t i = 0; i < size_; ++i) {
      if (list_[i].node == node) return i;
    }
    return kNoReplica;
  }

  [[nodiscard]] ReplicaSet all() const { return all_; }
  [[nodiscard]] ReplicaSet owners() const { return owners_; }
  /// Believed healthy when they were named.
  [[nodiscard]] ReplicaSet usable() const { return usable_; }
  /// Of no use if asked, as far as this round has heard.
  [[nodiscard]] ReplicaSet away() const { return away_; }
  /// The first of `from` in preference order, usable ones before all others (paper 4.5: the first N
  /// healthy); kNoReplica when it is empty.
  [[nodiscard]] ReplicaIndex next(ReplicaSet from) const {
    const ReplicaSet usable = from & usable_;
    return usable.empty() ? from.first() : usable.first();
  }

  /// What the round hears of one while it lasts.
  void falls_silent(ReplicaIndex i) { away_.add(i); }
  void is_heard(ReplicaIndex i) { away_.remove(i); }
  /// Whatever was believed of it, as of the coordinator itself.
  void is_here(ReplicaIndex i) {
    usable_.add(i);
    away_.remove(i);
  }

 private:
  enum class Growth : std::uint8_t { kComplete, kPossible, kAwaited };

  void take(const Candidate& candidate);

  std::uint8_t size_ = 0;
  Growth growth_ = Growth::kComplete;
  ReplicaSet all_, owners_, usable_, away_;
  std::array<Candidate, kCandidatesMax> list_;
};

}  // namespace stator

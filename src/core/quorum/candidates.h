#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/assert.h"
#include "base/error.h"
#include "base/ids.h"
#include "base/time.h"

// Who may take part in one read or write, and small sets of them. Pure values, no ownership.

namespace stator {

/// The longest list of candidates that a round looks at: N (at most 7) owners and their stand-ins.
inline constexpr std::size_t kCandidatesMax = 16;

/// Position in the list of candidates; the name of a replica within one round.
using ReplicaIndex = std::uint8_t;
inline constexpr ReplicaIndex kNoReplica = 0xFF;

/// One node of the preference list (paper 4.3). A list names every node at most once, so that what
/// is counted is always distinct nodes (D9).
struct Candidate {
  NodeId node{};
  bool owner = true;      // one of the first N; false: a stand-in, which counts as a fallback
  bool usable = true;     // what local health believes now: a hint for the order, never a verdict
  std::uint8_t zone = 0;  // any small number that is the same for nodes of one zone
  Duration patience{};    // a later answer to a read is overdue; 0: the round's `hedge_after`
  /// Not usable, and of no use if asked: it does not answer, or refuses such work. Health is an
  /// opinion: where nobody else is left, it is asked all the same.
  bool away = false;
};

/// A set of replicas of one round.
class ReplicaSet {
 public:
  constexpr ReplicaSet() = default;
  constexpr explicit ReplicaSet(std::uint16_t bits) : bits_(bits) {}

  [[nodiscard]] constexpr bool contains(ReplicaIndex i) const { return ((bits_ >> i) & 1U) != 0; }
  constexpr void add(ReplicaIndex i) {
    STATOR_ASSERT(i < kCandidatesMax);
    bits_ = static_cast<std::uint16_t>(bits_ | (1U << i));
  }
  constexpr void remove(ReplicaIndex i) { bits_ = static_cast<std::uint16_t>(bits_ & ~(1U << i)); }
  constexpr void clear() { bits_ = 0; }
  [[nodiscard]] constexpr std::uint8_t size() const {
    return static_cast<std::uint8_t>(std::popcount(bits_));
  }
  [[nodiscard]] constexpr bool empty() const { return bits_ == 0; }
  /// The lowest index; kNoReplica when empty.
  [[nodiscard]] constexpr ReplicaIndex first() const {
    return empty() ? kNoReplica : static_cast<ReplicaIndex>(std::countr_zero(bits_));
  }
  /// The highest index; kNoReplica when empty.
  [[nodiscard]] constexpr ReplicaIndex last() const {
    return empty() ? kNoReplica : static_cast<ReplicaIndex>(std::bit_width(bits_) - 1);
  }
  [[nodiscard]] constexpr std::uint16_t bits() const { return bits_; }

  constexpr ReplicaSet operator|(ReplicaSet o) const {
    return ReplicaSet(static_cast<std::uint16_t>(bits_ | o.bits_));
  }
  constexpr ReplicaSet operator&(ReplicaSet o) const {
    return ReplicaSet(static_cast<std::uint16_t>(bits_ & o.bits_));
  }
  /// Without the members of `o`.
  constexpr ReplicaSet operator-(ReplicaSet o) const {
    return ReplicaSet(static_cast<std::uint16_t>(bits_ & ~o.bits_));
  }
  constexpr bool operator==(const ReplicaSet&) const = default;

  /// `for (ReplicaIndex i : set)` goes through the members in preference order.
  class Iterator {
   public:
    constexpr explicit Iterator(std::uint16_t rest) : rest_(rest) {}
    constexpr ReplicaIndex operator*() const {
      return static_cast<ReplicaIndex>(std::countr_zero(rest_));
    }
    constexpr Iterator& operator++() {
      rest_ = static_cast<std::uint16_t>(rest_ & (rest_ - 1));
      return *this;
    }
    constexpr bool operator==(const Iterator&) const = default;

   private:
    std::uint16_t rest_;
  };
  [[nodiscard]] constexpr Iterator begin() const { return Iterator(bits_); }
  [[nodiscard]] constexpr Iterator end() const { return Iterator(0); }

 private:
  std::uint16_t bits_ = 0;
};

/// What stands behind an answer (D9): `Stator-Quorum: primaries=2 fallbacks=0 nodes=2 zones=1`.
struct QuorumEvidence {
  std::uint8_t primaries = 0;  // owners counted
  std::uint8_t fallbacks = 0;  // stand-ins counted
  std::uint8_t nodes = 0;      // distinct nodes: the sum of both
  std::uint8_t zones = 0;      // distinct zones among them
  bool operator==(const QuorumEvidence&) const = default;
};

/// What `counted` amounts to.
[[nodiscard]] QuorumEvidence evidence_of(ReplicaSet counted, std::span<const Candidate> candidates);

/// What to tell the client when too many of those asked have failed with `codes` (by index).
/// kHistoryMismatch if anybody said it, since a retry with the newer history cures it; a code that
/// all share and that says what is wrong with the nodes; else kTooFewNodes.
[[nodiscard]] ErrorCode failure_of(ReplicaSet failed, std::span<const ErrorCode> codes);

/// Distinct nodes, 1 to kCandidatesMax of them: what a round takes for granted.
[[nodiscard]] bool well_formed(std::span<const Candidate> candidates);

}  // namespace stator

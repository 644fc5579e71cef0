#pragma once

#include <cstdint>
#include <span>

#include "core/ring/placement.h"

// The claim: who holds which place of which partition (design 4.3; paper 6.2 strategy 3, whose
// random dealing it replaces because order alone loses 1 to 14 % of the capacity, see
// docs/paper/6.2-load-distribution.md).
//
// What every table satisfies:
//   1. the holders of a partition are min(N, members) distinct nodes (D25);
//   2. they lie in as many zones as there are, and as evenly over them as the zones' sizes allow;
//   3. every node holds the floor or the ceiling of its share of the Q x N places. The share is
//      proportional to weight, bounded by rules 1 and 2 (a zone of one small node that must hold a
//      copy of everything does so);
//   4. few places change hands when a previous table is given: the places of members that left,
//      those that rules 1 to 3 take from a node, and seldom one more per place where a direct move
//      is impossible.
//
// Pure and deterministic, integers only: every node and client that knows the same members and the
// same previous table computes the same table, whatever the order of the members.

namespace stator {

inline constexpr std::uint32_t kMaxReplicas = 7;
inline constexpr std::size_t kMaxMembers = 1000;
inline constexpr std::uint32_t kMaxClaimPartitions = 65536;

/// `q` from 1 to 65536 (a Ring wants a power of two up to 16384), 1 <= n <= 7, 1 to 1000 members
/// with distinct ids that are not 0. `previous`, when given, has the same `q`; its `width` may
/// differ and it may name nodes that are no members any more. All of these are asserted.
[[nodiscard]] PlacementTable claim(std::uint32_t q, std::uint32_t n,
                                   std::span<const RingMember> members,
                                   const PlacementTable* previous = nullptr);

}  // namespace stator

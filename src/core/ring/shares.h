#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/ids.h"
#include "core/ring/placement.h"

// First half of the claim: how many places each node gets. Private to core/ring; claim.h is the
// contract.

namespace stator {

/// The members as the claim computes with them: numbered in order of id, zones in order of name.
struct ClaimProblem {
  std::uint32_t partitions = 0;
  std::uint32_t width = 0;                // nodes per partition
  std::vector<NodeId> ids;                // ascending
  std::vector<std::uint32_t> weights;     // thousandths, at least 1
  std::vector<std::uint16_t> zones;       // per node
  std::vector<std::uint32_t> zone_least;  // per zone: nodes that every partition must have in it
  std::vector<std::uint32_t> zone_most;   // per zone: nodes that a partition may have in it

  [[nodiscard]] std::size_t nodes() const { return ids.size(); }
};

[[nodiscard]] ClaimProblem make_claim_problem(std::uint32_t q, std::uint32_t n,
                                              std::span<const RingMember> members);

/// Places per node: floor or ceiling of the node's fair share, summing to partitions x width and
/// within the zones' bounds. Among the roundings, the one that takes least from what nodes hold now
/// (`held`, per node). A table with exactly these numbers exists (see shares.cc).
[[nodiscard]] std::vector<std::uint32_t> place_targets(const ClaimProblem& problem,
                                                       std::span<const std::uint32_t> held);

}  // namespace stator

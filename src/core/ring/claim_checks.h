#pragma once

#include <string>
#include <vector>

#include "base/random.h"
#include "core/ring/placement.h"

// What tests of the claim ask of every table. Written from the rules in claim.h with naive code of
// its own; shares nothing with the claim.

namespace stator::testing {

/// Empty, or the first broken rule: distinct holders, zones covered and evenly, places summing up,
/// every node at the floor or the ceiling of its fair share.
[[nodiscard]] std::string broken_rule(const PlacementTable& table, std::uint32_t q, std::uint32_t n,
                                      const std::vector<RingMember>& members);

/// Places (partition, node) of `after` that `before` does not have: data that must be copied.
[[nodiscard]] std::size_t copies_made(const PlacementTable& before, const PlacementTable& after);
/// No table with the loads of `after` can do with fewer copies.
[[nodiscard]] std::size_t copies_needed(const PlacementTable& before, const PlacementTable& after);

/// `count` members; zones are "z0".. with `zones` of them (0: none named), weights from 0.25 to 4
/// where `weighted`.
[[nodiscard]] std::vector<RingMember> random_members(SplitMix64& random, std::size_t count,
                                                     std::size_t zones, bool weighted);
/// The same from a seed, all of one weight.
[[nodiscard]] std::vector<RingMember> cluster(std::size_t count, std::size_t zones = 0,
                                              std::uint64_t seed = 1);

}  // namespace stator::testing

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "env_sim/random.h"

namespace stator::sim {

/// The forms in which a network falls apart.
enum class PartitionShape : std::uint8_t {
  kHalves,        // two groups of any size that do not hear each other
  kIsolateOne,    // one against all others
  kOneWay,        // one is heard by nobody, but hears all
  kDeaf,          // one hears nobody, but is heard
  kMajorityRing,  // each hears only its nearest neighbours in a circle: majorities that overlap
  kBridge,        // two groups that do not hear each other, and one that both hear
  kOnePath,       // a single direction between two hosts
  kRandomPaths,   // any directions, each by chance
};
inline constexpr int kPartitionShapes = 8;
[[nodiscard]] const char* to_string(PartitionShape shape);

/// A partition as data: the directed pairs (from, to) that are cut, in order and without repeats.
using Cuts = std::vector<std::pair<std::uint32_t, std::uint32_t>>;

/// Draws one such partition of `hosts` (at least two); which host plays which part is random too.
[[nodiscard]] Cuts draw_partition(PartitionShape shape, std::span<const std::uint32_t> hosts,
                                  Random& random);

}  // namespace stator::sim

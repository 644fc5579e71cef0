#pragma once

#include <cstdint>
#include <vector>

#include "core/ring/placement.h"

namespace stator {

/// Which place of each partition comes first in the order of preference: chosen so that every node
/// is first in the floor or the ceiling of 1/width of the partitions that it holds (coordinators do
/// more work than replicas, and the first owner is the default coordinator). Stays with place 0
/// where it can. Such a choice always exists: a flow that gives 1/width of every row to each of its
/// nodes meets all bounds, so a whole one does too. Pure. Private to core/ring.
[[nodiscard]] std::vector<std::uint8_t> first_owners(const PlacementTable& table);

}  // namespace stator

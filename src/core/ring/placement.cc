#include "core/ring/placement.h"

#include <algorithm>

#include "base/assert.h"

namespace stator {

std::vector<Handover> handovers(const PlacementTable& before, const PlacementTable& after) {
  STATOR_ASSERT(before.partitions == after.partitions);
  std::vector<Handover> all;
  const std::uint32_t width = std::max(before.width, after.width);
  for (std::uint32_t p = 0; p < after.partitions; ++p) {
    const auto old_row = before.row({p});
    const auto new_row = after.row({p});
    for (std::uint32_t place = 0; place < width; ++place) {
      const NodeId from = place < before.width ? old_row[place] : NodeId{};
      const NodeId to = place < after.width ? new_row[place] : NodeId{};
      if (from != to) all.push_back({{p}, place, from, to});
    }
  }
  return all;
}

}  // namespace stator

#include "env_sim/partition.h"

#include <algorithm>

#include "base/assert.h"

namespace stator::sim {
namespace {

using Hosts = std::vector<std::uint32_t>;

void cut_both(Cuts& cuts, std::uint32_t a, std::uint32_t b) {
  cuts.emplace_back(a, b);
  cuts.emplace_back(b, a);
}

Hosts shuffled(std::span<const std::uint32_t> hosts, Random& random) {
  Hosts order(hosts.begin(), hosts.end());
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  return order;
}

// Separates the first `left` of `order` from the rest, which begins at `right`.
void cut_groups(Cuts& cuts, const Hosts& order, std::size_t left, std::size_t right) {
  for (std::size_t i = 0; i < left; ++i) {
    for (std::size_t j = right; j < order.size(); ++j) cut_both(cuts, order[i], order[j]);
  }
}

void cut_ring(Cuts& cuts, const Hosts& order) {
  const std::size_t n = order.size();
  const std::size_t reach = std::max<std::size_t>(1, (n / 2 + 1) / 2);  // a majority
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = i + 1; j < n; ++j) {
      const std::size_t apart = std::min(j - i, n - (j - i));
      if (apart > reach) cut_both(cuts, order[i], order[j]);
    }
  }
}

}  // namespace

const char* to_string(PartitionShape shape) {
  switch (shape) {
    case PartitionShape::kHalves: return "halves";
    case PartitionShape::kIsolateOne: return "isolate-one";
    case PartitionShape::kOneWay: return "one-way";
    case PartitionShape::kDeaf: return "deaf";
    case PartitionShape::kMajorityRing: return "majority-ring";
    case PartitionShape::kBridge: return "bridge";
    case PartitionShape::kOnePath: return "one-path";
    case PartitionShape::kRandomPaths: return "random-paths";
  }
  return "unknown";
}

Cuts draw_partition(PartitionShape shape, std::span<const std::uint32_t> hosts, Random& random) {
  STATOR_ASSERT(hosts.size() >= 2);
  const Hosts order = shuffled(hosts, random);
  const std::size_t n = order.size();
  Cuts cuts;
  switch (shape) {
    case PartitionShape::kHalves: {
      const std::size_t left = 1 + random.below(n - 1);
      cut_groups(cuts, order, left, left);
      break;
    }
    case PartitionShape::kIsolateOne: cut_groups(cuts, order, 1, 1); break;
    case PartitionShape::kOneWay:
      for (std::size_t i = 1; i < n; ++i) cuts.emplace_back(order[0], order[i]);
      break;
    case PartitionShape::kDeaf:
      for (std::size_t i = 1; i < n; ++i) cuts.emplace_back(order[i], order[0]);
      break;
    case PartitionShape::kMajorityRing: cut_ring(cuts, order); break;
    case PartitionShape::kBridge: {
      const std::size_t left = (n - 1) / 2;
      cut_groups(cuts, order, left, left + 1);
      break;
    }
    case PartitionShape::kOnePath: cuts.emplace_back(order[0], order[1]); break;
    case PartitionShape::kRandomPaths: {
      const double share = random.fraction();
      for (const std::uint32_t from : order) {
        for (const std::uint32_t to : order) {
          if (from != to && random.chance(share)) cuts.emplace_back(from, to);
        }
      }
      break;
    }
  }
  std::sort(cuts.begin(), cuts.end());
  return cuts;
}

}  // namespace stator::sim

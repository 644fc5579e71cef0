#include "sim/healed_core.h"

#include <algorithm>
#include <utility>

namespace stator::sim {
namespace {

constexpr double kShare = 0.25;  // of runs

}  // namespace

std::size_t least_core(std::size_t nodes, const Founding& founding, FaultSet faults) {
  const std::size_t quorum = std::max(founding.r, founding.w);
  const std::size_t spare = has(faults, FaultFamily::kLimits) ? 1 : 0;
  return std::max(nodes / 2 + 1, quorum + spare);
}

std::vector<std::uint32_t> draw_core(std::span<const std::uint32_t> nodes, const Founding& founding,
                                     FaultSet faults, std::optional<std::uint32_t> asked,
                                     Random random) {
  const bool drawn = random.chance(kShare) && keeps_away(faults) && !loses_disk(faults);
  const std::size_t least = least_core(nodes.size(), founding, faults);
  std::size_t size = 0;
  if (asked) {
    size = *asked;
  } else if (drawn && least < nodes.size()) {
    size = least + random.below(nodes.size() - least);
  }
  if (size >= nodes.size()) return {};
  std::vector<std::uint32_t> core(nodes.begin(), nodes.end());
  for (std::size_t i = 0; i < size; ++i) {
    std::swap(core[i], core[i + random.below(core.size() - i)]);
  }
  core.resize(size);
  std::ranges::sort(core);
  return core;
}

}  // namespace stator::sim

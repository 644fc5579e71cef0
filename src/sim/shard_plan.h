#pragma once

#include <cstdint>
#include <vector>

#include "env_sim/random.h"

namespace stator::sim {

/// How many shards each node runs with. In half of the runs all have one; else each has one to
/// three, and some come back with another number after a restart, since what is on disk does not
/// depend on it.
class ShardPlan {
 public:
  /// `fixed` > 0: that many, always.
  ShardPlan(std::uint32_t nodes, std::uint32_t fixed, Random random);

  /// For the next start of a node.
  [[nodiscard]] std::uint32_t draw(std::uint32_t node);
  /// By node, of the latest start.
  [[nodiscard]] const std::vector<std::uint32_t>& shards() const { return shards_; }

 private:
  Random random_;
  bool several_;
  std::uint32_t fixed_;
  std::vector<std::uint32_t> shards_;  // 0: not started yet
};

}  // namespace stator::sim

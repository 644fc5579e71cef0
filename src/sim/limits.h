#pragma once

#include <cstdint>
#include <vector>

#include "node/options.h"
#include "sim/faults.h"

namespace stator::sim {

/// Settings as an operator might choose them, and some that nobody would: tables of few operations,
/// hedges at once or late, short and long patience with peers, few siblings, copies that are not
/// synced before they count, little background work, few extra hints, and water marks of the disk.
/// Which settings are touched is the run's menu; their values are a node's, and some nodes come
/// back with others after a restart. Whatever they are, each promise holds, and a whole cluster
/// answers within 5 s.
class LimitPlan {
 public:
  /// `keeps_files`: no fault of the run takes anything from a disk, synced or not.
  LimitPlan(std::uint32_t nodes, const FaultMenu& menu, Random random, bool keeps_files)
      : menu_(menu), random_(random), keeps_files_(keeps_files), draws_(nodes, 0) {}

  /// For the next start of a node.
  void draw(std::uint32_t node, node::NodeOptions& options);

 private:
  FaultMenu menu_;
  Random random_;
  bool keeps_files_;
  std::vector<std::uint64_t> draws_;  // by node: how often its values were drawn
};

}  // namespace stator::sim

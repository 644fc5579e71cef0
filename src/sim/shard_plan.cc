#include "sim/shard_plan.h"

namespace stator::sim {
namespace {

constexpr double kSeveralShards = 0.5;  // of runs
constexpr double kOtherShards = 0.3;    // of restarts in those
constexpr std::uint32_t kShardsMax = 3;

}  // namespace

ShardPlan::ShardPlan(std::uint32_t nodes, std::uint32_t fixed, Random random)
    : random_(random), several_(random_.chance(kSeveralShards)), fixed_(fixed), shards_(nodes, 0) {}

std::uint32_t ShardPlan::draw(std::uint32_t node) {
  std::uint32_t& shards = shards_.at(node);
  if (fixed_ > 0) return shards = fixed_;
  if (!several_) return shards = 1;
  if (shards == 0 || random_.chance(kOtherShards)) {
    shards = 1 + static_cast<std::uint32_t>(random_.below(kShardsMax));
  }
  return shards;
}

}  // namespace stator::sim

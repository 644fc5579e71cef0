#include "sim/shard_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace stator::sim {
namespace {

TEST(ShardPlan, GivesNodesSeveralShardsInHalfOfTheRuns) {
  int several = 0;
  int changed = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    ShardPlan plan(5, 0, Random(seed));
    for (std::uint32_t node = 0; node < 5; ++node) static_cast<void>(plan.draw(node));
    const std::vector<std::uint32_t> first = plan.shards();
    if (std::ranges::max(first) == 1) continue;
    ++several;
    for (int i = 0; i < 10; ++i) static_cast<void>(plan.draw(0));
    if (plan.shards() != first) ++changed;
  }
  EXPECT_GT(several, 30);
  EXPECT_LT(several, 70);
  EXPECT_GT(changed, several / 2 - 10);
}

}  // namespace
}  // namespace stator::sim

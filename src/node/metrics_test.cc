#include "node/metrics.h"

#include <gtest/gtest.h>

namespace stator::node {
namespace {

TEST(Metrics, OfAllShardsAreSumsButForTheLongestTurn) {
  Metrics sum;
  for (const std::uint64_t us : {400U, 9'000U, 700U}) {
    Metrics shard;
    shard.turns_total = 10;
    shard.turns_us_total = 20'000;
    shard.turn_us_longest = us;
    sum.add(shard);
  }
  EXPECT_EQ(sum.turns_total, 30U);
  EXPECT_EQ(sum.turns_us_total, 60'000U);
  EXPECT_EQ(sum.turn_us_longest, 9'000U);
}

}  // namespace
}  // namespace stator::node

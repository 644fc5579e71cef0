#include "core/ring/strategies.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>

namespace stator::strategies {
namespace {

TEST(TokenRing, GivesAKeyOnATokenToThatToken) {
  const TokenRing ring({{10, 0}, {20, 1}, {30, 2}});
  EXPECT_EQ(ring.preference_list(10, 3), (std::vector<Host>{0, 1, 2}));
  EXPECT_EQ(ring.preference_list(11, 3), (std::vector<Host>{1, 2, 0}));
  EXPECT_EQ(ring.preference_list(31, 3), (std::vector<Host>{0, 1, 2})) << "over the end";
}

TEST(TokenRing, SkipsPositionsOfHostsThatItHasMet) {
  const TokenRing ring({{10, 0}, {20, 0}, {30, 1}, {40, 0}, {50, 2}});
  EXPECT_EQ(ring.preference_list(5, 3), (std::vector<Host>{0, 1, 2}));
  EXPECT_EQ(ring.preference_list(5, 9), (std::vector<Host>{0, 1, 2})) << "no more than exist";
}

TEST(TokenRing, GivesAHostAllOfTheRingThatItsTokensOwn) {
  EXPECT_EQ(TokenRing({{7, 0}}).loads(3), std::vector<double>{1.0});
  const TokenRing halves({{1ULL << 63, 0}, {0, 1}});
  EXPECT_EQ(halves.loads(1), (std::vector<double>{0.5, 0.5}));
  EXPECT_EQ(halves.loads(2), (std::vector<double>{1.0, 1.0}));
}

TEST(TokenRing, HasLoadsThatAreTheLengthsOfTheCoveredRanges) {
  SplitMix64 random(1);
  const TokenRing ring = strategy1(random, 6, 9);
  const auto loads = ring.loads(3);
  EXPECT_NEAR(std::accumulate(loads.begin(), loads.end(), 0.0), 3.0, 1e-9);
  for (Host host = 0; host < 6; ++host) {
    double covered = 0;
    for (const KeyRange range : ring.coverage(host, 3)) {
      covered += static_cast<double>(range.to - range.from) * 0x1.0p-64;
    }
    EXPECT_NEAR(loads[host], covered, 1e-9);
  }
}

TEST(PartitionedRing, TilesTheRing) {
  SplitMix64 random(2);
  for (const std::uint32_t q : {1U, 3U, 60U, 1024U, 30720U}) {
    const PartitionedRing ring(TokenRing({{5, 0}}), q);
    EXPECT_EQ(ring.partition_of(0), 0U);
    EXPECT_EQ(ring.partition_of(~0ULL), q - 1);
    EXPECT_EQ(ring.end_of(q - 1), ~0ULL);
    for (std::uint32_t p = 0; p + 1 < q; p += 1 + q / 50) {
      EXPECT_EQ(ring.partition_of(ring.end_of(p)), p);
      EXPECT_EQ(ring.partition_of(ring.end_of(p) + 1), p + 1);
    }
  }
}

TEST(Strategy2, StartsAtTheEndOfThePartition) {
  // Two partitions. The first token lies inside the first one: a walk from the key would meet it.
  const PartitionedRing ring(TokenRing({{100, 0}, {1ULL << 63, 1}, {(1ULL << 63) + 5, 2}}), 2);
  EXPECT_EQ(ring.tokens().preference_list(50, 2), (std::vector<Host>{0, 1}));
  EXPECT_EQ(ring.preference_list(50, 2), (std::vector<Host>{1, 2}));
}

TEST(Strategy3, DealsTheSameNumberOfPartitionsToEveryHost) {
  SplitMix64 random(3);
  const PartitionedRing ring = strategy3(random, 30, 960);
  const auto firsts = ring.loads(1);
  for (const double load : firsts) EXPECT_NEAR(load, 32.0 / 960, 1e-12);
  std::set<std::vector<Host>> lists;
  for (std::uint32_t p = 0; p < 960; ++p) {
    const auto list = ring.preference_list(ring.end_of(p), 3);
    EXPECT_EQ(std::set<Host>(list.begin(), list.end()).size(), 3U);
    EXPECT_EQ(list.front(), ring.tokens().tokens()[p].host);
    lists.insert(list);
  }
  EXPECT_GT(lists.size(), 500U) << "dealt at random";
}

TEST(Efficiency, IsMeanOverMaximum) {
  EXPECT_DOUBLE_EQ(efficiency(std::vector<double>{1, 1, 1}), 1.0);
  EXPECT_DOUBLE_EQ(efficiency(std::vector<double>{1, 2, 3}), 2.0 / 3);
}

}  // namespace
}  // namespace stator::strategies

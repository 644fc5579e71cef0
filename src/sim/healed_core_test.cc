#include "sim/healed_core.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>

namespace stator::sim {
namespace {

Founding founding_of(std::uint8_t quorum) {
  Founding founding;
  founding.n = 3;
  founding.r = founding.w = quorum;
  return founding;
}

std::vector<std::uint32_t> nodes_of(std::size_t count) {
  std::vector<std::uint32_t> nodes(count);
  std::iota(nodes.begin(), nodes.end(), 0U);
  return nodes;
}

std::vector<std::uint32_t> draw(std::uint64_t seed, std::size_t nodes, const char* faults,
                                std::optional<std::uint32_t> asked = std::nullopt) {
  return draw_core(nodes_of(nodes), founding_of(2), *parse_faults(faults), asked, Random(seed));
}

TEST(HealedCore, IsAMajorityThatReachesItsQuorums) {
  const FaultSet cuts = *parse_faults("cuts");
  const FaultSet limits = *parse_faults("cuts,limits");
  EXPECT_EQ(least_core(3, founding_of(2), cuts), 2U);
  EXPECT_EQ(least_core(4, founding_of(2), cuts), 3U);
  EXPECT_EQ(least_core(5, founding_of(2), cuts), 3U);
  EXPECT_EQ(least_core(9, founding_of(2), cuts), 5U);
  EXPECT_EQ(least_core(3, founding_of(3), cuts), 3U);
  EXPECT_EQ(least_core(3, founding_of(2), limits), 3U) << "none is left out";
  EXPECT_EQ(least_core(5, founding_of(2), limits), 3U);
}

TEST(HealedCore, AQuarterOfTheRunsHasOneOfAnySizeAndAnyNodes) {
  int runs = 0;
  std::set<std::size_t> sizes;
  std::set<std::uint32_t> members;
  for (std::uint64_t seed = 0; seed < 1'000; ++seed) {
    const std::vector<std::uint32_t> core = draw(seed, 9, "all");
    EXPECT_EQ(core, draw(seed, 9, "all"));
    if (core.empty()) continue;
    ++runs;
    sizes.insert(core.size());
    members.insert(core.begin(), core.end());
    EXPECT_TRUE(std::ranges::is_sorted(core));
    EXPECT_EQ(std::set<std::uint32_t>(core.begin(), core.end()).size(), core.size());
  }
  EXPECT_NEAR(runs, 250, 60);
  EXPECT_EQ(sizes, (std::set<std::size_t>{5, 6, 7, 8}));
  EXPECT_EQ(members.size(), 9U);
}

TEST(HealedCore, IsHealedFirstOnlyWhereOthersMayBeAwayAndNoDiskIsLost) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    for (const char* faults : {"none", "messages,pause,limits", "cuts,wipe", "kill,rot"}) {
      EXPECT_TRUE(draw(seed, 5, faults).empty()) << faults;
    }
    for (const std::size_t nodes : {1U, 2U}) EXPECT_TRUE(draw(seed, nodes, "all").empty());
  }
}

TEST(HealedCore, IsAsLargeAsItIsAskedToBe) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    EXPECT_EQ(draw(seed, 5, "none", 1U).size(), 1U);
    EXPECT_EQ(draw(seed, 5, "all", 4U).size(), 4U);
    EXPECT_TRUE(draw(seed, 5, "all", 0U).empty());
    EXPECT_TRUE(draw(seed, 5, "all", 5U).empty()) << "all at once";
  }
}

}  // namespace
}  // namespace stator::sim

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <vector>

#include "base/random.h"
#include "core/ring/claim.h"
#include "core/ring/position.h"
#include "core/ring/ring.h"
#include "core/ring/strategies.h"

// Section 4.2, partitioning: the basic ring of single tokens, what is wrong with it, and what
// virtual nodes gain. The last tests show the same gains in the product's own placement.

namespace stator {
namespace {

using strategies::Host;
using strategies::strategy1;
using strategies::Token;
using strategies::TokenRing;

constexpr std::uint64_t kStep = 1ULL << 60;

TokenRing ring_without(const TokenRing& ring, Host gone) {
  std::vector<Token> tokens(ring.tokens().begin(), ring.tokens().end());
  std::erase_if(tokens, [&](const Token& token) { return token.host == gone; });
  return TokenRing(tokens);
}

TEST(Section42, AKeyGoesToTheFirstNodeClockwise) {
  const TokenRing ring({{2 * kStep, 0}, {5 * kStep, 1}, {9 * kStep, 2}});
  EXPECT_EQ(ring.preference_list(3 * kStep, 1), std::vector<Host>{1});
  EXPECT_EQ(ring.preference_list(6 * kStep, 1), std::vector<Host>{2});
  EXPECT_EQ(ring.preference_list(10 * kStep, 1), std::vector<Host>{0}) << "over the end";
}

TEST(Section42, ANodeOwnsTheRegionBetweenItsPredecessorAndItself) {
  const TokenRing ring({{2 * kStep, 0}, {5 * kStep, 1}, {9 * kStep, 2}});
  EXPECT_EQ(ring.coverage(1, 1), (std::vector<strategies::KeyRange>{{2 * kStep, 5 * kStep}}));
}

TEST(Section42, DepartureOfANodeOnlyAffectsItsImmediateNeighbours) {
  SplitMix64 random(42);
  for (int round = 0; round < 50; ++round) {
    const TokenRing before = strategy1(random, 10, 1);
    const auto gone = static_cast<Host>(random.below(10));
    const TokenRing after = ring_without(before, gone);
    const std::uint64_t token = before.coverage(gone, 1).front().to;
    const Host successor = after.preference_list(token, 1).front();
    for (int i = 0; i < 100; ++i) {
      const std::uint64_t key = random.next();
      const Host was = before.preference_list(key, 1).front();
      const Host is = after.preference_list(key, 1).front();
      ASSERT_EQ(is, was == gone ? successor : was);
    }
  }
}

TEST(Section42, OneRandomPositionPerNodeLoadsNodesUnevenlyAndVirtualNodesCureIt) {
  SplitMix64 random(1);
  double single = 0;
  double virtual_nodes = 0;
  for (int i = 0; i < 100; ++i) {
    single += strategies::efficiency(strategy1(random, 10, 1).loads(1)) / 100;
    virtual_nodes += strategies::efficiency(strategy1(random, 10, 256).loads(1)) / 100;
  }
  std::printf("mean/max load of 10 nodes: one token %.2f, 256 tokens %.2f\n", single,
              virtual_nodes);
  EXPECT_LT(single, 0.5);
  EXPECT_GT(virtual_nodes, 0.88);
}

TEST(Section42, WithVirtualNodesTheLoadOfAFailedNodeSpreadsOverTheRemainingOnes) {
  SplitMix64 random(2);
  const TokenRing before = strategy1(random, 10, 512);
  const auto loads_before = before.loads(1);
  const auto loads_after = ring_without(before, 0).loads(1);
  const double fair = loads_before[0] / 9;
  for (Host host = 1; host < 10; ++host) {
    EXPECT_NEAR(loads_after[host] - loads_before[host], fair, fair * 0.5);
  }
}

TEST(Section42, TheNumberOfVirtualNodesFollowsTheCapacityOfANode) {
  SplitMix64 random(3);
  std::vector<Token> tokens;
  for (int i = 0; i < 30'000; ++i) tokens.push_back({random.next(), i < 20'000 ? 0U : 1U});
  const auto loads = TokenRing(tokens).loads(1);
  EXPECT_NEAR(loads[0] / loads[1], 2.0, 0.1);
}

std::vector<RingMember> members_of(std::size_t count) {
  std::vector<RingMember> members;
  for (std::size_t i = 1; i <= count; ++i) members.push_back({{i}, "n" + std::to_string(i), "", 1});
  return members;
}
/// Per node that stays: places gained from one table to the next.
std::map<NodeId, int> gains(const PlacementTable& before, const PlacementTable& after) {
  std::map<NodeId, int> gained;
  for (const Handover& handover : handovers(before, after)) {
    ++gained[handover.to];
    --gained[handover.from];
  }
  return gained;
}

TEST(Section42Stator, TheLoadOfALeaverIsDispersedEvenlyAcrossTheOthers) {
  const PlacementTable before = claim(1024, 3, members_of(11));
  const PlacementTable after = claim(1024, 3, members_of(10), &before);
  for (const auto& [node, gain] : gains(before, after)) {
    if (node == NodeId{11}) continue;
    EXPECT_NEAR(gain, 3072.0 / 11 / 10, 1.0) << node.value;
  }
}

TEST(Section42Stator, ANewcomerAcceptsAnEquivalentAmountFromEachOfTheOthers) {
  const PlacementTable before = claim(1024, 3, members_of(10));
  const PlacementTable after = claim(1024, 3, members_of(11), &before);
  for (const auto& [node, gain] : gains(before, after)) {
    if (node == NodeId{11}) continue;
    EXPECT_NEAR(-gain, 3072.0 / 10 / 11, 1.0) << node.value;
  }
}

TEST(Section42Stator, KeysSpreadUniformlyOverThePartitions) {
  constexpr std::uint32_t kPartitions = 64;
  constexpr int kKeys = 64'000;
  std::vector<int> count(kPartitions);
  for (int i = 0; i < kKeys; ++i) {
    const std::string key = "user:" + std::to_string(i) + ":cart";
    ++count[partition_of(position_of("default", key), kPartitions).value];
  }
  double chi_squared = 0;
  for (const int c : count) chi_squared += (c - 1000.0) * (c - 1000.0) / 1000.0;
  EXPECT_LT(chi_squared, 120) << "63 degrees of freedom";
}

}  // namespace
}  // namespace stator

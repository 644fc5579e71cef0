#include "core/ring/ring.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"
#include "core/ring/claim.h"
#include "core/ring/claim_checks.h"

namespace stator {
namespace {

using testing::cluster;
using testing::random_members;

TEST(Ring, ListsTheHoldersOfEachPartitionAsItsOwners) {
  const Ring ring(1024, 3, cluster(9));
  for (std::uint32_t p = 0; p < 1024; ++p) {
    const auto owners = ring.owners({p});
    const auto row = ring.table().row({p});
    ASSERT_TRUE(std::ranges::is_permutation(owners, row));
    for (const RingMember& member : ring.members()) {
      ASSERT_EQ(ring.owns(member.id, {p}), std::ranges::count(row, member.id) == 1);
    }
  }
}

TEST(Ring, MakesEveryNodeTheFirstOwnerOfItsPartEvenAfterManyChanges) {
  SplitMix64 random(5);
  for (int round = 0; round < 60; ++round) {
    const auto n = static_cast<std::uint32_t>(random.between(1, 5));
    auto members = random_members(random, random.between(1, 12), random.below(4), round % 2 == 0);
    PlacementTable table = claim(256, n, members);
    for (int change = 0; change < 5; ++change) {
      members.push_back(random_members(random, 1, 3, false).front());
      if (random.chance(0.5)) members.erase(members.begin());
      table = claim(256, n, members, &table);
      const Ring ring(n, members, table);
      for (const RingBalance::Node& node : ring.balance().nodes) {
        ASSERT_GE(node.firsts, node.places / table.width);
        ASSERT_LE(node.firsts, (node.places + table.width - 1) / table.width);
      }
    }
  }
}

TEST(Ring, DoesNotPutOneNodeFirstInManyPartitionsInARow) {
  for (const std::size_t count : {3U, 5U, 10U, 64U}) {
    const Ring ring(1024, 3, cluster(count));
    std::uint32_t run = 1;
    std::uint32_t longest = 1;
    for (std::uint32_t p = 1; p < 1024; ++p) {
      run = ring.owners({p}).front() == ring.owners({p - 1}).front() ? run + 1 : 1;
      longest = std::max(longest, run);
    }
    std::printf("%zu members: longest run of one first owner %u of 1024\n", count, longest);
    EXPECT_LE(longest, 8U) << count;
  }
}

TEST(Ring, IsTheSameWhateverTheOrderOfItsMembers) {
  auto members = cluster(17, 3);
  const Ring ring(512, 3, members);
  std::ranges::reverse(members);
  const Ring other(512, 3, members);
  EXPECT_EQ(ring, other);
  for (std::uint32_t p = 0; p < 512; ++p) {
    ASSERT_TRUE(std::ranges::equal(ring.owners({p}), other.owners({p})));
    ASSERT_EQ(ring.preference_list({p}), other.preference_list({p}));
  }
}

TEST(Ring, HasAnotherDigestWhenAnythingThatMattersDiffers) {
  const auto members = cluster(6, 2);
  const Ring ring(64, 3, members);
  auto other_zone = members;
  other_zone[0].zone = "elsewhere";
  auto other_weight = members;
  other_weight[0].weight = 1.5;
  auto fewer = members;
  fewer.pop_back();
  PlacementTable swapped = ring.table();
  std::swap(swapped.places[0], swapped.places[1]);
  EXPECT_NE(ring, Ring(128, 3, members));
  EXPECT_NE(ring, Ring(64, 2, members));
  EXPECT_NE(ring, Ring(64, 3, other_zone));
  EXPECT_NE(ring, Ring(64, 3, other_weight));
  EXPECT_NE(ring, Ring(64, 3, fewer));
  EXPECT_NE(ring, Ring(3, members, swapped));
  EXPECT_EQ(ring, Ring(3, members, ring.table()));
}

TEST(Ring, FindsMembersById) {
  const auto members = cluster(5);
  const Ring ring(16, 3, members);
  for (const RingMember& member : members) {
    ASSERT_NE(ring.find(member.id), nullptr);
    EXPECT_EQ(*ring.find(member.id), member);
  }
  EXPECT_EQ(ring.find({2}), nullptr);  // ids of this cluster are odd
}

TEST(Ring, ReportsItsBalance) {
  const RingBalance balance = Ring(1024, 3, cluster(30)).balance();
  EXPECT_NEAR(balance.efficiency, 102.4 / 103, 1e-9);
  EXPECT_NEAR(balance.min_share, 102 / 102.4, 1e-9);
  EXPECT_NEAR(balance.max_share, 103 / 102.4, 1e-9);
  EXPECT_NEAR(balance.first_efficiency, 1024.0 / 30 / 35, 1e-9);
}

TEST(RingDeathTest, RefusesARowThatNamesANodeTwice) {
  PlacementTable table = claim(16, 2, cluster(3));
  table.places[1] = table.places[0];
  EXPECT_DEATH(Ring(2, cluster(3), table), "distinct");
}

}  // namespace
}  // namespace stator

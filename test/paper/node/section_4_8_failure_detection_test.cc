// Paper 4.8.3: a node considers another one failed when that one does not answer it; this local
// notion is enough (V14). The path between A and B is cut, those to C stay.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>

#include "env/network.h"
#include "support.h"

namespace stator::test {
namespace {

bool thinks_well(Cluster& cluster, unsigned of, unsigned who) {
  const std::string name = "n" + std::to_string(of + 1);
  for (const auto& member : cluster.store(who).cluster().members) {
    if (member.name == name) return member.healthy && !member.slow;
  }
  return false;
}

// The paper's period of probes, the way there and back, and what a peer that comes back meanwhile
// may wait until it is looked at. A connection that has outlived the cut is pinged at least twice
// as often; one that has not is dialled again after at most so long.
constexpr Duration kLook = milliseconds(125);
constexpr Duration kProbePeriod = env::FrameLink::kDialDoubtful + kLook;

// How long it takes both until each gives the other work again.
Duration until_both_know(Cluster& cluster) {
  const MonoTime mended = cluster.world().now();
  EXPECT_TRUE(cluster.run_until(
      [&] { return thinks_well(cluster, 1, 0) && thinks_well(cluster, 0, 1); }, seconds(10)));
  return cluster.world().now() - mended;
}

TEST(FailureDetection, OnlyThoseWhoCannotHearEachOtherAvoidEachOther) {
  Cluster cluster(60, 3);
  cluster.run(seconds(2));
  const MonoTime cut_at = cluster.world().now();
  cluster.set_cut(0, 1, true);
  ASSERT_TRUE(cluster.run_until(
      [&] { return !thinks_well(cluster, 1, 0) && !thinks_well(cluster, 0, 1); }, seconds(5)));
  EXPECT_LE(cluster.world().now() - cut_at, milliseconds(1500)) << "without a single request";
  for (int i = 0; i < 20; ++i) {
    cluster.run(milliseconds(250));
    EXPECT_FALSE(thinks_well(cluster, 1, 0));
    EXPECT_FALSE(thinks_well(cluster, 0, 1));
    for (const unsigned other : {0U, 1U}) {
      EXPECT_TRUE(thinks_well(cluster, 2, other));
      EXPECT_TRUE(thinks_well(cluster, other, 2));
    }
    // Nobody needs to agree with anybody: each side of the cut finds its quorum.
    const std::string key = "k" + std::to_string(i);
    EXPECT_EQ(cluster.write(0, key, "v").outcome, Outcome::kOk);
    EXPECT_TRUE(cluster.read(1, key).ok);
  }
  cluster.set_cut(0, 1, false);
  // By now each has found the other silent twice, so that it answers for a second before it is
  // trusted.
  EXPECT_LE(until_both_know(cluster), kProbePeriod + kLook) << "without a single request";
}

TEST(FailureDetection, ThatThePathIsMendedIsNoticedWithinOneProbePeriod) {
  Duration longest{};
  for (unsigned i = 0; i < 40; ++i) {
    Cluster cluster(600 + i, 3);
    cluster.run(seconds(2));
    cluster.set_cut(0, 1, true);
    // Also while connections are being given up, and long after.
    cluster.run(seconds(1) + milliseconds(370) * i);
    cluster.set_cut(0, 1, false);
    longest = std::max(longest, until_both_know(cluster));
  }
  std::printf("V14: a mended path is used again after %.0f ms at most\n",
              static_cast<double>(longest.ns) / 1e6);
  EXPECT_LE(longest, kProbePeriod);
}

TEST(FailureDetection, ACutInOneDirectionIsNoticedOnBothSides) {
  Cluster cluster(61, 4);
  cluster.run(seconds(2));
  // n1 hears n2, and is not heard by it.
  cluster.world().wire().set_cut(cluster.host(0).index(), cluster.host(1).index(), true);
  const auto both_know = [&] { return !thinks_well(cluster, 1, 0) && !thinks_well(cluster, 0, 1); };
  EXPECT_TRUE(cluster.run_until(both_know, milliseconds(1500)));
  for (int i = 0; i < 20; ++i) {
    cluster.run(milliseconds(200));
    EXPECT_TRUE(both_know()) << i;
    for (const unsigned other : {2U, 3U}) {
      EXPECT_TRUE(thinks_well(cluster, 0, other));
      EXPECT_TRUE(thinks_well(cluster, 1, other));
    }
  }
  cluster.world().wire().set_cut(cluster.host(0).index(), cluster.host(1).index(), false);
  EXPECT_LE(until_both_know(cluster), kProbePeriod);
}

}  // namespace
}  // namespace stator::test

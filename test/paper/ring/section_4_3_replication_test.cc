#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>
#include <vector>

#include "base/random.h"
#include "core/ring/claim.h"
#include "core/ring/ring.h"
#include "core/ring/strategies.h"

// Section 4.3, replication, and the part of 4.6 that shapes preference lists: Figure 2 to the
// letter, then what the paper asks of every preference list, of random rings.

namespace stator {
namespace {

using strategies::Host;
using strategies::KeyRange;
using strategies::TokenRing;

enum Node : Host { A, B, C, D, E, F, G };
constexpr std::uint64_t kStep = 1ULL << 60;
constexpr std::uint64_t at(Node node) {
  return (2 * node + 1) * kStep;
}

/// Figure 2: A to G clockwise, one token each.
TokenRing figure_2() {
  return TokenRing(
      {{at(A), A}, {at(B), B}, {at(C), C}, {at(D), D}, {at(E), E}, {at(F), F}, {at(G), G}});
}
constexpr std::uint64_t kKeyK = 2 * kStep;  // in (A, B]

TEST(Section43Figure2, KeyKIsStoredAtBCAndD) {
  EXPECT_EQ(figure_2().preference_list(kKeyK, 3), (std::vector<Host>{B, C, D}));
}

TEST(Section43Figure2, NodeDStoresTheKeysInTheRangesABAndBCAndCD) {
  EXPECT_EQ(figure_2().coverage(D, 3),
            (std::vector<KeyRange>{{at(A), at(B)}, {at(B), at(C)}, {at(C), at(D)}}));
}

TEST(Section43Figure2, EveryNodeStoresTheRegionBackToItsNthPredecessor) {
  const TokenRing ring = figure_2();
  for (Host node = A; node <= G; ++node) {
    auto ranges = ring.coverage(node, 3);
    ASSERT_EQ(ranges.size(), 3U);
    const auto token = [](Host n) { return at(static_cast<Node>(n % 7)); };
    for (Host back = 1; back <= 3; ++back) {
      const KeyRange range{token(node + 7 - back), token(node + 8 - back)};
      EXPECT_EQ(std::ranges::count(ranges, range), 1) << node << " " << back;
    }
  }
}

TEST(Section43Figure2, ThePreferenceListIsLongerThanN) {
  EXPECT_EQ(figure_2().preference_list(kKeyK, 7), (std::vector<Host>{B, C, D, E, F, G, A}));
}

TEST(Section43, ThePreferenceListSkipsPositionsSoThatItHoldsDistinctPhysicalNodes) {
  SplitMix64 random(7);
  for (int round = 0; round < 200; ++round) {
    const auto hosts = static_cast<std::uint32_t>(random.between(1, 60));
    const TokenRing ring =
        strategies::strategy1(random, hosts, static_cast<std::uint32_t>(random.between(1, 64)));
    for (int i = 0; i < 20; ++i) {
      const auto list = ring.preference_list(random.next(), hosts);
      ASSERT_EQ(std::set<Host>(list.begin(), list.end()).size(), hosts);
      ASSERT_EQ(list.size(), hosts);
    }
  }
}

/// 1,000 rings, or as many as the environment variable says; the full verification takes 100,000.
std::uint64_t ring_count() {
  const char* wanted = std::getenv("STATOR_RINGS");
  return wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : 1000;
}

struct Cluster {
  std::uint32_t q;
  std::uint32_t n;
  std::vector<RingMember> members;
  std::size_t zones = 0;  // that have a member
};
Cluster random_cluster(SplitMix64& random) {
  Cluster cluster{16U << random.below(7), static_cast<std::uint32_t>(random.between(1, 7)), {}, 0};
  const std::uint64_t size = random.chance(0.5) ? random.between(1, 12) : random.between(1, 300);
  const std::uint64_t zones = random.between(1, 5);
  std::set<std::string> used;
  for (std::uint64_t i = 0; i < size; ++i) {
    const std::string zone = "zone-" + std::to_string(random.below(zones));
    const double weight =
        random.chance(0.5) ? 1.0 : 0.5 * static_cast<double>(random.between(1, 8));
    cluster.members.push_back({{random.next() | 1}, "node-" + std::to_string(i), zone, weight});
    used.insert(zone);
  }
  cluster.zones = used.size();
  return cluster;
}

void check_lists(const Ring& ring, const Ring& other, const Cluster& cluster) {
  std::map<NodeId, std::string> zone_of;
  for (const RingMember& member : cluster.members) zone_of[member.id] = member.zone;
  const std::size_t owners = std::min<std::size_t>(cluster.n, cluster.members.size());
  PreferenceList list;
  PreferenceList again;
  for (std::uint32_t p = 0; p < cluster.q; p += 1 + cluster.q / 16) {
    ring.preference_list({p}, list);
    ASSERT_EQ(list.size(), cluster.members.size());
    ASSERT_EQ(std::set<NodeId>(list.begin(), list.end()).size(), list.size()) << "distinct hosts";
    std::set<std::string> zones;
    for (const NodeId node : list.view().first(owners)) zones.insert(zone_of.at(node));
    ASSERT_EQ(zones.size(), std::min(owners, cluster.zones)) << "spread over the data centres";
    other.preference_list({p}, again);
    ASSERT_EQ(list, again) << "the same on every node";
  }
}

TEST(Section43Stator, EveryPreferenceListHoldsDistinctHostsInAsManyZonesAsThereAreOnEveryNode) {
  for (std::uint64_t seed = 0; seed < ring_count(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    SplitMix64 random(seed);
    Cluster cluster = random_cluster(random);
    const Ring ring(cluster.q, cluster.n, cluster.members);
    random.shuffle(std::span(cluster.members));
    const Ring other(cluster.q, cluster.n, cluster.members);
    ASSERT_EQ(ring, other);
    check_lists(ring, other, cluster);
    if (HasFatalFailure()) return;
  }
}

TEST(Section43Stator, LosingADataCentreLeavesReplicasOfEveryKey) {
  std::vector<RingMember> members;
  for (std::uint64_t i = 1; i <= 9; ++i) {
    members.push_back({{i}, "n" + std::to_string(i), "dc" + std::to_string(i % 3), 1});
  }
  const Ring ring(1024, 3, members);
  for (std::uint32_t p = 0; p < 1024; ++p) {
    for (std::uint64_t lost = 0; lost < 3; ++lost) {
      const auto left = std::ranges::count_if(ring.owners({p}),
                                              [&](NodeId node) { return node.value % 3 != lost; });
      ASSERT_EQ(left, 2);
    }
  }
}

}  // namespace
}  // namespace stator

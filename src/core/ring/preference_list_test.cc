#include "core/ring/preference_list.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/hash.h"
#include "core/ring/claim_checks.h"
#include "core/ring/ring.h"

namespace stator {
namespace {

using testing::cluster;

TEST(PreferenceList, HasEveryMemberOnceAndTheOwnersFirst) {
  for (const std::size_t count : {1U, 2U, 3U, 4U, 20U, 300U}) {
    const Ring ring(64, 3, cluster(count, 4));
    PreferenceList list;
    for (std::uint32_t p = 0; p < 64; ++p) {
      ring.preference_list({p}, list);
      ASSERT_EQ(list.size(), count);
      ASSERT_EQ(std::set<NodeId>(list.begin(), list.end()).size(), count);
      ASSERT_TRUE(std::ranges::equal(ring.owners({p}), list.view().first(ring.table().width)));
    }
  }
}

TEST(PreferenceList, TakesOneStandInOfEachUncoveredZoneFirst) {
  const auto members = cluster(30, 6, 3);
  const Ring ring(256, 3, members);
  std::map<NodeId, std::string> zone_of;
  for (const RingMember& member : members) zone_of[member.id] = member.zone;
  for (std::uint32_t p = 0; p < 256; ++p) {
    const PreferenceList list = ring.preference_list({p});
    std::set<std::string> zones;
    for (const NodeId node : list.view().first(6)) zones.insert(zone_of[node]);
    ASSERT_EQ(zones.size(), 6U) << "partition " << p;
  }
}

TEST(PreferenceList, IsCutToTheLengthAskedFor) {
  for (const std::size_t zones : {0U, 2U, 9U}) {
    const Ring ring(64, 3, cluster(25, zones, 4));
    PreferenceList cut;
    for (std::uint32_t p = 0; p < 64; ++p) {
      const PreferenceList whole = ring.preference_list({p});
      for (std::size_t length = 0; length <= 30; ++length) {
        ring.preference_list({p}, cut, length);
        ASSERT_TRUE(
            std::ranges::equal(cut.view(), whole.view().first(std::min<std::size_t>(length, 25))));
      }
    }
  }
}

// A naive statement of the order, to hold the heap against.
TEST(PreferenceList, GoesByZoneCoverThenByRendezvous) {
  const auto members = cluster(40, 8, 6);
  const Ring ring(128, 3, members);
  std::map<NodeId, std::string> zone_of;
  for (const RingMember& member : members) zone_of[member.id] = member.zone;
  for (std::uint32_t p = 0; p < 128; ++p) {
    std::map<std::uint64_t, NodeId, std::greater<>> by_rank;
    for (const RingMember& member : members) {
      if (!ring.owns(member.id, {p})) by_rank[mix64(mix64(p) ^ member.id.value)] = member.id;
    }
    std::set<std::string> covered;
    std::vector<NodeId> expected(ring.owners({p}).begin(), ring.owners({p}).end());
    for (const NodeId owner : expected) covered.insert(zone_of[owner]);
    std::vector<NodeId> others;
    for (const auto& [rank, node] : by_rank) {
      (covered.insert(zone_of[node]).second ? expected : others).push_back(node);
    }
    expected.insert(expected.end(), others.begin(), others.end());
    ASSERT_TRUE(std::ranges::equal(ring.preference_list({p}).view(), expected));
  }
}

TEST(PreferenceList, SpreadsTheFirstStandInOverTheOthers) {
  const Ring ring(4096, 3, cluster(8));
  std::map<NodeId, int> first_stand_in;
  for (std::uint32_t p = 0; p < 4096; ++p) ++first_stand_in[ring.preference_list({p}).view()[3]];
  for (const auto& [node, count] : first_stand_in) {
    EXPECT_NEAR(count, 512, 110);  // binomial, 5 sigma
  }
  EXPECT_EQ(first_stand_in.size(), 8U);
}

}  // namespace
}  // namespace stator

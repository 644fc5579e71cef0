#include "core/quorum/round_candidates.h"

#include <gtest/gtest.h>

#include <vector>

#include "core/quorum/round_model.h"

namespace stator {
namespace {

/// Nodes `first`, `first` + 1, and so on, none of them an owner.
std::vector<Candidate> others(std::uint64_t first, std::size_t count) {
  std::vector<Candidate> list;
  for (std::size_t i = 0; i < count; ++i) list.push_back({.node = {first + i}, .owner = false});
  return list;
}

class RoundCandidatesTest : public testing::Test {
 protected:
  RoundCandidates candidates;
};

TEST_F(RoundCandidatesTest, KnowANodeByItsIndex) {
  candidates.start(model::candidates(3, 3), false);
  EXPECT_EQ(candidates.size(), 3U);
  for (ReplicaIndex i = 0; i < 3; ++i) EXPECT_EQ(candidates.index_of(candidates[i].node), i);
  EXPECT_EQ(candidates.index_of({103}), kNoReplica);
  EXPECT_TRUE(candidates.contains(2));
  EXPECT_FALSE(candidates.contains(3));
  EXPECT_FALSE(candidates.contains(kNoReplica));
}

TEST_F(RoundCandidatesTest, SayOnceThatTheyWantMore) {
  candidates.start(model::candidates(3, 3), true);
  EXPECT_TRUE(candidates.may_grow());
  EXPECT_FALSE(candidates.awaited());
  EXPECT_TRUE(candidates.await());
  EXPECT_TRUE(candidates.awaited());
  EXPECT_FALSE(candidates.await());
  EXPECT_TRUE(candidates.may_grow());
}

TEST_F(RoundCandidatesTest, GrowOnceAndOnlyWhenTheyWaitForIt) {
  candidates.start(model::candidates(3, 3), true);
  EXPECT_FALSE(candidates.grow(others(200, 1)));
  EXPECT_EQ(candidates.size(), 3U);
  EXPECT_TRUE(candidates.await());
  EXPECT_TRUE(candidates.grow(others(200, 2)));
  EXPECT_EQ(candidates.all(), ReplicaSet(0b11111));
  EXPECT_EQ(candidates.owners(), ReplicaSet(0b00111));
  EXPECT_EQ(candidates.index_of({201}), 4);
  EXPECT_EQ(candidates.index_of({101}), 1);
  EXPECT_FALSE(candidates.may_grow());
  EXPECT_FALSE(candidates.awaited());
  EXPECT_FALSE(candidates.await());
  EXPECT_FALSE(candidates.grow(others(300, 1)));
  EXPECT_EQ(candidates.size(), 5U);
}

TEST_F(RoundCandidatesTest, AreCompleteEvenWhereNobodyMoreIsThere) {
  candidates.start(model::candidates(2, 2), true);
  EXPECT_TRUE(candidates.await());
  EXPECT_TRUE(candidates.grow({}));
  EXPECT_EQ(candidates.size(), 2U);
  EXPECT_FALSE(candidates.may_grow());
}

TEST_F(RoundCandidatesTest, NeverWantMoreWhereNobodyMoreCanBe) {
  candidates.start(model::candidates(3, 3), false);
  EXPECT_FALSE(candidates.may_grow());
  EXPECT_FALSE(candidates.await());
  EXPECT_FALSE(candidates.grow(others(200, 1)));
  EXPECT_EQ(candidates.size(), 3U);
}

TEST_F(RoundCandidatesTest, LeaveOutWhatGoesBeyondTheLongestList) {
  candidates.start(model::candidates(3, 3), true);
  EXPECT_TRUE(candidates.await());
  EXPECT_TRUE(candidates.grow(others(200, kCandidatesMax)));
  EXPECT_EQ(candidates.size(), kCandidatesMax);
  EXPECT_EQ(candidates.view().back().node, NodeId{200 + kCandidatesMax - 4});
  EXPECT_EQ(candidates.index_of({200 + kCandidatesMax - 3}), kNoReplica);
}

TEST_F(RoundCandidatesTest, NameTheUsableOnesFirstAndTheRestInPreferenceOrder) {
  candidates.start(model::candidates(4, 3, 0b1010), false);
  EXPECT_EQ(candidates.usable(), ReplicaSet(0b1010));
  EXPECT_EQ(candidates.away(), ReplicaSet(0b0101));
  ReplicaSet left = candidates.all();
  std::vector<int> order;
  for (ReplicaIndex i = candidates.next(left); i != kNoReplica; i = candidates.next(left)) {
    order.push_back(i);
    left.remove(i);
  }
  EXPECT_EQ(order, (std::vector<int>{1, 3, 0, 2}));
}

TEST_F(RoundCandidatesTest, KnowWhoIsAwayAsItIsHeard) {
  candidates.start(model::candidates(3, 3, 0b011), false);
  candidates.falls_silent(1);
  EXPECT_EQ(candidates.away(), ReplicaSet(0b110));
  EXPECT_EQ(candidates.usable(), ReplicaSet(0b011));  // the order of asking was drawn up before
  candidates.is_heard(1);
  EXPECT_EQ(candidates.away(), ReplicaSet(0b100));
  candidates.is_here(2);
  EXPECT_TRUE(candidates.away().empty());
  EXPECT_EQ(candidates.usable(), ReplicaSet(0b111));
}

TEST_F(RoundCandidatesTest, BeginAnew) {
  candidates.start(model::candidates(5, 3), true);
  EXPECT_TRUE(candidates.await());
  candidates.falls_silent(0);
  candidates.start(model::candidates(2, 2), true);
  EXPECT_EQ(candidates.all(), ReplicaSet(0b11));
  EXPECT_TRUE(candidates.away().empty());
  EXPECT_FALSE(candidates.awaited());
  EXPECT_EQ(candidates.index_of({102}), kNoReplica);
  EXPECT_TRUE(candidates.await());
}

}  // namespace
}  // namespace stator

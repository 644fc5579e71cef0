#include "core/quorum/candidates.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace stator {
namespace {

TEST(ReplicaSet, IsWalkedInPreferenceOrder) {
  ReplicaSet set;
  for (const ReplicaIndex i : {15, 3, 0}) set.add(i);
  std::vector<int> walked;
  for (const ReplicaIndex i : set) walked.push_back(i);
  EXPECT_EQ(walked, (std::vector<int>{0, 3, 15}));
  EXPECT_EQ(set.size(), 3);
  EXPECT_EQ(set.first(), 0);
  set.remove(0);
  EXPECT_EQ(set.first(), 3);
  EXPECT_EQ(ReplicaSet().first(), kNoReplica);
}

TEST(ReplicaSet, HasTheAlgebraOfSets) {
  const ReplicaSet a(0b0110), b(0b0011);
  EXPECT_EQ(a | b, ReplicaSet(0b0111));
  EXPECT_EQ(a & b, ReplicaSet(0b0010));
  EXPECT_EQ(a - b, ReplicaSet(0b0100));
}

TEST(Evidence, CountsOwnersStandInsAndDistinctZones) {
  const std::array<Candidate, 4> list = {
      Candidate{{1}, true, true, 5}, Candidate{{2}, true, true, 6}, Candidate{{3}, false, true, 5},
      Candidate{{4}, false, true, 9}};
  EXPECT_EQ(evidence_of(ReplicaSet(0b0111), list), (QuorumEvidence{2, 1, 3, 2}));
  EXPECT_EQ(evidence_of(ReplicaSet(0b1000), list), (QuorumEvidence{0, 1, 1, 1}));
  EXPECT_EQ(evidence_of(ReplicaSet(), list), QuorumEvidence{});
}

TEST(Candidates, AreDistinctNodes) {
  std::vector<Candidate> list = {{.node = {1}}, {.node = {2}}, {.node = {1}}};
  EXPECT_FALSE(well_formed(list));
  list.pop_back();
  EXPECT_TRUE(well_formed(list));
  EXPECT_FALSE(well_formed({}));
  list.clear();
  for (std::uint64_t i = 0; i <= kCandidatesMax; ++i) list.push_back({.node = {i + 1}});
  EXPECT_FALSE(well_formed(list));
}

TEST(FailureOf, NamesWhatAllShareIfItSaysWhy) {
  const std::array<ErrorCode, 3> codes = {ErrorCode::kOverloaded, ErrorCode::kOverloaded,
                                          ErrorCode::kClosed};
  EXPECT_EQ(failure_of(ReplicaSet(0b011), codes), ErrorCode::kOverloaded);
  EXPECT_EQ(failure_of(ReplicaSet(0b111), codes), ErrorCode::kTooFewNodes);
  EXPECT_EQ(failure_of(ReplicaSet(0b100), codes), ErrorCode::kTooFewNodes);
  EXPECT_EQ(failure_of(ReplicaSet(), codes), ErrorCode::kTooFewNodes);
}

}  // namespace
}  // namespace stator

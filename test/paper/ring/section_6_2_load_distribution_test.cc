#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "core/ring/claim.h"
#include "core/ring/strategies.h"

// Section 6.2, load distribution: the three strategies of Figure 7 and what each of them couples.

namespace stator::strategies {
namespace {

enum Node : Host { A, B, C };
constexpr std::uint64_t kTick = 1ULL << 58;  // a 64th of the ring

/// Figure 7, strategies 1 and 2: three tokens of each of A, B, C at irregular distances. `k1` lies
/// just before the first A.
TokenRing irregular_tokens() {
  return TokenRing({{6 * kTick, A},
                    {11 * kTick, B},
                    {13 * kTick, C},
                    {24 * kTick, C},
                    {33 * kTick, A},
                    {37 * kTick, B},
                    {45 * kTick, B},
                    {52 * kTick, A},
                    {60 * kTick, C}});
}
constexpr std::uint64_t kKey1 = 3 * kTick;

TEST(Section62Figure7, Strategy1ListsABCForK1) {
  EXPECT_EQ(irregular_tokens().preference_list(kKey1, 3), (std::vector<Host>{A, B, C}));
}

TEST(Section62Figure7, Strategy2ListsABCForK1FromTheEndOfItsPartition) {
  const PartitionedRing ring(irregular_tokens(), 16);
  EXPECT_EQ(ring.preference_list(kKey1, 3), (std::vector<Host>{A, B, C}));
}

TEST(Section62Figure7, Strategy3ListsABCForK1) {
  std::vector<Token> tokens;  // one at the end of each of twelve partitions, four for each node
  const std::vector<Host> deal{A, B, C, B, C, A, C, B, A, A, C, B};
  for (std::uint32_t p = 0; p < 12; ++p) {
    tokens.push_back({PartitionedRing(irregular_tokens(), 12).end_of(p), deal[p]});
  }
  const PartitionedRing ring(TokenRing(tokens), 12);
  EXPECT_EQ(ring.partition_of(kKey1), 0U);
  EXPECT_EQ(ring.preference_list(kKey1, 3), (std::vector<Host>{A, B, C}));
}

TEST(Section62Figure7, Strategy2PassesOverATokenInsideThePartition) {
  // Partition 1 of 16 is [4, 8) ticks and holds A's token at 6; its end at 8 is followed by B.
  const PartitionedRing ring(irregular_tokens(), 16);
  const std::uint64_t key = 5 * kTick;
  EXPECT_EQ(ring.tokens().preference_list(key, 3), (std::vector<Host>{A, B, C}));
  EXPECT_EQ(ring.preference_list(key, 3), (std::vector<Host>{B, C, A}));
}

TEST(Section62, Strategy1ChangesTheBordersOfPartitionsWhenANodeJoins) {
  const TokenRing before = irregular_tokens();
  std::vector<Token> tokens(before.tokens().begin(), before.tokens().end());
  tokens.push_back({20 * kTick, 3});
  const auto ranges = TokenRing(tokens).coverage(C, 1);
  EXPECT_EQ(std::ranges::count(before.coverage(C, 1), (KeyRange{13 * kTick, 24 * kTick})), 1);
  EXPECT_EQ(std::ranges::count(ranges, (KeyRange{13 * kTick, 24 * kTick})), 0);
  EXPECT_EQ(std::ranges::count(ranges, (KeyRange{20 * kTick, 24 * kTick})), 1);
}

TEST(Section62Stator, MovesWholePartitionsAndNeverTheirBorders) {
  std::vector<RingMember> members;
  for (std::uint64_t i = 1; i <= 30; ++i) members.push_back({{i}, "n" + std::to_string(i), "", 1});
  const PlacementTable before = claim(1024, 3, members);
  members.push_back({{31}, "n31", "", 1});
  const PlacementTable after = claim(1024, 3, members, &before);
  const auto moved = handovers(before, after);
  EXPECT_EQ(after.partitions, before.partitions);
  EXPECT_NEAR(static_cast<double>(moved.size()), 3072.0 / 31, 1.0) << "a new node's share, no more";
  for (const Handover& handover : moved) EXPECT_EQ(handover.to, NodeId{31});
}

}  // namespace
}  // namespace stator::strategies

#include "sim/reach.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>

namespace stator::sim {
namespace {

using State = Reach::State;

constexpr MonoTime moment(std::int64_t ms) {
  return MonoTime{} + milliseconds(ms);
}
constexpr std::int64_t kSettleMs = Reach::kSettle.ms();
constexpr std::int64_t kIllMs = Reach::kIllLasts.ms();

// Five nodes that are well, looked at for the first time after ten seconds.
class FiveNodes {
 public:
  static constexpr std::size_t kNodes = 5;
  FiveNodes() {
    for (std::size_t from = 0; from < kNodes; ++from) {
      node(from, State::kWell, 10'000);
      for (std::size_t to = 0; to < kNodes; ++to) {
        if (from != to) path(from, to, State::kWell, 10'000);
      }
    }
  }
  void node(std::size_t index, State state, std::int64_t ms, std::uint64_t process = 1) {
    reach_.see_node(index, state, process, moment(ms));
  }
  void path(std::size_t from, std::size_t to, State state, std::int64_t ms,
            std::uint64_t resets = 0) {
    reach_.see_path(from, to, state, resets, moment(ms));
  }
  void paths(std::size_t a, std::size_t b, State state, std::int64_t ms) {
    path(a, b, state, ms);
    path(b, a, state, ms);
  }
  /// n1 to n3 hear nothing of n4 and n5, and the other way round.
  void cut_in_two(std::int64_t ms) {
    for (const std::size_t a : {0U, 1U, 2U}) {
      for (const std::size_t b : {3U, 4U}) paths(a, b, State::kAway, ms);
    }
  }
  [[nodiscard]] std::size_t reached(std::size_t index, std::int64_t since_ms) const {
    return reach_.reached(index, moment(since_ms));
  }
  [[nodiscard]] bool plainly(std::size_t index, std::size_t needed, std::int64_t since_ms) const {
    return reach_.plainly_reaches(index, needed, moment(since_ms));
  }

 private:
  Reach reach_{kNodes};
};

TEST(Reach, WhatIsFoundAtFirstHasAlwaysBeenSo) {
  const FiveNodes nodes;
  EXPECT_EQ(nodes.reached(0, 10'000), 5U);
  EXPECT_EQ(nodes.reached(0, 0), 5U);
  EXPECT_TRUE(nodes.plainly(0, 5, 10'000));
  EXPECT_FALSE(nodes.plainly(0, 6, 10'000)) << "there are five";
}

TEST(Reach, WhatIsSeenAgainAsItWasHasNotChanged) {
  FiveNodes nodes;
  nodes.node(1, State::kWell, 20'000);
  nodes.path(0, 1, State::kWell, 20'000);
  EXPECT_TRUE(nodes.plainly(0, 5, 10'000));
}

TEST(Reach, WhoIsAwayIsMissingAtOnceAndCountsAgainWhenAllHaveFoundIt) {
  FiveNodes nodes;
  nodes.node(4, State::kAway, 20'000);
  EXPECT_FALSE(nodes.plainly(0, 2, 19'999)) << "asked before it went";
  EXPECT_TRUE(nodes.plainly(0, 4, 20'000));
  EXPECT_FALSE(nodes.plainly(0, 5, 20'000));
  EXPECT_EQ(nodes.reached(4, 30'000), 0U) << "nothing runs there";
  EXPECT_FALSE(nodes.plainly(4, 1, 30'000));
  nodes.node(4, State::kWell, 30'000, 2);
  EXPECT_EQ(nodes.reached(0, 30'000 + kSettleMs - 1), 4U);
  EXPECT_FALSE(nodes.plainly(0, 2, 30'000 + kSettleMs - 1)) << "neither here nor away";
  EXPECT_TRUE(nodes.plainly(0, 5, 30'000 + kSettleMs));
  EXPECT_TRUE(nodes.plainly(4, 5, 30'000 + kSettleMs));
}

TEST(Reach, AProcessThatWasStartedAnewBetweenTwoLooksIsAnother) {
  FiveNodes nodes;
  nodes.node(2, State::kWell, 20'000, 2);
  EXPECT_FALSE(nodes.plainly(0, 2, 20'000));
  EXPECT_TRUE(nodes.plainly(0, 5, 20'000 + kSettleMs));
}

TEST(Reach, SoAreConnectionsThatWereBroken) {
  FiveNodes nodes;
  nodes.path(1, 0, State::kWell, 20'000, 1);
  EXPECT_FALSE(nodes.plainly(0, 2, 20'000)) << "of those of the other end, too";
  EXPECT_FALSE(nodes.plainly(1, 2, 20'000));
  EXPECT_TRUE(nodes.plainly(2, 4, 20'000)) << "those two miss only each other";
  EXPECT_FALSE(nodes.plainly(2, 5, 20'000)) << "and whoever one of them hands it on to";
  EXPECT_TRUE(nodes.plainly(0, 5, 20'000 + kSettleMs));
}

TEST(Reach, BothSidesOfACutReachThemselves) {
  FiveNodes nodes;
  nodes.cut_in_two(20'000);
  EXPECT_TRUE(nodes.plainly(0, 3, 20'000));
  EXPECT_FALSE(nodes.plainly(0, 4, 20'000));
  EXPECT_TRUE(nodes.plainly(3, 2, 20'000));
  EXPECT_FALSE(nodes.plainly(3, 3, 20'000));
}

TEST(Reach, APathThatIsCutInOneDirectionIsNeitherThereNorAway) {
  FiveNodes nodes;
  nodes.path(0, 1, State::kAway, 20'000);
  EXPECT_EQ(nodes.reached(0, 30'000), 4U);
  EXPECT_FALSE(nodes.plainly(0, 1, 30'000));
  EXPECT_FALSE(nodes.plainly(1, 1, 30'000));
  EXPECT_TRUE(nodes.plainly(2, 4, 30'000));
}

// n1 hears n2 and n3 only, which hear everybody; then n3 hears n1 alone.
TEST(Reach, WhoeverItIsHandedOnToHasToReachEnoughToo) {
  FiveNodes nodes;
  nodes.paths(0, 3, State::kAway, 20'000);
  nodes.paths(0, 4, State::kAway, 20'000);
  EXPECT_TRUE(nodes.plainly(0, 3, 20'000));
  for (const std::size_t other : {1U, 3U, 4U}) nodes.paths(2, other, State::kAway, 30'000);
  EXPECT_EQ(nodes.reached(0, 30'000), 3U);
  EXPECT_FALSE(nodes.plainly(0, 3, 30'000));
  EXPECT_TRUE(nodes.plainly(0, 2, 30'000));
}

TEST(Reach, WhatIsIllIsNeitherThereNorAwayAndLeavesSomethingForAWhile) {
  FiveNodes nodes;
  nodes.paths(0, 1, State::kIll, 20'000);
  EXPECT_FALSE(nodes.plainly(0, 1, 90'000));
  EXPECT_TRUE(nodes.plainly(2, 4, 90'000)) << "both reach enough others";
  nodes.paths(0, 1, State::kWell, 100'000);
  EXPECT_FALSE(nodes.plainly(0, 5, 100'000 + kIllMs + kSettleMs - 1));
  EXPECT_TRUE(nodes.plainly(0, 5, 100'000 + kIllMs + kSettleMs));
  nodes.node(2, State::kIll, 200'000);
  for (const std::size_t other : {0U, 1U, 2U, 3U, 4U}) {
    EXPECT_FALSE(nodes.plainly(other, 1, 250'000)) << other;
  }
}

// A cut and its end do not make up for what a slow path holds.
TEST(Reach, WhatAnIllnessHasLeftOutlastsWhatCameBetween) {
  FiveNodes nodes;
  nodes.paths(0, 1, State::kIll, 20'000);
  nodes.paths(0, 1, State::kAway, 30'000);
  EXPECT_FALSE(nodes.plainly(0, 4, 30'000 + kIllMs - 1));
  EXPECT_TRUE(nodes.plainly(0, 4, 30'000 + kIllMs));
  nodes.paths(0, 1, State::kWell, 30'100);
  EXPECT_FALSE(nodes.plainly(0, 5, 30'000 + kIllMs + kSettleMs - 1));
  EXPECT_TRUE(nodes.plainly(0, 5, 30'000 + kIllMs + kSettleMs));
}

TEST(Reach, OneAloneReachesItself) {
  Reach alone(1);
  alone.see_node(0, State::kWell, 1, moment(0));
  EXPECT_EQ(alone.nodes(), 1U);
  EXPECT_TRUE(alone.plainly_reaches(0, 1, moment(0)));
  EXPECT_FALSE(alone.plainly_reaches(0, 2, moment(0)));
}

}  // namespace
}  // namespace stator::sim

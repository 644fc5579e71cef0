#include "core/version/hlc.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>

namespace stator {
namespace {

constexpr WallTime kNow{1'800'000'000'000'000};
constexpr Duration kYear = seconds(365 * 86'400);

TEST(HybridClock, StampsTheWallTime) {
  HybridClock clock;
  EXPECT_EQ(clock.stamp(kNow, {}).wall(), kNow);
}

TEST(HybridClock, RisesWhileTheWallClockStandsStill) {
  HybridClock clock;
  Hlc last = clock.stamp(kNow, {});
  for (int i = 0; i < 10'000; ++i) {
    const Hlc next = clock.stamp(kNow, {});
    ASSERT_GT(next, last);
    last = next;
  }
  EXPECT_LE(last.wall() - kNow, microseconds(3)) << "4096 stamps fit into a microsecond";
}

TEST(HybridClock, ExceedsTheFloor) {
  HybridClock clock;
  const Hlc floor = Hlc::from_wall(kNow + milliseconds(900));
  EXPECT_EQ(clock.stamp(kNow, floor).value, floor.value + 1);
  EXPECT_GT(clock.stamp(kNow, {}), floor) << "within the bound it moves this clock";
}

TEST(HybridClock, IsNotMovedByAFloorFarInTheFuture) {
  HybridClock clock;
  const Hlc floor = Hlc::from_wall(kNow + kYear);
  EXPECT_EQ(clock.stamp(kNow, floor).value, floor.value + 1);
  EXPECT_EQ(clock.stamp(kNow, {}).wall(), kNow) << "another key is stamped with the present";
  EXPECT_EQ(clock.stamp(kNow, floor).value, floor.value + 1);
}

TEST(HybridClock, StaysAtTheGreatestTimeInsteadOfStartingOver) {
  HybridClock clock;
  const Hlc greatest{std::numeric_limits<std::uint64_t>::max()};
  EXPECT_EQ(clock.stamp(kNow, greatest), greatest);
  EXPECT_EQ(clock.stamp({std::numeric_limits<std::int64_t>::max() / 2}, {}).wall().us,
            (std::int64_t{1} << 52) - 1);
}

TEST(HybridClock, TakesATimeBefore1970For1970) {
  HybridClock clock;
  EXPECT_EQ(clock.stamp({-5}, {}).wall().us, 0);
}

TEST(HybridClock, HoldsWhenItsWallClockStepsBackALittle) {
  HybridClock clock;
  const Hlc before = clock.stamp(kNow, {});
  const Hlc after = clock.stamp(kNow + milliseconds(-700), {});
  EXPECT_GT(after, before);
}

TEST(HybridClock, ForgetsAYearThatWasAMistake) {
  HybridClock clock;
  EXPECT_EQ(clock.stamp(kNow + kYear, {}).wall(), kNow + kYear);
  EXPECT_EQ(clock.stamp(kNow, {}).wall(), kNow);
  EXPECT_GT(clock.stamp(kNow, {}), Hlc::from_wall(kNow)) << "and rises again from there";
  EXPECT_EQ(clock.stamp(kNow + Duration{-kYear.ns}, {}).wall(), kNow + Duration{-kYear.ns});
}

TEST(HybridClock, FollowsItsPeersWhenTheyAgreeThatItIsWrong) {
  for (const Duration year : {kYear, Duration{-kYear.ns}}) {
    HybridClock clock;
    const std::array<Duration, 4> offsets = {year, year, year, milliseconds(2)};
    clock.set_peer_offsets(offsets);
    EXPECT_TRUE(clock.skewed());
    EXPECT_EQ(clock.guarded(kNow), kNow + year);
    EXPECT_EQ(clock.stamp(kNow, {}).wall(), kNow + year);
    clock.set_peer_offsets({});
    EXPECT_FALSE(clock.skewed()) << "alone there is nobody to follow";
    EXPECT_EQ(clock.guarded(kNow), kNow);
  }
}

TEST(HybridClock, LeavesSmallDifferencesAlone) {
  HybridClock clock;
  const std::array<Duration, 2> at_the_bound = {HybridClock::kSkewMax, HybridClock::kSkewMax};
  clock.set_peer_offsets(at_the_bound);
  EXPECT_FALSE(clock.skewed());
  const std::array<Duration, 2> beyond = {HybridClock::kSkewMax + nanoseconds(1), seconds(9)};
  clock.set_peer_offsets(beyond);
  EXPECT_TRUE(clock.skewed());
}

TEST(HybridClock, KeepsItsOwnTimeWithoutAMajorityAgainstIt) {
  HybridClock clock;
  const std::array<Duration, 1> one = {kYear};
  clock.set_peer_offsets(one);
  EXPECT_FALSE(clock.skewed()) << "of two clocks nobody knows which is wrong";
  const std::array<Duration, 3> half = {milliseconds(1), kYear, kYear};
  clock.set_peer_offsets(half);
  EXPECT_FALSE(clock.skewed());
  const std::array<Duration, 3> one_liar = {milliseconds(1), milliseconds(-1), kYear};
  clock.set_peer_offsets(one_liar);
  EXPECT_FALSE(clock.skewed());
}

TEST(HybridClock, TakesTheMedianOfManyPeers) {
  HybridClock clock;
  std::array<Duration, 100> offsets{};
  for (std::size_t i = 0; i < offsets.size(); ++i) {
    offsets[i] = seconds(10) + milliseconds(static_cast<std::int64_t>(i * 37 % 100));
  }
  clock.set_peer_offsets(offsets);
  EXPECT_EQ(clock.guarded(kNow), kNow + seconds(10) + milliseconds(49));
}

}  // namespace
}  // namespace stator

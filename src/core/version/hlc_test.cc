#include "core/version/hlc.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>

namespace stator {
namespace {

constexpr WallTime kNow{1'800'000'000'000'000};
constexpr Duration kYear = seconds(365 * 86'400);

/// What `clock` hears from its peers, all of whom answer.
void hear(HybridClock& clock, std::span<const Duration> offsets) {
  clock.set_peer_offsets(offsets, {.local = kNow, .members = offsets.size() + 1});
}

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
    hear(clock, offsets);
    EXPECT_TRUE(clock.skewed());
    EXPECT_EQ(clock.guarded(kNow), kNow + year);
    EXPECT_EQ(clock.stamp(kNow, {}).wall(), kNow + year);
    hear(clock, {});
    EXPECT_FALSE(clock.skewed()) << "alone there is nobody to follow";
    EXPECT_EQ(clock.guarded(kNow), kNow);
  }
}

TEST(HybridClock, LeavesSmallDifferencesAlone) {
  HybridClock clock;
  const std::array<Duration, 2> at_the_bound = {HybridClock::kSkewMax, HybridClock::kSkewMax};
  hear(clock, at_the_bound);
  EXPECT_FALSE(clock.skewed());
  const std::array<Duration, 2> beyond = {HybridClock::kSkewMax + nanoseconds(1), seconds(9)};
  hear(clock, beyond);
  EXPECT_TRUE(clock.skewed());
}

TEST(HybridClock, KeepsItsOwnTimeWithoutAMajorityAgainstIt) {
  HybridClock clock;
  const std::array<Duration, 1> one = {kYear};
  hear(clock, one);
  EXPECT_FALSE(clock.skewed()) << "of two clocks nobody knows which is wrong";
  const std::array<Duration, 3> half = {milliseconds(1), kYear, kYear};
  hear(clock, half);
  EXPECT_FALSE(clock.skewed());
  const std::array<Duration, 3> one_liar = {milliseconds(1), milliseconds(-1), kYear};
  hear(clock, one_liar);
  EXPECT_FALSE(clock.skewed());
}

TEST(HybridClock, TakesTheMedianOfManyPeers) {
  HybridClock clock;
  std::array<Duration, 100> offsets{};
  for (std::size_t i = 0; i < offsets.size(); ++i) {
    offsets[i] = seconds(10) + milliseconds(static_cast<std::int64_t>(i * 37 % 100));
  }
  hear(clock, offsets);
  EXPECT_EQ(clock.guarded(kNow), kNow + seconds(10) + milliseconds(49));
}

constexpr MonoTime kStart{1'000'000'000'000};

/// What a node of a cluster of five sees when these peers have answered.
HybridClock::Moment of_five(WallTime local, MonoTime now) {
  return {.local = local, .now = now, .members = 5};
}

TEST(HybridClock, NothingAgesBeforeAMajorityHasVouchedForTheTime) {
  HybridClock clock;
  EXPECT_EQ(clock.ageing_now(kStart), kNothingAges);
  const std::array<Duration, 1> two_of_five = {milliseconds(3)};
  clock.set_peer_offsets(two_of_five, of_five(kNow, kStart));
  EXPECT_EQ(clock.ageing_now(kStart), kNothingAges);
  const std::array<Duration, 2> three_of_five = {milliseconds(3), HybridClock::kSkewMax};
  clock.set_peer_offsets(three_of_five, of_five(kNow, kStart));
  EXPECT_EQ(clock.ageing_now(kStart), kNow);
  EXPECT_EQ(clock.ageing_now(kStart + seconds(2)), kNow + seconds(2));
}

TEST(HybridClock, WhatAgesIsNotMovedByAJumpOfItsOwnClock) {
  HybridClock clock;
  const std::array<Duration, 4> all = {};
  clock.set_peer_offsets(all, of_five(kNow, kStart));
  // Its clock is a year ahead now, and nobody has been asked since.
  EXPECT_EQ(clock.guarded(kNow + kYear), kNow + kYear);
  EXPECT_EQ(clock.ageing_now(kStart + seconds(1)), kNow + seconds(1));
  // Then it hears of one peer only: it is cut off.
  const std::array<Duration, 1> one = {Duration{-kYear.ns}};
  clock.set_peer_offsets(one, of_five(kNow + kYear + seconds(3), kStart + seconds(3)));
  EXPECT_EQ(clock.ageing_now(kStart + seconds(3)), kNow + seconds(3));
  EXPECT_EQ(clock.ageing_now(kStart + HybridClock::kVouchedFor), kNow + HybridClock::kVouchedFor);
  EXPECT_EQ(clock.ageing_now(kStart + HybridClock::kVouchedFor + nanoseconds(1)), kNothingAges);
}

TEST(HybridClock, AMajorityMayVouchForATimeThatIsNotItsOwn) {
  HybridClock clock;
  const std::array<Duration, 3> three_peers = {kYear, kYear + milliseconds(5), kYear};
  clock.set_peer_offsets(three_peers, of_five(kNow, kStart));
  EXPECT_TRUE(clock.skewed());
  EXPECT_EQ(clock.ageing_now(kStart), kNow + kYear);
}

TEST(HybridClock, TwoPeersThatAgreeAreNoMajorityOfFive) {
  HybridClock clock;
  const std::array<Duration, 2> two_peers = {kYear, kYear};
  clock.set_peer_offsets(two_peers, of_five(kNow, kStart));
  EXPECT_TRUE(clock.skewed()) << "stamps follow the median of those who answer";
  EXPECT_EQ(clock.ageing_now(kStart), kNothingAges) << "what is forgotten is gone for good";
}

TEST(HybridClock, NothingAgesWhileNoMajorityAgrees) {
  HybridClock clock;
  const std::array<Duration, 4> scattered = {seconds(-600), seconds(2), seconds(600), kYear};
  clock.set_peer_offsets(scattered, of_five(kNow, kStart));
  EXPECT_EQ(clock.ageing_now(kStart), kNothingAges);
}

TEST(HybridClock, AloneItVouchesForItself) {
  HybridClock clock;
  clock.set_peer_offsets({}, {.local = kNow, .now = kStart, .members = 1});
  EXPECT_EQ(clock.ageing_now(kStart), kNow);
  HybridClock of_two;
  of_two.set_peer_offsets({}, {.local = kNow, .now = kStart, .members = 2});
  EXPECT_EQ(of_two.ageing_now(kStart), kNothingAges);
}

}  // namespace
}  // namespace stator

#include "core/load/usual_time.h"

#include <gtest/gtest.h>

namespace stator {
namespace {

/// A window of answers that took `mean` on average, some much less and some more.
double window(UsualTime& times, Duration mean, bool calm) {
  for (int i = 0; i < 100; ++i) times.add(i % 10 == 0 ? mean * 37 / 10 : mean * 7 / 10);
  return times.judge(calm);
}

TEST(UsualTime, TooFewAnswersTellNothing) {
  UsualTime times;
  for (int i = 0; i < 20; ++i) window(times, milliseconds(2), true);
  times.add(seconds(1));
  EXPECT_FALSE(times.can_tell());
  EXPECT_EQ(times.judge(true), 1);
  for (std::uint32_t i = 1; i < UsualTime::kEnough; ++i) times.add(seconds(1));
  ASSERT_TRUE(times.can_tell()) << "what was too little is kept";
  EXPECT_GT(times.judge(true), 2);
}

TEST(UsualTime, TwiceAsLongIsTwo) {
  UsualTime times;
  EXPECT_EQ(window(times, milliseconds(2), true), 1) << "nothing else is known";
  for (int i = 0; i < 20; ++i) window(times, milliseconds(2), true);
  EXPECT_NEAR(window(times, milliseconds(4), false), 2, 0.05);
  EXPECT_NEAR(window(times, milliseconds(3), false), 1.5, 0.05);
  EXPECT_EQ(window(times, milliseconds(1), false), 1) << "shorter is as usual";
}

TEST(UsualTime, OneTimeoutIsNoTrend) {
  UsualTime times;
  for (int i = 0; i < 20; ++i) window(times, milliseconds(2), true);
  times.add(seconds(2));
  EXPECT_LT(window(times, milliseconds(2), false), 1.2);
}

TEST(UsualTime, WhatIsShortIsNeverLong) {
  UsualTime times;
  for (int i = 0; i < 20; ++i) window(times, microseconds(50), true);
  EXPECT_EQ(window(times, microseconds(400), false), 1);
  EXPECT_GT(window(times, milliseconds(3), false), 2);
}

// G22: what is done in the background shall not become usual while it is done.
TEST(UsualTime, HarmIsNotTakenForUsualWithinAMinute) {
  UsualTime times;
  for (int i = 0; i < 20; ++i) window(times, milliseconds(2), true);
  double slowness = 0;
  for (int i = 0; i < 4 * 60; ++i) slowness = window(times, milliseconds(5), false);
  EXPECT_GT(slowness, 1.5);
  for (int i = 0; i < 4 * 60 * 30; ++i) slowness = window(times, milliseconds(5), false);
  EXPECT_LT(slowness, 1.1) << "a load that stays is usual in the end";
}

TEST(UsualTime, InCalmTimesItFollowsWithinSeconds) {
  UsualTime times;
  for (int i = 0; i < 20; ++i) window(times, milliseconds(2), true);
  for (int i = 0; i < 40; ++i) window(times, milliseconds(6), true);
  EXPECT_NEAR(static_cast<double>(times.usual().us()), 6'000, 200);
}

// A node that has just started is slow at first.
TEST(UsualTime, AFirstImpressionThatWasFarTooHighIsGivenUpAtOnce) {
  UsualTime times;
  window(times, milliseconds(50), false);
  window(times, milliseconds(2), false);
  EXPECT_GT(window(times, milliseconds(5), false), 2);
}

}  // namespace
}  // namespace stator

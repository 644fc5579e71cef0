#include "env/turn_times.h"

#include <gtest/gtest.h>

namespace stator::env {
namespace {

TEST(TurnTimes, AddsUpAndKeepsTheLongest) {
  TurnTimes times;
  MonoTime now = MonoTime{} + seconds(1'000);
  EXPECT_EQ(times.longest(), Duration{});
  for (const int ms : {3, 40, 5}) {
    now = now + seconds(1);
    times.note(milliseconds(ms), now);
  }
  EXPECT_EQ(times.sum(), milliseconds(48));
  EXPECT_EQ(times.longest(), milliseconds(40));
}

TEST(TurnTimes, TheLongestIsShownForAWhileAndNotForEver) {
  // Wherever in a window it falls.
  for (int at = 0; at < 30; ++at) {
    TurnTimes times;
    MonoTime now = MonoTime{} + seconds(1'000);
    int shown_s = 0;
    for (int second = 0; second < 200; ++second, now = now + seconds(1)) {
      times.note(second == at ? milliseconds(40) : milliseconds(1), now);
      shown_s += times.longest() == milliseconds(40) ? 1 : 0;
    }
    EXPECT_GE(shown_s, 30) << at;
    EXPECT_LE(shown_s, 60) << at;
    EXPECT_EQ(times.longest(), milliseconds(1)) << at;
  }
}

TEST(TurnTimes, WhatWasBeforeALongSilenceIsNotOfLate) {
  TurnTimes times;
  const MonoTime now = MonoTime{} + seconds(1'000);
  times.note(milliseconds(40), now);
  times.note(milliseconds(1), now + seconds(100));
  EXPECT_EQ(times.longest(), milliseconds(1));
  EXPECT_EQ(times.sum(), milliseconds(41));
}

}  // namespace
}  // namespace stator::env

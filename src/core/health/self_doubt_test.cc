#include "core/health/self_doubt.h"

#include <gtest/gtest.h>

namespace stator {
namespace {

constexpr MonoTime at(std::int64_t ms) {
  return MonoTime{} + milliseconds(ms);
}

TEST(SelfDoubt, WhoIsPunctualTrustsItself) {
  SelfDoubt doubt;
  for (int ms = 100; ms < 10'000; ms += 100) doubt.on_timer(milliseconds(ms % 50), at(ms));
  EXPECT_EQ(doubt.stretch(), 1);
}

TEST(SelfDoubt, LateTimersStretchPatienceByHowLateTheyAre) {
  SelfDoubt doubt;
  doubt.on_timer(milliseconds(100), at(100));
  EXPECT_EQ(doubt.stretch(), 2);
  doubt.on_timer(milliseconds(400), at(200));
  EXPECT_EQ(doubt.stretch(), SelfDoubt::kStretchMax);
  for (int i = 0; i < 10; ++i) doubt.on_timer(seconds(5), at(300 + i));
  EXPECT_EQ(doubt.stretch(), SelfDoubt::kStretchMax);
}

TEST(SelfDoubt, TrustComesBackStepByStepWhileTimersArePunctual) {
  SelfDoubt doubt;
  doubt.on_timer(seconds(1), at(0));
  doubt.on_timer(seconds(1), at(0));
  ASSERT_EQ(doubt.stretch(), 4);
  int steps = 0;
  for (int ms = 100; ms <= 3'000; ms += 100) {
    const int before = doubt.stretch();
    doubt.on_timer(milliseconds(1), at(ms));
    EXPECT_LE(before - doubt.stretch(), 1) << ms;
    steps += before - doubt.stretch();
    EXPECT_EQ(doubt.stretch(), 4 - ms / 1000) << ms;
  }
  EXPECT_EQ(steps, 3);
  doubt.on_timer(milliseconds(100), at(3'100));
  EXPECT_EQ(doubt.stretch(), 2);
}

TEST(SelfDoubt, MostPeersSilentAtOnceIsProbablyOurselves) {
  SelfDoubt doubt;
  doubt.on_look(1, 4, at(0));
  doubt.on_look(2, 4, at(0));
  EXPECT_EQ(doubt.stretch(), 1);
  doubt.on_look(3, 4, at(0));
  EXPECT_EQ(doubt.stretch(), 2);
  // They stay silent: patience does not grow further, or nobody would ever be given up.
  for (int i = 0; i < 100; ++i) doubt.on_look(4, 4, at(i * 100));
  EXPECT_EQ(doubt.stretch(), 2);
}

TEST(SelfDoubt, TheOnlyPeerThatThereIsMayBeAccused) {
  SelfDoubt doubt;
  doubt.on_look(1, 1, at(0));
  EXPECT_EQ(doubt.stretch(), 1);
}

}  // namespace
}  // namespace stator

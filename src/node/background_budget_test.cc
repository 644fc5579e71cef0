#include "node/background_budget.h"

#include <gtest/gtest.h>

namespace stator::node {
namespace {

constexpr std::uint64_t kMost = 64 << 20;
constexpr std::uint64_t kLeast = 1 << 20;

/// A node whose clients wait the longer the more background work there is beyond what its disk can
/// do beside them; a sender that always has another piece, and waits as it is told.
struct Model {
  BackgroundBudget rate{kMost};
  MonoTime now = MonoTime{} + seconds(5);
  double fits = 1e12;  // bytes per second beside the clients
  bool work = true;
  bool pressed = false;
  Duration well = milliseconds(2);
  std::uint64_t done = 0;
  Duration took{};
  MonoTime next{};

  void run(Duration time) {
    double recent = 0;  // bytes per second, over about a quarter of a second
    for (const MonoTime end = now + time; now < end; now = now + milliseconds(1)) {
      std::uint64_t now_done = 0;
      while (work && next <= now) {
        constexpr std::size_t kPiece = 16 << 10;
        const Duration wait = rate.take(kPiece, now);
        now_done += kPiece;
        next = now + wait;
        if (wait.ns == 0 && now_done > (1U << 20)) break;  // a link has its limit, too
      }
      done += now_done;
      recent += (static_cast<double>(now_done) * 1000 - recent) / 250;
      took = recent > fits ? well * 10 : well;
      for (int i = 0; i < 5; ++i) rate.on_foreground(took);
      rate.look(pressed, now);
    }
  }
  double done_in(Duration time) {
    const std::uint64_t before = done;
    run(time);
    return static_cast<double>(done - before) / (static_cast<double>(time.ns) / 1e9);
  }
};

TEST(BackgroundBudget, WhereNobodySuffersItGrowsToTheLimitAndStaysThere) {
  Model model;
  model.run(seconds(15));
  const double per_second = model.done_in(seconds(10));
  EXPECT_NEAR(per_second, static_cast<double>(kMost), 0.05 * kMost);
}

TEST(BackgroundBudget, ItSettlesNearWhatFitsBesideTheClients) {  // D16
  Model model;
  model.work = false;
  model.run(seconds(20));
  model.work = true;
  model.fits = 10 << 20;
  model.run(seconds(20));
  const double per_second = model.done_in(seconds(20));
  EXPECT_LE(per_second, model.fits * 1.1);
  EXPECT_GE(per_second, model.fits / 4);
}

TEST(BackgroundBudget, ATrickleAlwaysFlows) {
  Model model;
  model.run(seconds(2));
  model.pressed = true;
  model.run(seconds(5));
  EXPECT_EQ(model.rate.bytes_per_second(), kLeast);
  EXPECT_NEAR(model.done_in(seconds(10)), static_cast<double>(kLeast), 0.05 * kLeast);
}

TEST(BackgroundBudget, SlowAnswersThatWereAlwaysSlowHoldNothingBack) {
  Model model;
  model.well = milliseconds(150);
  model.work = false;
  model.run(seconds(20));
  model.work = true;
  model.run(seconds(15));
  EXPECT_GE(model.done_in(seconds(5)), 0.9 * kMost);
}

TEST(BackgroundBudget, AnIdleNodeGivesAllOfIt) {
  BackgroundBudget rate(kMost);
  MonoTime now = MonoTime{} + seconds(1);
  for (int i = 0; i < 2'000; ++i, now = now + milliseconds(100)) rate.look(false, now);
  EXPECT_EQ(rate.bytes_per_second(), kMost);
}

// A large piece is waited for once, and not again with each that comes after it.
TEST(BackgroundBudget, WhoeverHasWaitedAsLongAsToldOwesNothingMore) {
  BackgroundBudget rate(kMost);
  const MonoTime begin = MonoTime{} + seconds(1);
  const Duration wait = rate.take(60 << 20, begin);
  EXPECT_GT(wait, seconds(3));
  EXPECT_LT(rate.take(1 << 10, begin + wait), milliseconds(1));
  EXPECT_EQ(rate.take(1 << 10, begin + wait + seconds(1'000'000)), Duration{});
}

TEST(BackgroundBudget, WhatCanBeLeftUndoneIsLeftWhileThereIsDebt) {
  BackgroundBudget rate(kMost);
  MonoTime now = MonoTime{} + seconds(1);
  EXPECT_TRUE(rate.try_take(30 << 20, now)) << "one large piece must be possible";
  EXPECT_FALSE(rate.try_take(1, now));
  const Duration wait = rate.take(0, now);
  EXPECT_GT(wait, seconds(1));
  for (MonoTime end = now + wait; now < end;) {
    EXPECT_FALSE(rate.try_take(1, now));
    now = now + milliseconds(50);
  }
  EXPECT_TRUE(rate.try_take(1, now + milliseconds(50)));
}

}  // namespace
}  // namespace stator::node

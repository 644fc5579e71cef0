#include "node/background_budget.h"

#include <gtest/gtest.h>

namespace stator::node {
namespace {

constexpr std::uint64_t kMost = 64 << 20;
constexpr std::uint64_t kLeast = 1 << 20;
constexpr std::uint64_t kPiece = BackgroundBudget::cost(1, 16 << 10);

/// A node whose clients wait the longer the more background work there is beyond what its disk can
/// do beside them; a sender of hints that always has another piece, and waits as it is told.
struct Model {
  BackgroundBudget budget{kMost};
  MonoTime now = MonoTime{} + seconds(5);
  double fits = 1e12;  // bytes per second beside the clients
  bool work = true;
  bool pressed = false;
  bool clients = true;
  bool copies = false;  // what suffers is not the clients of this node, but those of peers
  Duration well = milliseconds(2);
  std::uint32_t pace = 0;
  std::uint64_t done = 0;
  MonoTime next{};

  void run(Duration time) {
    double recent = 0;  // bytes per second, over about a quarter of a second
    for (const MonoTime end = now + time; now < end; now = now + milliseconds(1)) {
      std::uint64_t now_done = 0;
      while (work && next <= now) {
        budget.note(kPiece);
        const Duration wait = budget.pause(1, kPiece, pace, now);
        now_done += kPiece;
        next = now + wait;
        if (wait.ns == 0 && now_done > (1U << 20)) break;  // a link has its limit, too
      }
      done += now_done;
      recent += (static_cast<double>(now_done) * 1000 - recent) / 250;
      const Duration took = recent > fits ? well * 10 : well;
      for (int i = 0; clients && i < 5; ++i) budget.on_foreground(copies ? well : took);
      for (int i = 0; copies && i < 5; ++i) budget.on_copy(took);
      budget.look(pressed, now);
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
  EXPECT_NEAR(per_second, kMost / 2.0, 0.05 * kMost) << "the half of hints";
}

TEST(BackgroundBudget, ItSettlesNearWhatFitsBesideTheClients) {  // D16
  for (const bool copies : {false, true}) {
    Model model;
    model.copies = copies;
    model.work = false;
    model.run(seconds(20));
    model.work = true;
    model.fits = 10 << 20;
    model.run(seconds(20));
    const double per_second = model.done_in(seconds(20));
    EXPECT_LE(per_second, model.fits * 1.1) << copies;
    EXPECT_GE(per_second, model.fits / 4) << copies;
  }
}

// A node that has just started has seen no time without background work (G22).
TEST(BackgroundBudget, WhatIsUsualIsLearnedBesideWorkThatBeginsSlowly) {
  Model model;
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
  EXPECT_EQ(model.budget.bytes_per_second(), kLeast);
  EXPECT_NEAR(model.done_in(seconds(10)), kLeast / 2.0, 0.05 * kLeast);
}

// D14, G22: clients that are busy all the time make delivery late, and not endless; nor does a
// backlog without bounds flood.
TEST(BackgroundBudget, WhoSaysWhatItNeedsGetsItFromABusyNode) {
  Model model;
  model.pressed = true;
  model.run(seconds(5));
  model.pace = 4 << 20;
  EXPECT_NEAR(model.done_in(seconds(10)), model.pace, 0.05 * model.pace);
  model.pace = 1 << 30;
  model.run(seconds(5));
  EXPECT_NEAR(model.done_in(seconds(10)), kMost / 8.0, 0.01 * kMost);
}

TEST(BackgroundBudget, SlowAnswersThatWereAlwaysSlowHoldNothingBack) {
  Model model;
  model.well = milliseconds(150);
  model.work = false;
  model.run(seconds(20));
  model.work = true;
  model.run(seconds(15));
  EXPECT_GE(model.done_in(seconds(5)), 0.9 * kMost / 2);
}

TEST(BackgroundBudget, AnIdleNodeGivesAllOfItToWhoeverGoesOnAsking) {
  Model model;
  model.clients = false;
  model.work = false;
  model.run(seconds(100));
  EXPECT_EQ(model.budget.bytes_per_second(), kMost / 8) << "what begins shall begin slowly";
  model.work = true;
  model.run(seconds(20));
  EXPECT_EQ(model.budget.bytes_per_second(), kMost);
}

// A large piece is waited for once, and not again with each that comes after it.
TEST(BackgroundBudget, WhoeverHasWaitedAsLongAsToldOwesNothingMore) {
  BackgroundBudget budget(kMost);
  const MonoTime begin = MonoTime{} + seconds(1);
  const Duration wait = budget.pause(1, 30 << 20, 0, begin);
  EXPECT_GT(wait, seconds(3));
  EXPECT_LT(budget.pause(1, 1 << 10, 0, begin + wait), milliseconds(1));
  EXPECT_EQ(budget.pause(1, 1 << 10, 0, begin + wait + seconds(1'000'000)), Duration{});
}

TEST(BackgroundBudget, WhatCanBeLeftUndoneIsLeftWhileThereIsDebt) {
  BackgroundBudget budget(kMost);
  MonoTime now = MonoTime{} + seconds(1);
  EXPECT_TRUE(budget.try_take(30 << 20, now)) << "one large piece must be possible";
  EXPECT_FALSE(budget.try_take(1, now));
  const MonoTime begin = now;
  while (!budget.try_take(1, now)) {
    now = now + milliseconds(50);
    ASSERT_LT(now - begin, seconds(60));
  }
  EXPECT_GT(now - begin, seconds(3));
}

// D15, D16: a storm of repairs after reads keeps no hint back, and hints leave repairs their half.
TEST(BackgroundBudget, HintsAndRepairsDoNotTakeFromEachOther) {
  BackgroundBudget budget(kMost);
  const MonoTime now = MonoTime{} + seconds(1);
  static_cast<void>(budget.pause(1, 1, 0, now - milliseconds(500)));
  for (int i = 0; i < 1'000'000 && budget.try_take(kPiece, now); ++i) {
  }
  EXPECT_FALSE(budget.try_take(kPiece, now));
  EXPECT_EQ(budget.pause(1, kPiece, 0, now), Duration{});
  for (int i = 0; i < 10'000; ++i) static_cast<void>(budget.pause(1, kPiece, 0, now));
  EXPECT_GT(budget.pause(1, kPiece, 0, now), seconds(3));
  EXPECT_TRUE(budget.try_take(kPiece, now + seconds(1)));
}

}  // namespace
}  // namespace stator::node

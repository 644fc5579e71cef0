#include "sim/limits.h"

#include <gtest/gtest.h>

#include <set>

namespace stator::sim {
namespace {

TEST(LimitPlan, ANodeKeepsItsSettingsOverMostRestartsAndOthersHaveTheirs) {
  int kept = 0;
  int other = 0;
  std::set<std::int64_t> timeouts;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    LimitPlan plan(2, FaultMenu(), Random(seed), true);
    node::NodeOptions first;
    node::NodeOptions again;
    node::NodeOptions neighbour;
    plan.draw(0, first);
    plan.draw(0, again);
    plan.draw(1, neighbour);
    kept += first.request_timeout == again.request_timeout &&
                    first.operations_max == again.operations_max &&
                    first.hedge_after == again.hedge_after
                ? 1
                : 0;
    other += first.ping_interval != neighbour.ping_interval ? 1 : 0;
    timeouts.insert(first.request_timeout.ns);
    EXPECT_GE(first.operations_max, 100U);
    EXPECT_GE(first.limits.siblings_max, 2U);
    EXPECT_LE(first.request_timeout, seconds(3)) << "a healed cluster answers within 5 s";
  }
  EXPECT_GT(kept, 120);
  EXPECT_LT(kept, 180);
  EXPECT_GT(other, 100);
  EXPECT_GT(timeouts.size(), 60U);
}

// Acknowledged before it is synced, and gone with the power: that is no bug of the program.
TEST(LimitPlan, WhereDisksLoseSomethingEveryCopyIsSynced) {
  int unsynced = 0;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    for (const bool keeps : {false, true}) {
      LimitPlan plan(1, FaultMenu(), Random(seed), keeps);
      node::NodeOptions options;
      plan.draw(0, options);
      if (options.durability == node::Durability::kAll) continue;
      EXPECT_TRUE(keeps);
      ++unsynced;
    }
  }
  EXPECT_GT(unsynced, 10);
}

// D15, D16, D29: what a node can spare, and what it has room for.
TEST(LimitPlan, BackgroundWorkExtraHintsAndRoomOnTheDiskAreLimited) {
  const node::NodeOptions usual;
  std::set<std::uint64_t> rates;
  std::set<std::uint64_t> hints;
  int marks = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    LimitPlan plan(1, FaultMenu(), Random(seed), true);
    node::NodeOptions options;
    plan.draw(0, options);
    EXPECT_GE(options.background_bytes_per_second, 8U << 20);
    EXPECT_LE(options.background_bytes_per_second, usual.background_bytes_per_second);
    rates.insert(options.background_bytes_per_second);
    EXPECT_GE(options.hint_bytes_max, 1U << 10);
    EXPECT_LE(options.hint_bytes_max, usual.hint_bytes_max);
    hints.insert(options.hint_bytes_max);
    const WaterMarks& mark = options.disk.marks;
    if (!mark.any()) continue;
    ++marks;
    EXPECT_GT(mark.low, mark.refuse);
    EXPECT_GT(mark.refuse, mark.read_only);
    EXPECT_LE(mark.refuse, 64U << 10) << "a disk that is well has more room";
  }
  EXPECT_GT(rates.size(), 50U);
  EXPECT_GT(hints.size(), 50U);
  EXPECT_GT(marks, 50);
  EXPECT_LT(marks, 150);
}

TEST(LimitPlan, WhatIsNotOnTheMenuIsLeftAlone) {
  Random random(3);
  const node::NodeOptions usual;
  int touched = 0;
  for (int i = 0; i < 100; ++i) {
    const FaultMenu menu = FaultMenu::draw(random);
    LimitPlan plan(1, menu, Random(random.next()), true);
    node::NodeOptions options;
    plan.draw(0, options);
    if (options.hint_bytes_max != usual.hint_bytes_max) {
      EXPECT_TRUE(menu.allows(FaultFamily::kLimits, 9));
    }
    if (options.hedge_after == usual.hedge_after) continue;
    ++touched;
    EXPECT_TRUE(menu.allows(FaultFamily::kLimits, 2));
  }
  EXPECT_GT(touched, 10);
}

}  // namespace
}  // namespace stator::sim

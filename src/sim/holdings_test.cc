#include "sim/holdings.h"

#include <gtest/gtest.h>

namespace stator::sim {
namespace {

constexpr MonoTime kNow{100'000'000'000};

Holdings limits() {
  return {.operations = 100,
          .waiting = 100,
          .walks = 10,
          .merges = 50,
          .hints = 16,
          .reads = 40,
          .staged_bytes = 1'000,
          .link_bytes = 2'000,
          .stream_bytes = 3'000,
          .streams = 9};
}

TEST(Holdings, NothingIsWithinEveryLimitAndLeavesNothing) {
  EXPECT_TRUE(over_limits({}, limits(), kNow, false).empty());
  EXPECT_TRUE(over_limits(limits(), limits(), kNow, false).empty()) << "a limit may be reached";
  EXPECT_TRUE(left_over({}, {}).empty());
}

TEST(Holdings, EachQueueHasItsLimit) {
  for (std::size_t Holdings::* each :
       {&Holdings::operations, &Holdings::waiting, &Holdings::walks, &Holdings::merges,
        &Holdings::hints, &Holdings::reads, &Holdings::staged_bytes, &Holdings::link_bytes,
        &Holdings::stream_bytes, &Holdings::streams}) {
    Holdings held;
    held.*each = limits().*each + 1;
    EXPECT_EQ(over_limits(held, limits(), kNow, false).size(), 1U);
    EXPECT_EQ(over_limits(held, limits(), kNow, true).size(), 1U) << "also of one that is busy";
    EXPECT_EQ(left_over(held, limits()).size(), 1U);
  }
}

TEST(Holdings, AnOperationEndsASecondAfterItsDeadlineAtTheLatest) {
  Holdings held{.operations = 1};
  held.first_deadline = kNow - kOverdueMax;
  EXPECT_TRUE(over_limits(held, limits(), kNow, false).empty());
  held.first_deadline = held.first_deadline - nanoseconds(1);
  ASSERT_EQ(over_limits(held, limits(), kNow, false).size(), 1U);
  EXPECT_EQ(over_limits(held, limits(), kNow, false).front(),
            "an operation is open 1000 ms beyond its deadline");
  EXPECT_TRUE(over_limits(held, limits(), kNow, true).empty())
      << "a process that stands still ends nothing";
}

TEST(Holdings, WhatIsAlwaysThereMayNotGrow) {
  const Holdings fresh{.timers = 3, .listeners = 2, .links = 4};
  EXPECT_TRUE(left_over(fresh, fresh).empty());
  for (std::size_t Holdings::* each : {&Holdings::timers, &Holdings::listeners, &Holdings::links}) {
    Holdings held = fresh;
    ++(held.*each);
    ASSERT_EQ(left_over(held, fresh).size(), 1U);
    EXPECT_TRUE(over_limits(held, limits(), kNow, false).empty()) << "nothing while it works";
  }
  EXPECT_EQ(left_over({.timers = 4}, fresh).front(), "4 timers, more than 3");
}

}  // namespace
}  // namespace stator::sim

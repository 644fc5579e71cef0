#include "cli/bench/schedule.h"

#include <gtest/gtest.h>

namespace stator::bench {
namespace {

TEST(ScheduleTest, StartsAreEvenlySpaced) {
  const Schedule schedule(MonoTime{1'000}, 1000);
  EXPECT_EQ(schedule.at(0), MonoTime{1'000});
  EXPECT_EQ(schedule.at(1), MonoTime{1'001'000});
  EXPECT_EQ(schedule.at(5000), MonoTime{1'000} + seconds(5));
}

TEST(ScheduleTest, RoundingDoesNotAddUp) {
  // A third of a nanosecond would be lost each time.
  const Schedule schedule(MonoTime{}, 300'000);
  EXPECT_EQ(schedule.at(300'000 * 3600UL), MonoTime{} + seconds(3600));
  EXPECT_EQ(schedule.at(1), MonoTime{3333});
  EXPECT_EQ(schedule.at(3), MonoTime{10'000});
}

TEST(ScheduleTest, BeforeCountsTheStartsOfATime) {
  for (const double rate : {0.1, 1.0, 7.0, 1000.0, 333'333.0, 1e6}) {
    const Schedule schedule(MonoTime{77}, rate);
    EXPECT_EQ(schedule.before(MonoTime{77}), 0U);
    EXPECT_EQ(schedule.before(MonoTime{78}), 1U);
    for (const std::uint64_t number : {1UL, 2UL, 999UL, 123'457UL}) {
      EXPECT_EQ(schedule.before(schedule.at(number)), number) << rate;
      EXPECT_EQ(schedule.before(schedule.at(number) + nanoseconds(1)), number + 1) << rate;
    }
  }
}

}  // namespace
}  // namespace stator::bench

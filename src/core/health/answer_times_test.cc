#include "core/health/answer_times.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace stator {
namespace {

TEST(AnswerTimes, NothingIsKnownOfNoAnswers) {
  EXPECT_EQ(AnswerTimes().quantile(500), Duration{});
  EXPECT_EQ(AnswerTimes().count(), 0U);
}

TEST(AnswerTimes, AStepIsNeverBelowWhatItHoldsAndNeverMoreThanHalfAbove) {
  for (std::int64_t us = 64; us < 60'000'000; us = us * 17 / 16 + 1) {
    AnswerTimes times;
    times.add(microseconds(us));
    const Duration said = times.quantile(500);
    EXPECT_GT(said, microseconds(us)) << us;
    EXPECT_LE(said, microseconds(us + us / 2 + 1)) << us;
  }
}

TEST(AnswerTimes, TheShortestAndTheLongestHaveAStepToo) {
  AnswerTimes times;
  times.add({});
  EXPECT_EQ(times.quantile(0), microseconds(64));
  times.add(seconds(1'000'000));
  EXPECT_GT(times.quantile(999), seconds(30));
}

TEST(AnswerTimes, QuantilesAreThoseOfTheSortedAnswersToAStep) {
  AnswerTimes times;
  std::vector<std::int64_t> sorted;
  std::uint64_t state = 17;
  for (int i = 0; i < 10'000; ++i) {
    state = state * 6'364'136'223'846'793'005ULL + 1'442'695'040'888'963'407ULL;
    const auto us = static_cast<std::int64_t>(100 + (state >> 33) % 50'000);
    sorted.push_back(us);
    times.add(microseconds(us));
  }
  std::sort(sorted.begin(), sorted.end());
  for (const unsigned permille : {10U, 500U, 950U, 999U}) {
    const std::int64_t exact = sorted[sorted.size() * permille / 1000];
    EXPECT_GE(times.quantile(permille), microseconds(exact)) << permille;
    EXPECT_LE(times.quantile(permille), microseconds(exact + exact / 2 + 1)) << permille;
  }
}

TEST(AnswerTimes, MemoryFollowsWhatIsNewAndForgetsWhatIsOld) {
  AnswerTimes memory;
  AnswerTimes slow;
  AnswerTimes fast;
  for (int i = 0; i < 100; ++i) {
    slow.add(milliseconds(80));
    fast.add(milliseconds(1));
  }
  for (int i = 0; i < 20; ++i) memory.age_and_add(slow);
  EXPECT_GT(memory.quantile(500), milliseconds(80));
  const std::uint32_t most = memory.count();
  for (int i = 0; i < 20; ++i) memory.age_and_add(fast);
  EXPECT_LT(memory.quantile(900), milliseconds(2));
  EXPECT_LE(memory.count(), most + most / 4);
  for (int i = 0; i < 200; ++i) memory.age_and_add({});
  EXPECT_EQ(memory.count(), 0U);
}

}  // namespace
}  // namespace stator

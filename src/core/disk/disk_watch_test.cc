#include "core/disk/disk_watch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <initializer_list>
#include <string>
#include <vector>

#include "base/random.h"

namespace stator {
namespace {

constexpr WaterMarks kMarks{.low = 800, .refuse = 400, .read_only = 80};

DiskState after(std::initializer_list<std::uint64_t> free) {
  DiskWatch watch(kMarks);
  for (const std::uint64_t bytes : free) watch.on_free(bytes);
  return watch.state();
}

TEST(DiskWatch, EachMarkIsPassedDownwardsAtOnce) {  // D29
  EXPECT_EQ(after({800}), DiskState::kRoomy);
  EXPECT_EQ(after({799}), DiskState::kLow);
  EXPECT_EQ(after({400}), DiskState::kLow);
  EXPECT_EQ(after({399}), DiskState::kRefusing);
  EXPECT_EQ(after({80}), DiskState::kRefusing);
  EXPECT_EQ(after({79}), DiskState::kReadOnly);
  EXPECT_EQ(after({0}), DiskState::kReadOnly);
}

TEST(DiskWatch, AMarkIsPassedUpwardsWithAnEighthOfItToSpare) {  // D29
  EXPECT_EQ(after({0, 89}), DiskState::kReadOnly);
  EXPECT_EQ(after({0, 90}), DiskState::kRefusing);
  EXPECT_EQ(after({0, 449}), DiskState::kRefusing);
  EXPECT_EQ(after({0, 450}), DiskState::kLow);
  EXPECT_EQ(after({0, 899}), DiskState::kLow);
  EXPECT_EQ(after({0, 900}), DiskState::kRoomy);
  EXPECT_EQ(after({799, 800}), DiskState::kLow);
  EXPECT_EQ(after({900, 800}), DiskState::kRoomy) << "nothing to leave";
}

TEST(DiskWatch, WithoutMarksNoSpaceIsTooLittle) {
  DiskWatch watch{WaterMarks{}};
  watch.on_free(0);
  EXPECT_EQ(watch.state(), DiskState::kRoomy);
  EXPECT_FALSE(WaterMarks{}.any());
}

TEST(DiskWatch, AnEngineThatFailsIsWorseThanAnyMarkAndOverWhenItWritesAgain) {  // D29, D31
  DiskWatch watch(kMarks);
  watch.on_free(500);
  watch.on_engine(ErrorCode::kDiskFull);
  EXPECT_EQ(watch.state(), DiskState::kFull);
  watch.on_free(10'000);
  EXPECT_EQ(watch.state(), DiskState::kFull) << "room alone proves nothing: a quota, names";
  watch.on_engine(std::nullopt);
  EXPECT_EQ(watch.state(), DiskState::kRoomy);
  watch.on_engine(ErrorCode::kIo);
  EXPECT_EQ(watch.state(), DiskState::kFailed);
}

TEST(DiskWatch, WhatEachStateTakes) {
  const std::vector<DiskState> states = {DiskState::kRoomy,    DiskState::kLow,
                                         DiskState::kRefusing, DiskState::kReadOnly,
                                         DiskState::kFull,     DiskState::kFailed};
  std::string takes;
  for (const DiskState state : states) {
    takes += takes_writes(state) ? 'w' : '-';
    takes += takes_repairs(state) ? 'r' : '-';
    EXPECT_NE(to_string(state), "unknown");
  }
  EXPECT_EQ(takes, "wrwr-r------");
  EXPECT_EQ(refusal_of(DiskState::kReadOnly), ErrorCode::kDiskFull);
  EXPECT_EQ(refusal_of(DiskState::kFailed), ErrorCode::kIo);
}

// Whatever was seen before: the state is never better than the space allows, and never worse than
// the space less the spare.
TEST(DiskWatch, TheStateFollowsTheSpaceOnAnyPath) {
  SplitMix64 random(7);
  DiskWatch watch(kMarks);
  for (int i = 0; i < 100'000; ++i) {
    const std::uint64_t bytes = random.below(1000);
    watch.on_free(bytes);
    EXPECT_GE(watch.state(), after({bytes}));
    EXPECT_LE(watch.state(), after({bytes - std::min(bytes, bytes / 9 + 1)}));
  }
}

}  // namespace
}  // namespace stator

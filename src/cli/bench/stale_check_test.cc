#include "cli/bench/stale_check.h"

#include <gtest/gtest.h>

namespace stator::bench {
namespace {

constexpr std::uint64_t kKey = 3;

TEST(StaleCheckTest, BeforeAnyAcknowledgementEverythingGoes) {
  StaleCheck check(10);
  const auto floor = check.begin_read(kKey);
  EXPECT_EQ(check.judge(floor, std::nullopt), Verdict::kFresh);
  EXPECT_EQ(check.judge(floor, 0), Verdict::kFresh);
}

TEST(StaleCheckTest, AReadAfterAnAcknowledgementMustSeeIt) {
  StaleCheck check(10);
  const auto first = check.begin_write(kKey);
  check.end_write(kKey, first, WriteEnd::kAcknowledged);
  const auto second = check.begin_write(kKey);
  check.end_write(kKey, second, WriteEnd::kAcknowledged);
  const auto floor = check.begin_read(kKey);
  EXPECT_EQ(check.judge(floor, second.number), Verdict::kFresh);
  EXPECT_EQ(check.judge(floor, first.number), Verdict::kStale);
  EXPECT_EQ(check.judge(floor, 0), Verdict::kStale);
  EXPECT_EQ(check.judge(floor, std::nullopt), Verdict::kLost);
  EXPECT_EQ(check.judge(check.begin_read(kKey + 1), std::nullopt), Verdict::kFresh);
}

TEST(StaleCheckTest, AReadThatBeganBeforeTheAcknowledgementMayMissIt) {
  StaleCheck check(10);
  const auto first = check.begin_write(kKey);
  check.end_write(kKey, first, WriteEnd::kAcknowledged);
  const auto second = check.begin_write(kKey);
  const auto floor = check.begin_read(kKey);
  check.end_write(kKey, second, WriteEnd::kAcknowledged);
  EXPECT_EQ(check.judge(floor, first.number), Verdict::kFresh);
}

TEST(StaleCheckTest, OfConcurrentWritesEitherMayWin) {
  StaleCheck check(10);
  const auto first = check.begin_write(kKey);
  const auto second = check.begin_write(kKey);
  check.end_write(kKey, second, WriteEnd::kAcknowledged);
  check.end_write(kKey, first, WriteEnd::kAcknowledged);
  const auto floor = check.begin_read(kKey);
  EXPECT_EQ(check.judge(floor, first.number), Verdict::kFresh);
  EXPECT_EQ(check.judge(floor, second.number), Verdict::kFresh);
  EXPECT_EQ(check.judge(floor, std::nullopt), Verdict::kLost);
}

TEST(StaleCheckTest, AWriteOfUnknownOutcomeMayAppearLater) {
  StaleCheck check(10);
  const auto lost = check.begin_write(kKey);
  check.end_write(kKey, lost, WriteEnd::kUnknown);
  const auto before = check.begin_write(kKey);
  check.end_write(kKey, before, WriteEnd::kAcknowledged);
  const auto after = check.begin_write(kKey);
  check.end_write(kKey, after, WriteEnd::kAcknowledged);
  const auto floor = check.begin_read(kKey);
  EXPECT_EQ(check.judge(floor, lost.number), Verdict::kFresh);
  EXPECT_EQ(check.judge(floor, before.number), Verdict::kStale);
}

TEST(StaleCheckTest, ARefusedWriteReplacesNothing) {
  StaleCheck check(10);
  const auto first = check.begin_write(kKey);
  check.end_write(kKey, first, WriteEnd::kAcknowledged);
  const auto refused = check.begin_write(kKey);
  check.end_write(kKey, refused, WriteEnd::kNotApplied);
  EXPECT_EQ(check.judge(check.begin_read(kKey), first.number), Verdict::kFresh);
}

TEST(StaleCheckTest, WithTooManyUnknownWritesItDoesNotAccuse) {
  StaleCheck check(2);
  for (std::size_t i = 0; i <= StaleCheck::kUnknownMax; ++i) {
    check.end_write(0, check.begin_write(0), WriteEnd::kUnknown);
  }
  const auto first = check.begin_write(1);
  check.end_write(1, first, WriteEnd::kAcknowledged);
  const auto second = check.begin_write(1);
  check.end_write(1, second, WriteEnd::kAcknowledged);
  EXPECT_EQ(check.judge(check.begin_read(1), first.number), Verdict::kUndecided);
}

}  // namespace
}  // namespace stator::bench

#include "cli/bench/tally.h"

#include <gtest/gtest.h>

namespace stator::bench {
namespace {

TEST(TallyTest, ErrorAnswersAreToldApartByTheirPrefix) {
  EXPECT_EQ(failure_of("UNKNOWN 01ab may be visible"), Failure::kUnknown);
  EXPECT_EQ(failure_of("TRYAGAIN too much to do"), Failure::kTryAgain);
  EXPECT_EQ(failure_of("NOQUORUM needed=2 got=1: too few"), Failure::kRefused);
  EXPECT_EQ(failure_of("UNKNOWNX"), Failure::kRefused);
  EXPECT_EQ(failure_of(""), Failure::kRefused);
}

TEST(TallyTest, LatencyIsOfThoseThatEndedWell) {
  Tally tally;
  tally.succeeded(OpKind::kGet, microseconds(100), false);
  tally.succeeded(OpKind::kGet, microseconds(200), true);
  tally.succeeded(OpKind::kSet, Duration{-1}, false);
  tally.failed(OpKind::kGet, Failure::kNoAnswer);
  EXPECT_EQ(tally.of(OpKind::kGet).latency.count(), 2U);
  EXPECT_EQ(tally.of(OpKind::kGet).latency.max(), 200'000U);
  EXPECT_EQ(tally.of(OpKind::kGet).not_found, 1U);
  EXPECT_EQ(tally.of(OpKind::kGet).failed(), 1U);
  EXPECT_EQ(tally.of(OpKind::kSet).latency.max(), 0U);
  EXPECT_EQ(tally.total().latency.count(), 3U);
  EXPECT_EQ(tally.total().failed(), 1U);
}

TEST(TallyTest, HowSoonOverloadWasSaidIsKeptApartFromWhatEndedWell) {
  Tally tally;
  tally.succeeded(OpKind::kGet, milliseconds(300), false);
  tally.failed(OpKind::kGet, Failure::kTryAgain, "TRYAGAIN busy", milliseconds(2));
  tally.failed(OpKind::kSet, Failure::kTryAgain, "TRYAGAIN busy", milliseconds(4));
  tally.failed(OpKind::kSet, Failure::kUnknown, "UNKNOWN 1", milliseconds(900));
  Tally both;
  both.merge(tally);
  both.merge(tally);
  EXPECT_EQ(both.total().refusal.count(), 4U);
  EXPECT_EQ(both.total().refusal.max(), 4'000'000U);
  EXPECT_EQ(both.of(OpKind::kGet).refusal.max(), 2'000'000U);
  EXPECT_EQ(both.total().latency.max(), 300'000'000U);
}

TEST(TallyTest, RefusalsKeepTheFirstExampleOfEachPrefix) {
  Tally tally;
  tally.failed(OpKind::kGet, Failure::kRefused, "NOQUORUM one");
  tally.failed(OpKind::kSet, Failure::kRefused, "NOQUORUM two");
  tally.failed(OpKind::kSet, Failure::kUnknown, "UNKNOWN 1");
  Tally both;
  both.merge(tally);
  both.merge(tally);
  ASSERT_EQ(both.refusals.size(), 2U);
  EXPECT_EQ(both.refusals[0].prefix, "NOQUORUM");
  EXPECT_EQ(both.refusals[0].count, 4U);
  EXPECT_EQ(both.refusals[0].example, "NOQUORUM one");
  EXPECT_EQ(both.total().failed(), 6U);
}

TEST(TallyTest, AnyNumberOfPrefixesTakesBoundedMemory) {
  Tally tally;
  for (int i = 0; i < 1000; ++i) {
    tally.failed(OpKind::kGet, Failure::kRefused, "E" + std::to_string(i));
  }
  EXPECT_EQ(tally.refusals.size(), Tally::kRefusalsMax);
  EXPECT_EQ(tally.total().failed(), 1000U);
}

}  // namespace
}  // namespace stator::bench

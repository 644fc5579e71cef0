#include "core/load/hedge_budget.h"

#include <gtest/gtest.h>

namespace stator {
namespace {

TEST(HedgeBudget, WhenAllAreLateOneInTenIsAskedTwice) {
  HedgeBudget budget;
  std::int64_t hedges = 0;
  constexpr std::int64_t kRequests = 100'000;
  for (std::int64_t i = 0; i < kRequests; ++i) {
    budget.on_request();
    if (!budget.available()) continue;
    budget.spend(1);
    ++hedges;
  }
  EXPECT_NEAR(static_cast<double>(hedges), kRequests / 10.0, HedgeBudget::kBurst + 1);
}

TEST(HedgeBudget, AFewLateOnesAreAlwaysAskedTwice) {
  HedgeBudget budget;
  for (int i = 0; i < 100'000; ++i) {
    budget.on_request();
    if (i % 20 != 0) continue;
    EXPECT_TRUE(budget.available()) << i;
    budget.spend(1);
  }
}

TEST(HedgeBudget, WhereThereAreFewRequestsTimeBringsHedges) {
  HedgeBudget budget;
  budget.spend(HedgeBudget::kBurst);
  EXPECT_FALSE(budget.available());
  for (int second = 0; second < 10; ++second) {
    for (int i = 0; i < 100; ++i) budget.on_tick();
    for (int i = 0; i < 100; ++i) {
      EXPECT_TRUE(budget.available());
      budget.spend(1);
    }
    EXPECT_FALSE(budget.available());
  }
}

TEST(HedgeBudget, WhatWasSpentTooMuchIsPaidBack) {
  HedgeBudget budget;
  budget.spend(HedgeBudget::kBurst + 50);
  for (int i = 0; i < 50 * HedgeBudget::kRequestsPerHedge; ++i) {
    EXPECT_FALSE(budget.available());
    budget.on_request();
  }
  for (int i = 0; i < HedgeBudget::kRequestsPerHedge; ++i) budget.on_request();
  EXPECT_TRUE(budget.available());
}

}  // namespace
}  // namespace stator

#include "cli/bench/key_chooser.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace stator::bench {
namespace {

constexpr int kDraws = 400'000;

std::vector<int> draws(std::uint64_t count, double theta, std::uint64_t seed) {
  const KeyChooser chooser(count, theta);
  SplitMix64 random(seed);
  std::vector<int> seen(count);
  for (int i = 0; i < kDraws; ++i) ++seen.at(chooser.draw(random));
  return seen;
}

// Pearson's statistic over its degrees of freedom: 1 on average when the draws are of this law. The
// rare keys are taken together, ten expected draws at the least.
double misfit(std::uint64_t count, double theta, std::uint64_t seed) {
  const std::vector<int> seen = draws(count, theta, seed);
  double sum = 0;
  for (std::uint64_t k = 1; k <= count; ++k) sum += std::pow(static_cast<double>(k), -theta);
  double statistic = 0;
  int classes = 0;
  double expected = 0;
  double found = 0;
  for (std::uint64_t k = 1; k <= count; ++k) {
    expected += kDraws * std::pow(static_cast<double>(k), -theta) / sum;
    found += seen[k - 1];
    if (expected < 10 && k < count) continue;
    statistic += (found - expected) * (found - expected) / std::max(expected, 1.0);
    ++classes;
    expected = found = 0;
  }
  return classes < 2 ? statistic : statistic / (classes - 1);
}

TEST(KeyChooserTest, DrawsFollowTheLaw) {
  for (const std::uint64_t count : {1UL, 2UL, 3UL, 10UL, 1000UL, 20'000UL}) {
    for (const double theta : {0.0, 0.2, 0.5, 0.99, 1.0, 1.01, 1.5, 3.0}) {
      const double fit = misfit(count, theta, 11);
      // 1 +- sqrt(2 / classes): four of those above it are far out for many, 8 for a few classes.
      EXPECT_LT(fit, count < 20 ? 8.0 : 1.0 + 4 * std::sqrt(2.0 / 40))
          << count << " keys, theta " << theta;
    }
  }
}

TEST(KeyChooserTest, AnotherLawDoesNotFit) {
  // The test above can fail: draws of theta 0.9 held against the law of 0.99.
  const std::vector<int> seen = draws(1000, 0.9, 12);
  double sum = 0;
  for (int k = 1; k <= 1000; ++k) sum += std::pow(k, -0.99);
  EXPECT_GT(std::abs(seen[0] - kDraws / sum), 0.1 * kDraws / sum);
}

TEST(KeyChooserTest, TheShareOfTheHottestKeyIsWhatTheLawSays) {
  // 1 / H(100000, 0.99), summed beforehand.
  double sum = 0;
  for (int k = 1; k <= 100'000; ++k) sum += std::pow(k, -0.99);
  const std::vector<int> seen = draws(100'000, 0.99, 13);
  EXPECT_NEAR(seen[0], kDraws / sum, 5 * std::sqrt(kDraws / sum));
}

TEST(KeyChooserTest, TheLargestSpaceIsDrawnFromAndNotExceeded) {
  for (const double theta : {0.0, 0.99, 1.0, 1.3, 10.0}) {
    const KeyChooser chooser(KeyChooser::kCountMax, theta);
    SplitMix64 random(14);
    std::uint64_t largest = 0;
    for (int i = 0; i < 10'000; ++i) largest = std::max(largest, chooser.draw(random));
    EXPECT_LT(largest, KeyChooser::kCountMax);
    if (theta <= 1) {
      EXPECT_GT(largest, KeyChooser::kCountMax / 2);
    }
  }
}

TEST(KeyChooserTest, TheSameSeedDrawsTheSameKeys) {
  EXPECT_EQ(draws(500, 0.7, 15), draws(500, 0.7, 15));
  EXPECT_NE(draws(500, 0.7, 15), draws(500, 0.7, 16));
}

}  // namespace
}  // namespace stator::bench

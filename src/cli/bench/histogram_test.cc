#include "cli/bench/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/random.h"

namespace stator::bench {
namespace {

// What the histogram approximates: the value itself out of all values, sorted.
std::uint64_t exact_at(const std::vector<std::uint64_t>& sorted, double share) {
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(sorted.size())));
  return sorted[std::max<std::size_t>(rank, 1) - 1];
}

void expect_within_one_percent(std::uint64_t got, std::uint64_t wanted) {
  EXPECT_LE(std::abs(static_cast<double>(got) - static_cast<double>(wanted)),
            0.01 * static_cast<double>(wanted))
      << got << " instead of " << wanted;
}

TEST(HistogramTest, NothingRecordedIsZeroEverywhere) {
  const Histogram histogram;
  EXPECT_EQ(histogram.count(), 0U);
  EXPECT_EQ(histogram.min(), 0U);
  EXPECT_EQ(histogram.max(), 0U);
  EXPECT_EQ(histogram.at(0.5), 0U);
  EXPECT_EQ(histogram.mean(), 0);
}

TEST(HistogramTest, OneValueIsEveryPercentileExactly) {
  for (const std::uint64_t value : {0UL, 1UL, 255UL, 256UL, 123'456'789UL, ~0UL}) {
    Histogram histogram;
    histogram.record(value);
    for (const double share : {0.0, 0.5, 0.999, 1.0}) EXPECT_EQ(histogram.at(share), value);
    EXPECT_EQ(histogram.min(), value);
    EXPECT_EQ(histogram.max(), value);
  }
}

TEST(HistogramTest, ValuesBelow256AreExact) {
  Histogram histogram;
  for (std::uint64_t value = 0; value < 256; ++value) histogram.record(value);
  for (std::uint64_t value = 0; value < 256; ++value) {
    EXPECT_EQ(histogram.at(static_cast<double>(value + 1) / 256), value);
  }
}

TEST(HistogramTest, EveryMagnitudeIsReadBackWithinOnePercent) {
  SplitMix64 random(1);
  for (int bits = 1; bits <= 64; ++bits) {
    for (int i = 0; i < 1000; ++i) {
      const std::uint64_t value = random.next() >> (64 - bits);
      Histogram histogram;
      // Neighbours on both sides, so that neither min nor max gives the answer away.
      histogram.record(0);
      histogram.record(value);
      histogram.record(~0UL);
      expect_within_one_percent(histogram.at(0.5), value);
    }
  }
}

TEST(HistogramTest, PercentilesOfSkewedLatenciesAreWithinOnePercent) {
  SplitMix64 random(2);
  std::vector<std::uint64_t> values;
  Histogram histogram;
  for (int i = 0; i < 200'000; ++i) {
    // Log-normal enough: from 20 us with a tail to seconds.
    const double spread = random.unit() + random.unit() + random.unit();
    const auto value = static_cast<std::uint64_t>(20'000 * std::exp(spread * spread * 1.2));
    values.push_back(value);
    histogram.record(value);
  }
  std::sort(values.begin(), values.end());
  for (const double share : {0.0001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999}) {
    expect_within_one_percent(histogram.at(share), exact_at(values, share));
  }
  EXPECT_EQ(histogram.at(1), values.back());
  EXPECT_EQ(histogram.min(), values.front());
  double sum = 0;
  for (const std::uint64_t value : values) sum += static_cast<double>(value);
  EXPECT_NEAR(histogram.mean(), sum / static_cast<double>(values.size()), 1);
}

TEST(HistogramTest, PartsMergedAreTheWhole) {
  SplitMix64 random(3);
  Histogram whole;
  Histogram parts[3];
  for (int i = 0; i < 30'000; ++i) {
    const std::uint64_t value = random.next() >> random.below(60);
    whole.record(value);
    parts[i % 3].record(value);
  }
  Histogram merged;
  for (const Histogram& part : parts) merged.merge(part);
  merged.merge(Histogram{});
  EXPECT_EQ(merged.count(), whole.count());
  EXPECT_EQ(merged.min(), whole.min());
  EXPECT_EQ(merged.max(), whole.max());
  for (double share = 0; share <= 1; share += 0.01) EXPECT_EQ(merged.at(share), whole.at(share));
}

TEST(HistogramTest, ClearedIsAsNew) {
  Histogram histogram;
  histogram.record(7'000'000);
  histogram.clear();
  EXPECT_EQ(histogram.count(), 0U);
  histogram.record(3);
  EXPECT_EQ(histogram.at(1), 3U);
  EXPECT_EQ(histogram.min(), 3U);
  EXPECT_EQ(histogram.mean(), 3);
}

}  // namespace
}  // namespace stator::bench

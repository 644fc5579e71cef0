#include "sim/workload.h"

#include <gtest/gtest.h>

#include <array>
#include <numeric>
#include <set>

namespace stator::sim {
namespace {

TEST(Workload, DenseRunsArePromisedFiveHundredPerSecondOnAHundredKeys) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Random random(seed);
    const Workload workload = draw_workload(random, 10, true);
    EXPECT_GE(workload.operations_per_second, 1'500);  // a third may fail where much is broken
    EXPECT_LE(workload.keys, 100U);
  }
}

TEST(Workload, DenseRunsLastTwoMinutesButNeverLongerThanTheSparseOnes) {
  const auto length = [](double minutes) {
    Random random(1);
    return draw_workload(random, minutes, true).length;
  };
  EXPECT_EQ(length(0.5), seconds(30));
  EXPECT_EQ(length(2), seconds(120));
  EXPECT_EQ(length(10), seconds(120));
  EXPECT_EQ(length(60), seconds(120));
}

TEST(Workload, SevenOfTenSeedsAreDense) {
  for (std::uint64_t first = 0; first < 20; ++first) {
    int dense = 0;
    for (std::uint64_t seed = first; seed < first + 10; ++seed) dense += is_dense(seed) ? 1 : 0;
    EXPECT_EQ(dense, 7);
  }
}

TEST(Workload, OperationsComeAsOftenAsTheirWeights) {
  Random random(3);
  const Workload workload = draw_workload(random, 10, true);
  EXPECT_NEAR(std::accumulate(workload.weights.begin(), workload.weights.end(), 0.0), 1, 1e-9);
  std::array<int, kOperationKinds> counts{};
  constexpr int kDraws = 100'000;
  for (int i = 0; i < kDraws; ++i) {
    ++counts[static_cast<std::size_t>(draw_operation(workload, random))];
  }
  for (std::size_t i = 0; i < kOperationKinds; ++i) {
    EXPECT_NEAR(static_cast<double>(counts[i]) / kDraws, workload.weights[i], 0.01);
  }
}

TEST(Workload, SeedsDiffer) {
  std::set<double> rates;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Random random(seed);
    rates.insert(draw_workload(random, 10, false).operations_per_second);
  }
  EXPECT_EQ(rates.size(), 50U);
}

TEST(Workload, AValueTellsItsKey) {
  const std::string value = make_value(12, 3, 100);
  EXPECT_EQ(value.size(), 100U);
  EXPECT_TRUE(is_value_of(value, 12));
  EXPECT_FALSE(is_value_of(value, 1));
  EXPECT_FALSE(is_value_of(value, 123));
}

TEST(Workload, KeysHaveNamesOfTheirOwn) {
  std::set<std::string> names;
  for (std::uint32_t i = 0; i < 1'000; ++i) names.insert(key_name(i));
  EXPECT_EQ(names.size(), 1'000U);
}

}  // namespace
}  // namespace stator::sim

#include "sim/workload.h"

#include <gtest/gtest.h>

#include <algorithm>
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

TEST(Workload, SomeRunsHaveExtremeValuesAndKeysAndOthersHaveNot) {
  int empty = 0;
  int huge = 0;
  int edge = 0;
  int quorums = 0;
  int late = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Random random(seed);
    Workload workload = draw_workload(random, 10, seed % 2 == 0);
    EXPECT_DOUBLE_EQ(workload.empty + workload.huge + workload.edge + workload.quorums, 0)
        << "real processes are asked for none of it";
    EXPECT_EQ(workload.lateness.ns, 0);
    draw_extremes(workload, 3, 2, Random(seed));
    empty += workload.empty > 0 ? 1 : 0;
    huge += workload.huge > 0 ? 1 : 0;
    edge += workload.edge > 0 ? 1 : 0;
    quorums += workload.quorums > 0 ? 1 : 0;
    late += workload.lateness.ns > 0 ? 1 : 0;
    EXPECT_TRUE(workload.lateness.ns == 0 || workload.duplicate > 0);
  }
  for (const int runs : {empty, huge, edge}) EXPECT_NEAR(runs, 60, 25);
  for (const int runs : {quorums, late}) EXPECT_NEAR(runs, 100, 30);
}

TEST(Workload, KeysAndValuesAreOfNoByteAsLargeAsANodeTakesThemAndOneByteLarger) {
  constexpr std::size_t kMost = 1 << 20;
  Workload workload;
  workload.keys = 10;
  workload.empty = workload.huge = workload.edge = 0.1;
  std::size_t largest = 0;
  int empty = 0;
  int most = 0;
  int over = 0;
  int others = 0;  // that are huge
  std::set<std::uint32_t> keys;
  Random seeds(1);
  for (int i = 0; i < 20'000; ++i) {
    Random random(seeds.next());
    keys.insert(draw_key(workload, random));
    const std::size_t size = draw_value_size(workload, random);
    largest = std::max(largest, size);
    most += size == kMost ? 1 : 0;
    over += size > kMost ? 1 : 0;
    others += size > 64 * 1024 && size < kMost ? 1 : 0;
    empty += draws_empty_value(workload, random) ? 1 : 0;
  }
  EXPECT_EQ(largest, kMost + 1);
  EXPECT_NEAR(most, 500, 150);
  EXPECT_NEAR(over, 500, 150);
  EXPECT_NEAR(others, 1'000, 200);
  EXPECT_NEAR(empty, 2'000, 300);
  const auto known = all_keys(workload);
  EXPECT_EQ(keys, std::set<std::uint32_t>(known.begin(), known.end()));
  std::set<std::string> names;
  for (const std::uint32_t key : known) names.insert(key_name(key));
  EXPECT_EQ(names.size(), 15U);
  EXPECT_EQ(key_name(kEmptyKey), "");
  EXPECT_EQ(key_name(kLongestKeys).size(), 4'096U);
  EXPECT_EQ(key_name(kTooLongKey).size(), 4'097U);
}

// D35: by this clients know what must work and what must be refused.
TEST(Workload, TheEdgeIsWhereALimitIs) {
  constexpr std::size_t kMost = 1 << 20;
  EXPECT_EQ(edge_of(OperationKind::kSet, 3, 100), Edge::kNone);
  EXPECT_EQ(edge_of(OperationKind::kSet, 3, kMost), Edge::kWithin);
  EXPECT_EQ(edge_of(OperationKind::kSet, 3, kMost + 1), Edge::kOver);
  EXPECT_EQ(edge_of(OperationKind::kGet, kEmptyKey, 0), Edge::kWithin);
  for (std::uint32_t i = 0; i < kLongestKeyCount; ++i) {
    EXPECT_EQ(edge_of(OperationKind::kStDel, kLongestKeys + i, 0), Edge::kWithin);
  }
  EXPECT_EQ(edge_of(OperationKind::kGet, kTooLongKey, 0), Edge::kOver);
  EXPECT_EQ(edge_of(OperationKind::kScan, kTooLongKey, 0), Edge::kNone) << "it is of all keys";
}

// What is drawn for one part of an operation does not shift the others: seeds stay what they were.
TEST(Workload, ExtremesDrawFromStreamsOfTheirOwn) {
  Workload plain;
  plain.keys = 10;
  Workload extreme = plain;
  extreme.empty = extreme.huge = extreme.edge = 1e-9;
  Random one(7);
  Random other(7);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(draw_key(plain, one), draw_key(extreme, other));
    EXPECT_EQ(draw_value_size(plain, one), draw_value_size(extreme, other));
    EXPECT_EQ(draws_empty_value(plain, one), draws_empty_value(extreme, other));
    EXPECT_EQ(one.next(), other.next());
  }
}

TEST(Workload, QuorumsOfEverySizeAreAskedForAndOfNoneMoreThanThereAre) {
  Workload workload;
  workload.replicas = 3;
  workload.acks_least = 2;
  workload.quorums = 0.5;
  std::set<int> r;
  std::set<int> w;
  std::set<int> pw;
  std::set<int> dw;
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    const AskedQuorum read = draw_quorum(workload, OperationKind::kStGet, Random(seed));
    r.insert(read.nodes);
    EXPECT_EQ(read.durable, 0);
    const AskedQuorum write = draw_quorum(workload, OperationKind::kStPut, Random(seed));
    w.insert(write.nodes);
    pw.insert(write.owners);
    dw.insert(write.durable);
    const AskedQuorum plain = draw_quorum(workload, OperationKind::kSet, Random(seed));
    EXPECT_EQ(plain.nodes + plain.owners + plain.durable, 0);
  }
  EXPECT_EQ(r, (std::set<int>{0, 1, 2, 3}));
  EXPECT_EQ(w, (std::set<int>{0, 2, 3})) << "not less than one lost disk leaves";
  EXPECT_EQ(pw, (std::set<int>{0, 1, 2, 3}));
  EXPECT_EQ(dw, (std::set<int>{0, 1, 2, 3}));
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

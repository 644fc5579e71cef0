#include <gtest/gtest.h>

#include <set>

#include "cluster.h"
#include "node/metrics.h"

// A node that lost its disk and came back under its name: what it costs until it is full again, and
// the way to fill it (docs/ops/node-down.md, docs/reliability.md).

namespace stator::test {
namespace {

constexpr unsigned kLost = 0;    // loses its disk
constexpr unsigned kKeeper = 1;  // alone holds everything then
constexpr unsigned kAbsent = 2;  // was cut off from the others when the keys were written
constexpr int kKeys = 40;

std::string key_of(int number) {
  return "key:" + std::to_string(number);
}

/// Three nodes that all own everything, by the time that the lost one is back.
class LostDisk : public testing::TestWithParam<unsigned> {
 protected:
  LostDisk() : cluster(GetParam(), 3, 3, 2, 2, 64, {}, GetParam()) {
    cluster.set_isolated(kAbsent, true);
    cluster.run(seconds(2));
    for (int i = 0; i < kKeys; ++i) {
      const WriteAnswer put = cluster.write(kLost, key_of(i), std::to_string(i));
      EXPECT_EQ(put.outcome, Outcome::kOk) << to_string(put.error.code);
    }
    // With it goes what it kept for the absent one.
    cluster.host(kLost).crash();
    cluster.host(kLost).disk().wipe();
    cluster.start(kLost);
    cluster.set_isolated(kAbsent, false);
    cluster.settle();
  }

  /// What a walk through node `i` names.
  std::set<std::string> named_by(unsigned i) {
    std::set<std::string> names;
    std::uint64_t cursor = 0;
    do {
      const auto answer = std::make_shared<std::optional<node::ScanResult>>();
      cluster.ask(i, [answer, cursor](node::Store& store) {
        store.scan({.cursor = cursor, .count = 100},
                   [answer](const Result<node::ScanResult>& step) {
                     if (step) *answer = *step;
                   });
      });
      if (!cluster.run_until([&] { return answer->has_value(); })) {
        ADD_FAILURE() << "a step of the walk has no answer";
        return names;
      }
      for (const node::ScannedKey& key : (*answer)->keys) names.insert(key.key);
      cursor = (*answer)->next;
    } while (cursor != 0);
    return names;
  }
  std::uint64_t repairs() {
    return cluster.total(&node::Metrics::read_repairs_total) +
           cluster.total(&node::Metrics::background_left_out_total);
  }
  void read_all_that_others_name() {
    for (const unsigned through : {kKeeper, kAbsent}) {
      for (const std::string& key : named_by(through)) {
        EXPECT_TRUE(cluster.read(through, key, {.r = 3}).ok) << key;
      }
    }
    cluster.run(seconds(1));  // repairs follow the answers
  }

  Cluster cluster;
};
INSTANTIATE_TEST_SUITE_P(Shards, LostDisk, testing::Values(1U, 3U),
                         [](const auto& param) { return std::to_string(param.param); });

// The limit of I12: R owners answer, and the one that acknowledged the write has forgotten it.
TEST_P(LostDisk, ItsNotFoundCountsUntilItIsFull) {
  cluster.set_isolated(kKeeper, true);
  cluster.run(seconds(2));
  const ReadAnswer stale = cluster.read(kAbsent, key_of(0));
  ASSERT_TRUE(stale.ok) << to_string(stale.error.code);
  EXPECT_TRUE(stale.values.empty());
  EXPECT_EQ(stale.evidence.nodes, 2);
  EXPECT_TRUE(named_by(kAbsent).empty()) << "neither does a walk name the key";
  cluster.set_isolated(kKeeper, false);
  cluster.settle();
  EXPECT_EQ(cluster.read(kAbsent, key_of(0), {.r = 3}).values, std::vector<std::string>{"0"});
}

TEST_P(LostDisk, IsFilledByReadingFromAllOwnersWhatEachOfTheOthersNames) {
  EXPECT_EQ(named_by(kKeeper).size(), static_cast<std::size_t>(kKeys));
  std::uint64_t before = 0;
  int rounds = 0;
  do {
    ASSERT_LT(rounds++, 10);
    before = repairs();
    read_all_that_others_name();
  } while (repairs() != before);
  EXPECT_GT(rounds, 1);
  // The only node that had everything may go now.
  cluster.host(kKeeper).crash();
  cluster.host(kKeeper).disk().wipe();
  cluster.run(seconds(2));
  for (int i = 0; i < kKeys; ++i) {
    for (const unsigned through : {kLost, kAbsent}) {
      EXPECT_EQ(cluster.read(through, key_of(i)).values,
                std::vector<std::string>{std::to_string(i)});
    }
  }
}

// D1: a process that starts is a new actor, so what it writes over an empty record is not taken for
// something old; the value that it could not see stays beside it.
TEST_P(LostDisk, WhatItWritesIsNotTakenForSomethingOld) {
  ASSERT_EQ(cluster.write(kLost, key_of(0), "new").outcome, Outcome::kOk);
  const ReadAnswer both = cluster.read(kAbsent, key_of(0), {.r = 3});
  ASSERT_TRUE(both.ok);
  EXPECT_EQ(std::set<std::string>(both.values.begin(), both.values.end()),
            (std::set<std::string>{"0", "new"}));
}

}  // namespace
}  // namespace stator::test

#include <gtest/gtest.h>

#include <algorithm>

#include "cluster.h"
#include "node/metrics.h"

// Stand-ins and hints (paper 4.6, D14, D15), one story each.

namespace stator::test {
namespace {

std::vector<std::string> sorted(std::vector<std::string> values) {
  std::sort(values.begin(), values.end());
  return values;
}

/// A cluster of five with N = 3, and who plays which part for the key "k".
class Hints : public testing::TestWithParam<unsigned> {
 protected:
  explicit Hints(unsigned nodes = 5, Cluster::Tune tune = {})
      : cluster(GetParam(), nodes, 3, 2, 2, 64, std::move(tune), GetParam()),
        owners(cluster.owners("k")) {
    for (unsigned i = 0; i < cluster.size(); ++i) {
      if (std::count(owners.begin(), owners.end(), i) == 0) others.push_back(i);
    }
  }
  static std::uint64_t pending_at(Cluster& cluster, unsigned node) {
    return cluster.count(node, &node::Metrics::hints_pending);
  }
  std::uint64_t pending() {
    std::uint64_t sum = 0;
    for (unsigned i = 0; i < cluster.size(); ++i) {
      if (cluster.runs(i)) sum += pending_at(cluster, i);
    }
    return sum;
  }
  void owners_go() {
    for (const unsigned owner : owners) cluster.host(owner).crash();
    cluster.run(seconds(2));
  }
  void owners_return() {
    for (const unsigned owner : owners) cluster.start(owner);
    cluster.settle();
  }
  [[nodiscard]] bool run_out(Duration limit = seconds(20)) {
    return cluster.run_until([&] { return pending() == 0; }, limit);
  }

  Cluster cluster;
  std::vector<unsigned> owners;
  std::vector<unsigned> others;
};
INSTANTIATE_TEST_SUITE_P(Shards, Hints, testing::Values(1U, 3U),
                         [](const auto& param) { return std::to_string(param.param); });

TEST_P(Hints, AStandInKeepsWhatAnAbsentOwnerMissesAndDeliversIt) {
  cluster.host(owners[2]).crash();
  cluster.run(seconds(2));
  const WriteAnswer put =
      cluster.write(owners[0], "k", "v", nullptr, node::WriteKind::kWithContext, {.w = 3});
  ASSERT_EQ(put.outcome, Outcome::kOk) << to_string(put.error.code);
  EXPECT_EQ(put.evidence, (node::Evidence{2, 1, 3, 1})) << "D9: it says who stands behind it";
  cluster.run(seconds(1));
  EXPECT_EQ(pending(), 1U);
  cluster.start(owners[2]);
  cluster.settle();
  ASSERT_TRUE(run_out());
  // Nobody has read the key.
  EXPECT_EQ(cluster.local_object(owners[2], "k"), cluster.local_object(owners[0], "k"));
  EXPECT_FALSE(cluster.local_object(owners[2], "k").empty());
  EXPECT_EQ(cluster.total(&node::Metrics::hints_delivered_total), 1U);
  for (const unsigned other : others) EXPECT_TRUE(cluster.local_object(other, "k").empty());
}

TEST_P(Hints, WithoutAnyOwnerStandInsCoordinateAndAreRead) {
  owners_go();
  for (const unsigned through : others) {
    const WriteAnswer put = cluster.write(through, "k", "by " + std::to_string(through));
    ASSERT_EQ(put.outcome, Outcome::kOk) << to_string(put.error.code);
    EXPECT_EQ(put.evidence, (node::Evidence{0, 2, 2, 1}));
  }
  for (const unsigned through : others) {
    const ReadAnswer got = cluster.read(through, "k");
    ASSERT_TRUE(got.ok);
    EXPECT_EQ(got.values.size(), 2U) << "blind puts are siblings";
    EXPECT_EQ(got.evidence.fallbacks, 2);
  }
  const ReadAnswer seen = cluster.read(others[0], "k");
  ASSERT_EQ(cluster.write(others[1], "k", "both", &seen.context).outcome, Outcome::kOk);
  EXPECT_EQ(cluster.read(others[0], "k").values, std::vector<std::string>{"both"});
  owners_return();
  ASSERT_TRUE(run_out());
  EXPECT_EQ(cluster.read(owners[0], "k", {.r = 3, .pr = 3}).values,
            std::vector<std::string>{"both"});
}

TEST_P(Hints, APlainWriteOfAStandInSupersedesWhatItHolds) {
  owners_go();
  for (const char* value : {"a", "b", "c"}) {
    ASSERT_EQ(cluster.write(others[0], "k", value, nullptr, node::WriteKind::kOverAll).outcome,
              Outcome::kOk);
  }
  EXPECT_EQ(cluster.read(others[1], "k").values, std::vector<std::string>{"c"});
  owners_return();
  ASSERT_TRUE(run_out());
  EXPECT_EQ(cluster.read(owners[1], "k", {.r = 3}).values, std::vector<std::string>{"c"});
}

// The deletion of a hint ends the life that minted in it: the next mint there must not look as if
// it had seen what was delivered (design 4.2).
TEST_P(Hints, AStandInThatForgotWhatItDeliveredMakesASiblingOfIt) {
  owners_go();
  ASSERT_EQ(cluster.write(others[0], "k", "first").outcome, Outcome::kOk);
  owners_return();
  ASSERT_TRUE(run_out());
  owners_go();
  ASSERT_EQ(cluster.write(others[0], "k", "second").outcome, Outcome::kOk);
  owners_return();
  ASSERT_TRUE(run_out());
  EXPECT_EQ(sorted(cluster.read(owners[0], "k", {.r = 3}).values),
            (std::vector<std::string>{"first", "second"}));
}

TEST_P(Hints, ARetriedPutIsOneValueThroughOwnersAndStandIns) {  // D7
  const WallTime now = cluster.host(0).clock().wall(cluster.world().now());
  const WriteId id = WriteId::make(static_cast<std::uint64_t>(now.ms()), WriteId::kRetryable, 1, 2);
  const auto put = [&](unsigned through) {
    return cluster.write(through, "k", "v", nullptr, node::WriteKind::kWithContext, {}, id).outcome;
  };
  EXPECT_EQ(put(owners[0]), Outcome::kOk);
  owners_go();
  for (const unsigned through : others) EXPECT_EQ(put(through), Outcome::kOk);
  // Other owners are away now, so that stand-ins stand for others than before.
  cluster.start(owners[0]);
  cluster.run(seconds(3));
  for (const unsigned through : others) EXPECT_EQ(put(through), Outcome::kOk);
  EXPECT_EQ(put(owners[0]), Outcome::kOk);
  cluster.start(owners[1]);
  cluster.start(owners[2]);
  cluster.settle();
  for (const unsigned through : owners) EXPECT_EQ(put(through), Outcome::kOk);
  ASSERT_TRUE(run_out());
  const ReadAnswer got = cluster.read(others[0], "k", {.r = 3});
  EXPECT_EQ(got.values, std::vector<std::string>{"v"});
  ASSERT_EQ(cluster.write(owners[1], "k", "w", &got.context).outcome, Outcome::kOk);
  EXPECT_EQ(put(owners[2]), Outcome::kOk);
  EXPECT_EQ(cluster.read(others[1], "k", {.r = 3}).values, std::vector<std::string>{"w"});
}

/// A put that a client sends again, since it never heard what became of it: its coordinator died
/// between storing it and answering.
class Unanswered : public Hints {
 protected:
  [[nodiscard]] WriteAnswer again(unsigned through) {
    return cluster.write(through, "k", "v", nullptr, node::WriteKind::kWithContext, {}, id);
  }
  /// The first attempt, through the first owner. `heard`: the others have stored it, and only
  /// their answers are lost; else nobody else has ever heard of it.
  void attempt_and_die(bool heard) {
    for (unsigned other = 0; other < cluster.size(); ++other) {
      if (other == owners[0]) continue;
      cluster.world().wire().set_cut(cluster.host(other).index(), cluster.host(owners[0]).index(),
                                     true);
      if (!heard) cluster.set_cut(owners[0], other, true);
    }
    const auto first =
        cluster.begin_write(owners[0], "k", "v", nullptr, node::WriteKind::kWithContext, {}, id);
    cluster.run(milliseconds(200));
    cluster.host(owners[0]).crash();
    cluster.run(seconds(2));
    ASSERT_FALSE(first->has_value()) << "unknown for ever";
    for (const unsigned owner : {owners[1], owners[2]}) {
      ASSERT_EQ(cluster.local_object(owner, "k").empty(), !heard);
    }
  }
  /// It has on its disk what it never answered.
  void coordinator_returns() {
    cluster.start(owners[0]);
    cluster.run(milliseconds(100));
    EXPECT_FALSE(cluster.local_object(owners[0], "k").empty());
    cluster.set_isolated(owners[0], false);
    cluster.settle();
    ASSERT_TRUE(run_out());
  }
  [[nodiscard]] std::vector<std::string> values() {
    return cluster.read(others[0], "k", {.r = 3, .pr = 3}).values;
  }

  [[nodiscard]] std::uint64_t now_ms() {
    return static_cast<std::uint64_t>(cluster.host(0).clock().wall(cluster.world().now()).ms());
  }
  const WriteId id = WriteId::make(now_ms(), WriteId::kRetryable, 1, 2);
};
INSTANTIATE_TEST_SUITE_P(Shards, Unanswered, testing::Values(1U, 3U),
                         [](const auto& param) { return std::to_string(param.param); });

TEST_P(Unanswered, APutThatOnlyItsDeadCoordinatorHasIsOneValueWhenItIsRetried) {  // D7
  ASSERT_NO_FATAL_FAILURE(attempt_and_die(false));
  ASSERT_EQ(again(owners[1]).outcome, Outcome::kOk);
  ASSERT_NO_FATAL_FAILURE(coordinator_returns());
  EXPECT_EQ(values(), std::vector<std::string>{"v"});
  EXPECT_EQ(again(owners[0]).outcome, Outcome::kOk);
  EXPECT_EQ(values(), std::vector<std::string>{"v"});
}

TEST_P(Unanswered, ARetryThroughAStandInThatKnowsNothingOfItIsOneValue) {  // D7
  ASSERT_NO_FATAL_FAILURE(attempt_and_die(false));
  cluster.host(owners[1]).crash();
  cluster.host(owners[2]).crash();
  cluster.run(seconds(2));
  for (const unsigned through : others) ASSERT_EQ(again(through).outcome, Outcome::kOk);
  cluster.start(owners[1]);
  cluster.start(owners[2]);
  ASSERT_NO_FATAL_FAILURE(coordinator_returns());
  EXPECT_EQ(values(), std::vector<std::string>{"v"});
}

TEST_P(Unanswered, WhatAnotherClientHasOverwrittenMeanwhileDoesNotComeBack) {  // D7, D8
  ASSERT_NO_FATAL_FAILURE(attempt_and_die(true));
  const ReadAnswer seen = cluster.read(owners[1], "k");
  ASSERT_EQ(seen.values, std::vector<std::string>{"v"});
  ASSERT_EQ(cluster.write(owners[2], "k", "w", &seen.context).outcome, Outcome::kOk);
  for (const unsigned through : {owners[1], owners[2], others[0]}) {
    EXPECT_EQ(again(through).outcome, Outcome::kOk);
    EXPECT_EQ(cluster.read(through, "k").values, std::vector<std::string>{"w"});
  }
  ASSERT_NO_FATAL_FAILURE(coordinator_returns());
  EXPECT_EQ(again(owners[0]).outcome, Outcome::kOk);
  EXPECT_EQ(values(), std::vector<std::string>{"w"});
}

TEST_P(Unanswered, NorDoesTheCopyOfItsDeadCoordinator) {  // D7
  ASSERT_NO_FATAL_FAILURE(attempt_and_die(false));
  const WriteAnswer retried = again(owners[1]);
  ASSERT_EQ(retried.outcome, Outcome::kOk);
  const ReadAnswer seen = cluster.read(owners[2], "k");
  ASSERT_EQ(seen.values, std::vector<std::string>{"v"});
  ASSERT_EQ(cluster.write(owners[2], "k", "w", &seen.context).outcome, Outcome::kOk);
  ASSERT_NO_FATAL_FAILURE(coordinator_returns());
  EXPECT_EQ(values(), std::vector<std::string>{"w"}) << "its dot is one that nobody saw";
  EXPECT_EQ(again(owners[0]).outcome, Outcome::kOk);
  EXPECT_EQ(values(), std::vector<std::string>{"w"});
}

TEST_P(Hints, AreFoundAgainAfterALossOfPowerOfTheirKeepers) {  // D14
  owners_go();
  for (int i = 0; i < 50; ++i) {
    ASSERT_EQ(
        cluster.write(others[static_cast<unsigned>(i % 2)], "k" + std::to_string(i), "v").outcome,
        Outcome::kOk);
  }
  cluster.run(seconds(1));  // extra hints come when a write is over
  const std::uint64_t before = pending();
  std::uint64_t missed = 0;
  for (int i = 0; i < 50; ++i) {
    for (const unsigned owner : cluster.owners("k" + std::to_string(i))) {
      missed += static_cast<std::uint64_t>(std::count(owners.begin(), owners.end(), owner));
    }
  }
  EXPECT_EQ(before, missed);
  for (const unsigned other : others) cluster.host(other).crash();
  for (const unsigned other : others) cluster.start(other);
  cluster.run(seconds(3));
  EXPECT_EQ(pending(), before) << "counted again";
  owners_return();
  ASSERT_TRUE(run_out());
  for (int i = 0; i < 50; ++i) {
    const std::string key = "k" + std::to_string(i);
    for (const unsigned owner : cluster.owners(key)) {
      EXPECT_FALSE(cluster.local_object(owner, key).empty()) << key;
    }
  }
}

TEST_P(Hints, AreFoundAgainHoweverSlowlyTheyAreCounted) {  // D14
  owners_go();
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(cluster.write(others[0], "k" + std::to_string(i), "v").outcome, Outcome::kOk);
  }
  cluster.run(seconds(1));
  const std::uint64_t before = pending();
  EXPECT_GT(before, 0U);
  constexpr env::BuggifyPoint kSlow[] = {"hint: the count waits",
                                         "hint: counts one range at a time"};
  for (const env::BuggifyPoint point : kSlow) {
    cluster.world().buggify().force(point);
    for (const unsigned other : others) cluster.host(other).crash();
    for (const unsigned other : others) cluster.start(other);
    cluster.run(seconds(6));
    EXPECT_EQ(pending(), before);
  }
  cluster.world().buggify().on = false;
  owners_return();
  ASSERT_TRUE(run_out());
}

TEST_P(Hints, WhatChangesWhileItIsDeliveredGoesOutAgain) {
  cluster.host(owners[2]).crash();
  cluster.run(seconds(2));
  Context context;
  for (int i = 0; i < 100; ++i) {
    if (i == 30) cluster.start(owners[2]);
    const WriteAnswer put =
        cluster.write(owners[0], "k", std::to_string(i), context.empty() ? nullptr : &context);
    ASSERT_EQ(put.outcome, Outcome::kOk);
    context = put.context;
    if (i >= 30) cluster.run(milliseconds(10));
  }
  cluster.settle();
  ASSERT_TRUE(run_out());
  cluster.run(seconds(1));
  EXPECT_EQ(cluster.local_object(owners[2], "k"), cluster.local_object(owners[0], "k"));
}

TEST_P(Hints, WhatGrowsWhileItsOwnerStoresItIsNotTakenForDelivered) {  // D14
  // Whoever coordinates cannot reach the owner; who stands in for it can.
  cluster.set_cut(owners[0], owners[2], true);
  cluster.run(seconds(2));
  cluster.host(owners[2]).disk().faults.sync_min = seconds(3);
  const auto kept = [&](std::uint64_t copies) {
    return cluster.run_until(
        [&] { return cluster.total(&node::Metrics::hints_kept_total) == copies; });
  };
  const auto write = [&](const char* value, const Context* context) {
    return cluster.write(owners[0], "k", value, context, node::WriteKind::kWithContext, {.w = 3});
  };
  const WriteAnswer first = write("first", nullptr);
  ASSERT_EQ(first.evidence, (node::Evidence{2, 1, 3, 1})) << to_string(first.error.code);
  ASSERT_TRUE(kept(1));
  ASSERT_TRUE(cluster.run_until([&] {
    return cluster.count(owners[2], &node::Metrics::replica_writes_total) == 1;
  })) << "the hint is under way";
  ASSERT_EQ(write("second", &first.context).evidence, first.evidence);
  ASSERT_TRUE(kept(2));
  ASSERT_EQ(cluster.total(&node::Metrics::hints_delivered_total), 0U);
  ASSERT_TRUE(
      cluster.run_until([&] { return cluster.total(&node::Metrics::hints_delivered_total) == 1; }));
  cluster.host(owners[2]).disk().faults = {};
  cluster.set_cut(owners[0], owners[2], false);
  cluster.settle();
  EXPECT_EQ(pending(), 0U);
  EXPECT_EQ(cluster.local_object(owners[2], "k"), cluster.local_object(owners[0], "k"));
}

TEST_P(Hints, FewerThanWNodesRefuseBeforeAnythingIsStored) {  // D8
  for (unsigned i = 0; i < cluster.size(); ++i) {
    if (i != owners[0]) cluster.host(i).crash();
  }
  cluster.run(seconds(2));
  const WriteAnswer put = cluster.write(owners[0], "k", "v");
  EXPECT_EQ(put.outcome, Outcome::kNotApplied);
  EXPECT_EQ(put.error.code, ErrorCode::kTooFewNodes);
  EXPECT_EQ(put.error.needed, 2);
  EXPECT_EQ(put.error.got, 1);
  EXPECT_TRUE(cluster.local_object(owners[0], "k").empty());
}

TEST_P(Hints, PrimaryQuorumsAreNotMadeUpByStandIns) {
  cluster.host(owners[1]).crash();
  cluster.host(owners[2]).crash();
  cluster.run(seconds(2));
  const WriteAnswer refused =
      cluster.write(owners[0], "k", "v", nullptr, node::WriteKind::kWithContext, {.w = 2, .pw = 2});
  EXPECT_EQ(refused.outcome, Outcome::kNotApplied);
  const WriteAnswer taken =
      cluster.write(owners[0], "k", "v", nullptr, node::WriteKind::kWithContext, {.w = 3, .pw = 1});
  EXPECT_EQ(taken.outcome, Outcome::kOk);
  EXPECT_EQ(taken.evidence, (node::Evidence{1, 2, 3, 1}));
  EXPECT_TRUE(cluster.read(others[0], "k", {.r = 3, .pr = 1}).ok);
  EXPECT_FALSE(cluster.read(others[0], "k", {.r = 2, .pr = 2}).ok);
}

TEST_P(Hints, AHealthyClusterKeepsNone) {
  for (int i = 0; i < 200; ++i) {
    const auto through = static_cast<unsigned>(i % 5);
    ASSERT_EQ(cluster.write(through, "k" + std::to_string(i), "v").outcome, Outcome::kOk);
  }
  cluster.run(seconds(2));
  EXPECT_EQ(cluster.total(&node::Metrics::hints_kept_total), 0U);
  EXPECT_EQ(cluster.total(&node::Metrics::writes_stood_in_total), 0U);
}

/// An owner whose disk is to bear no more than so much background work.
class PacedHints : public Hints {
 protected:
  static constexpr std::uint64_t kBytesPerSecond = 256 << 10;
  PacedHints()
      : Hints(5, [](node::NodeOptions& options) {
          options.background_bytes_per_second = kBytesPerSecond;
        }) {}
};
INSTANTIATE_TEST_SUITE_P(Shards, PacedHints, testing::Values(1U),
                         [](const auto& param) { return std::to_string(param.param); });

TEST_P(PacedHints, ReachAnOwnerAsFastAsItWantsThemAndNoFaster) {  // D15
  constexpr std::size_t kValue = 8 << 10;
  cluster.host(owners[2]).crash();
  cluster.run(seconds(2));
  for (int i = 0; i < 300; ++i) {
    const unsigned through = i % 2 == 0 ? owners[0] : owners[1];
    ASSERT_EQ(cluster.write(through, "p" + std::to_string(i), std::string(kValue, 'v')).outcome,
              Outcome::kOk);
  }
  cluster.run(seconds(1));
  const std::uint64_t owed = pending();
  ASSERT_GT(owed, 100U);
  cluster.start(owners[2]);
  cluster.settle();
  // Whatever it has had until now came while its links were coming up.
  const std::uint64_t left = pending();
  const MonoTime begin = cluster.world().now();
  ASSERT_TRUE(run_out(seconds(120)));
  const double seconds_taken = static_cast<double>((cluster.world().now() - begin).ns) / 1e9;
  const double at_most = static_cast<double>(left * kValue) / kBytesPerSecond;
  // What is under way when it first says so is one window of each keeper, and a rest allows a
  // quarter of a second.
  EXPECT_GT(left, owed / 2);
  EXPECT_GT(seconds_taken, 0.5 * at_most);
  EXPECT_LT(seconds_taken, 10 * at_most) << "and they do reach it";
}

/// One node beyond the owners.
class OneStandIn : public Hints {
 protected:
  OneStandIn() : Hints(4) {}
};
INSTANTIATE_TEST_SUITE_P(Shards, OneStandIn, testing::Values(1U, 3U),
                         [](const auto& param) { return std::to_string(param.param); });

// D9, D14: an owner that answers late and its stand-in are one place, since the latter's copy is
// gone when it is delivered. The stand-in serves another owner instead.
TEST_P(OneStandIn, WhoseOwnerAnswersLateKeepsTheWriteForAnotherOne) {
  cluster.host(owners[1]).disk().faults.sync_min = milliseconds(1'100);
  cluster.set_cut(owners[0], owners[2], true);
  const WriteAnswer put =
      cluster.write(owners[0], "k", "v", nullptr, node::WriteKind::kWithContext, {.w = 3});
  ASSERT_EQ(put.outcome, Outcome::kOk) << to_string(put.error.code);
  EXPECT_EQ(put.evidence, (node::Evidence{2, 1, 3, 1}));
  // The coordinator cannot reach it; who stands in for it can.
  EXPECT_TRUE(
      cluster.run_until([&] { return cluster.total(&node::Metrics::hints_delivered_total) > 0; }));
  EXPECT_TRUE(cluster.run_until([&] { return !cluster.local_object(owners[2], "k").empty(); }))
      << "three places were promised";
  cluster.host(owners[1]).disk().faults = {};
  cluster.set_cut(owners[0], owners[2], false);
  cluster.settle();
  ASSERT_TRUE(run_out());
  for (const unsigned owner : owners) {
    EXPECT_EQ(cluster.local_object(owner, "k"), cluster.local_object(owners[0], "k"));
  }
}

/// As many nodes as N: nobody can stand in, and the coordinator keeps what the absent owner misses.
class ExtraHints : public Hints {
 protected:
  ExtraHints() : Hints(3) {}
};
INSTANTIATE_TEST_SUITE_P(Shards, ExtraHints, testing::Values(1U, 3U),
                         [](const auto& param) { return std::to_string(param.param); });

TEST_P(ExtraHints, TheCoordinatorKeepsWhatDoesNotCount) {
  cluster.host(2).crash();
  cluster.run(seconds(2));
  for (int i = 0; i < 100; ++i) {
    const WriteAnswer put =
        cluster.write(static_cast<unsigned>(i % 2), "k" + std::to_string(i), "v");
    ASSERT_EQ(put.outcome, Outcome::kOk);
    EXPECT_EQ(put.evidence, (node::Evidence{2, 0, 2, 1}));
  }
  cluster.run(seconds(1));
  EXPECT_EQ(pending(), 100U);
  cluster.start(2);
  cluster.settle();
  ASSERT_TRUE(run_out());
  for (int i = 0; i < 100; ++i) {
    const std::string key = "k" + std::to_string(i);
    EXPECT_EQ(cluster.local_object(2, key), cluster.local_object(0, key)) << key;
  }
}

class CappedHints : public Hints {
 protected:
  CappedHints() : Hints(3, [](node::NodeOptions& options) { options.hint_bytes_max = 0; }) {}
};
INSTANTIATE_TEST_SUITE_P(Shards, CappedHints, testing::Values(1U),
                         [](const auto& param) { return std::to_string(param.param); });

TEST_P(CappedHints, WhatIsOverTheCapIsLeftOutAndNeverRefusesAWrite) {  // D15
  cluster.host(2).crash();
  cluster.run(seconds(2));
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(cluster.write(0, "k" + std::to_string(i), "v").outcome, Outcome::kOk);
  }
  cluster.run(seconds(1));
  EXPECT_EQ(pending(), 0U);
  EXPECT_EQ(cluster.total(&node::Metrics::hints_left_out_total), 20U);
}

/// A cap under which some of them fit.
class HalfCappedHints : public Hints {
 protected:
  static constexpr std::uint64_t kCap = 10 << 10;
  static constexpr unsigned kWrites = 20;
  HalfCappedHints() : Hints(3, [](node::NodeOptions& options) { options.hint_bytes_max = kCap; }) {}

  /// Each of a tenth of the cap, and somewhat more.
  void write_while_away(const std::string& prefix, unsigned writes) {
    cluster.host(2).crash();
    cluster.run(seconds(2));
    for (unsigned i = 0; i < writes; ++i) {
      ASSERT_EQ(cluster.write(0, prefix + std::to_string(i), value).outcome, Outcome::kOk);
    }
    cluster.run(seconds(1));
  }
  /// The owner that was away has nothing of the key.
  [[nodiscard]] bool lacks(unsigned i) {
    return cluster.local_object(2, "k" + std::to_string(i)).empty();
  }
  [[nodiscard]] std::uint64_t left_out() {
    return cluster.total(&node::Metrics::hints_left_out_total);
  }

  const std::string value = std::string(kCap / 10, 'v');
};
INSTANTIATE_TEST_SUITE_P(Shards, HalfCappedHints, testing::Values(1U),
                         [](const auto& param) { return std::to_string(param.param); });

TEST_P(HalfCappedHints, WhatFitsIsKeptAndThereIsRoomAgainWhenItIsDelivered) {  // D15
  ASSERT_NO_FATAL_FAILURE(write_while_away("k", kWrites));
  const std::uint64_t kept = pending();
  EXPECT_GE(kept, 5U);
  EXPECT_LE(kept, 9U) << "ten values alone are the cap";
  EXPECT_EQ(left_out(), kWrites - kept);
  const std::uint64_t bytes = cluster.total(&node::Metrics::hints_pending_bytes);
  EXPECT_LE(bytes, kCap);
  EXPECT_GT(bytes, kCap - 2 * value.size()) << "one more would have fitted";
  cluster.start(2);
  cluster.settle();
  ASSERT_TRUE(run_out());
  EXPECT_EQ(cluster.total(&node::Metrics::hints_delivered_total), kept);
  EXPECT_EQ(cluster.total(&node::Metrics::hints_pending_bytes), 0U);
  std::vector<unsigned> lacking;
  for (unsigned i = 0; i < kWrites; ++i) {
    if (lacks(i)) lacking.push_back(i);
  }
  ASSERT_EQ(lacking.size(), kWrites - kept) << "what was left out waits for a read";
  ASSERT_TRUE(cluster.read(0, "k" + std::to_string(lacking[0]), {.r = 3}).ok);
  EXPECT_TRUE(cluster.run_until([&] { return !lacks(lacking[0]); }));
  ASSERT_NO_FATAL_FAILURE(write_while_away("again", 3));
  EXPECT_EQ(pending(), 3U);
  EXPECT_EQ(left_out(), kWrites - kept);
}

}  // namespace
}  // namespace stator::test

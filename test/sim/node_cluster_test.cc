#include <gtest/gtest.h>

#include <algorithm>

#include "cluster.h"

namespace stator::test {
namespace {

using testing::Test;

std::vector<std::string> sorted(std::vector<std::string> values) {
  std::sort(values.begin(), values.end());
  return values;
}

TEST(NodeCluster, AWriteThroughOneNodeIsReadThroughEveryOther) {
  Cluster cluster(1, 3);
  const WriteAnswer put = cluster.write(0, "cart", "milk");
  ASSERT_EQ(put.outcome, Outcome::kOk) << to_string(put.error.code);
  EXPECT_GE(put.evidence.nodes, 2);
  for (unsigned i = 0; i < 3; ++i) {
    const ReadAnswer got = cluster.read(i, "cart");
    ASSERT_TRUE(got.ok);
    EXPECT_EQ(got.values, std::vector<std::string>{"milk"});
    EXPECT_EQ(got.evidence.primaries, 2);
  }
}

TEST(NodeCluster, AKeyThatNobodyWroteIsNotFound) {
  Cluster cluster(2, 3);
  const ReadAnswer got = cluster.read(1, "nothing");
  ASSERT_TRUE(got.ok);
  EXPECT_TRUE(got.values.empty());
  EXPECT_TRUE(got.context.empty());
}

TEST(NodeCluster, ANodeThatIsNoOwnerForwardsWritesAndCoordinatesReads) {
  Cluster cluster(3, 5);
  const auto owners = cluster.owners("k");
  unsigned outsider = 0;
  while (std::find(owners.begin(), owners.end(), outsider) != owners.end()) ++outsider;
  const WriteAnswer put = cluster.write(outsider, "k", "v");
  ASSERT_EQ(put.outcome, Outcome::kOk);
  EXPECT_EQ(cluster.store(outsider).metrics().writes_forwarded_total, 1U);
  EXPECT_EQ(cluster.read(outsider, "k").values, std::vector<std::string>{"v"});
  // The context that came back through the forwarder covers the write.
  const WriteAnswer next = cluster.write(outsider, "k", "w", &put.context);
  ASSERT_EQ(next.outcome, Outcome::kOk);
  EXPECT_EQ(cluster.read(outsider, "k").values, std::vector<std::string>{"w"});
}

TEST(NodeCluster, BlindPutsAreSiblingsUntilSomebodyWhoSawThemWrites) {
  Cluster cluster(4, 3);
  cluster.write(0, "k", "a");
  cluster.write(1, "k", "b");
  const ReadAnswer both = cluster.read(2, "k");
  EXPECT_EQ(sorted(both.values), (std::vector<std::string>{"a", "b"}));
  cluster.write(2, "k", "ab", &both.context);
  EXPECT_EQ(cluster.read(0, "k").values, std::vector<std::string>{"ab"});
}

TEST(NodeCluster, APlainWriteSupersedesWhateverIsThere) {
  Cluster cluster(5, 3);
  cluster.write(0, "k", "a");
  cluster.write(1, "k", "b");
  const WriteAnswer set = cluster.write(2, "k", "c", nullptr, node::WriteKind::kOverAll);
  ASSERT_EQ(set.outcome, Outcome::kOk);
  EXPECT_EQ(cluster.read(0, "k").values, std::vector<std::string>{"c"});
}

TEST(NodeCluster, AHundredInterleavedWritesOfTwoClientsLeaveTwoSiblings) {
  Cluster cluster(6, 3);
  Context mine[2];
  for (int i = 0; i < 100; ++i) {
    const int who = i % 2;
    const WriteAnswer put = cluster.write(static_cast<unsigned>(i % 3), "k", std::to_string(i),
                                          mine[who].empty() ? nullptr : &mine[who]);
    ASSERT_EQ(put.outcome, Outcome::kOk);
    mine[who] = put.context;
  }
  EXPECT_EQ(sorted(cluster.read(0, "k").values), (std::vector<std::string>{"98", "99"}));
}

TEST(NodeCluster, OneDeadNodeOfThreeRefusesNothing) {
  Cluster cluster(7, 3);
  cluster.host(2).crash();
  cluster.run(milliseconds(10));
  for (int i = 0; i < 50; ++i) {
    const std::string key = "k" + std::to_string(i);
    ASSERT_EQ(cluster.write(static_cast<unsigned>(i % 2), key, "v").outcome, Outcome::kOk) << i;
    ASSERT_EQ(cluster.read(static_cast<unsigned>((i + 1) % 2), key).values.size(), 1U) << i;
  }
}

TEST(NodeCluster, AReturningNodeIsBroughtUpToDateByReads) {
  Cluster cluster(8, 3);
  cluster.write(0, "k", "old");
  cluster.run(seconds(1));
  cluster.host(2).crash();
  const ReadAnswer before = cluster.read(0, "k");
  ASSERT_EQ(cluster.write(0, "k", "new", &before.context).outcome, Outcome::kOk);
  cluster.start(2);
  cluster.run(seconds(3));
  // Owners that were away are asked for a digest after the answer of any read (design 4.4).
  EXPECT_EQ(cluster.read(0, "k").values, std::vector<std::string>{"new"});
  cluster.run(seconds(1));
  EXPECT_EQ(cluster.local_object(2, "k"), cluster.local_object(0, "k"));
  EXPECT_FALSE(cluster.local_object(2, "k").empty());
}

TEST(NodeCluster, ARestartedNodeServesAsSoonAsItIsSettled) {
  // Long down: its peers dial it about once a second.
  Cluster cluster(18, 3);
  ASSERT_EQ(cluster.write(0, "k", "v").outcome, Outcome::kOk);
  cluster.host(2).crash();
  cluster.run(seconds(5));
  cluster.start(2);
  ASSERT_TRUE(cluster.run_until([&] { return cluster.runs(2) && cluster.node(2).settled(); },
                                milliseconds(200)));
  const MonoTime begin = cluster.world().now();
  EXPECT_EQ(cluster.read(2, "k", {.r = 3}).values, std::vector<std::string>{"v"});
  EXPECT_EQ(cluster.write(2, "other", "v").outcome, Outcome::kOk);
  EXPECT_LT(cluster.world().now() - begin, milliseconds(100));
}

// Its own links are up after one trip; those of its peers to it are not yet, so that their first
// answers are lost.
TEST(NodeCluster, WhatARestartedNodeIsAskedEarlyIsRefusedAtOnceOrAnsweredSoon) {
  int refused = 0;
  int answered = 0;
  for (int early = 0; early < 40; ++early) {
    Cluster cluster(20 + static_cast<std::uint64_t>(early), 3);
    ASSERT_EQ(cluster.write(0, "k", "v").outcome, Outcome::kOk);
    cluster.host(2).crash();
    cluster.run(seconds(5));
    cluster.start(2);
    cluster.run(microseconds(100) * early);
    if (!cluster.runs(2) || cluster.node(2).settled()) continue;
    const MonoTime begin = cluster.world().now();
    const auto write =
        cluster.begin_write(2, "other", "v", nullptr, node::WriteKind::kOverAll, {.w = 3});
    const auto read = cluster.begin_read(2, "k", {.r = 3});
    ASSERT_TRUE(cluster.run_until([&] { return read->has_value() && write->has_value(); }));
    EXPECT_LT(cluster.world().now() - begin, milliseconds(100)) << early;
    (*read)->ok ? ++answered : ++refused;
    EXPECT_EQ((*read)->ok, (*write)->outcome == Outcome::kOk) << early;
  }
  EXPECT_GT(refused, 0);
  EXPECT_GT(answered, 0);
}

TEST(NodeCluster, AnswersThatComeTwiceFailNobody) {
  Cluster cluster(21, 3);
  for (int i = 0; i < 100; ++i)
    cluster.write(0, "k" + std::to_string(i), "old", nullptr, node::WriteKind::kOverAll);
  cluster.host(2).crash();
  for (int i = 0; i < 100; ++i)
    cluster.write(0, "k" + std::to_string(i), "new", nullptr, node::WriteKind::kOverAll);
  cluster.start(2);
  cluster.settle();
  sim::NetworkFaults twice = cluster.world().wire().faults(0, 1);
  twice.duplicate = 1;
  cluster.world().wire().set_faults(twice);
  // Node 3 answers with another digest, is asked for its value, and then its digest comes again.
  for (int i = 0; i < 100; ++i) {
    const ReadAnswer answer = cluster.read(0, "k" + std::to_string(i), {.r = 3});
    EXPECT_TRUE(answer.ok) << i << ": " << to_string(answer.error.code);
    EXPECT_EQ(answer.values, std::vector<std::string>{"new"});
  }
}

TEST(NodeCluster, WritesInFlightOutliveASilenceOfTheirPeers) {
  Cluster cluster(22, 5);
  const std::vector<unsigned> owners = cluster.owners("k");
  unsigned other = 0;  // no owner: its writes are forwarded
  while (std::count(owners.begin(), owners.end(), other) > 0) ++other;
  for (const unsigned owner : owners) cluster.host(owner).pause();
  const auto forwarded = cluster.begin_write(other, "k", "v", nullptr, node::WriteKind::kOverAll);
  cluster.run(milliseconds(1500));  // beyond the time after which a peer is avoided
  EXPECT_FALSE(cluster.all_healthy());
  for (const unsigned owner : owners) cluster.host(owner).resume();
  ASSERT_TRUE(cluster.run_until([&] { return forwarded->has_value(); }));
  EXPECT_EQ((*forwarded)->outcome, Outcome::kOk);
  cluster.settle();
  cluster.host(owners[1]).pause();
  cluster.host(owners[2]).pause();
  const auto coordinated =
      cluster.begin_write(owners[0], "k", "w", nullptr, node::WriteKind::kOverAll, {.w = 3});
  cluster.run(milliseconds(1500));
  cluster.host(owners[1]).resume();
  cluster.host(owners[2]).resume();
  ASSERT_TRUE(cluster.run_until([&] { return coordinated->has_value(); }));
  EXPECT_EQ((*coordinated)->outcome, Outcome::kOk);
}

TEST(NodeCluster, AnOwnerThatWasNotSentToMakesNoOutcomeUnknown) {
  Cluster cluster(23, 5, 3, 2, 2, 64,
                  [](node::NodeOptions& options) { options.limits.siblings_max = 1; });
  const std::vector<unsigned> owners = cluster.owners("k");
  unsigned other = 0;
  while (std::count(owners.begin(), owners.end(), other) > 0) ++other;
  ASSERT_EQ(cluster.write(other, "k", "v").outcome, Outcome::kOk);
  // None looks usable, so that the first one is tried first; it is the one that is gone.
  cluster.host(owners[1]).pause();
  cluster.host(owners[2]).pause();
  cluster.run(milliseconds(1500));
  cluster.host(owners[0]).kill();
  cluster.run(milliseconds(100));
  cluster.host(owners[1]).resume();
  cluster.host(owners[2]).resume();
  const WallTime now = cluster.host(other).clock().wall(cluster.world().now());
  const WriteId id = WriteId::make(static_cast<std::uint64_t>(now.ms()), WriteId::kRetryable, 1, 2);
  // The first owner cannot be reached; the second one refuses to make a sibling.
  const WriteAnswer answer =
      cluster.write(other, "k", "w", nullptr, node::WriteKind::kWithContext, {}, id);
  EXPECT_EQ(answer.error.code, ErrorCode::kTooManySiblings);
  EXPECT_EQ(answer.outcome, Outcome::kNotApplied);
}

TEST(NodeCluster, WhatWasAcknowledgedSurvivesLossOfPowerOfAllNodes) {
  Cluster cluster(9, 3);
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(cluster.write(0, "k" + std::to_string(i), "v" + std::to_string(i)).outcome,
              Outcome::kOk);
  }
  for (unsigned i = 0; i < 3; ++i) cluster.host(i).crash();
  for (unsigned i = 0; i < 3; ++i) cluster.start(i);
  cluster.run(seconds(3));
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(cluster.read(1, "k" + std::to_string(i)).values,
              std::vector<std::string>{"v" + std::to_string(i)});
  }
}

TEST(NodeCluster, ARetriedPutIsOneValueWhereverItIsRetried) {
  Cluster cluster(10, 5);
  const WriteId id = WriteId::make(
      static_cast<std::uint64_t>(cluster.host(0).clock().wall(cluster.world().now()).ms()),
      WriteId::kRetryable, 1, 2);
  for (unsigned i = 0; i < 5; ++i) {
    EXPECT_EQ(cluster.write(i, "k", "v", nullptr, node::WriteKind::kWithContext, {}, id).outcome,
              Outcome::kOk);
  }
  const ReadAnswer got = cluster.read(0, "k");
  EXPECT_EQ(got.values, std::vector<std::string>{"v"});
  ASSERT_EQ(cluster.write(1, "k", "w", &got.context).outcome, Outcome::kOk);
  // Overwritten since: the retry is acknowledged and brings nothing back.
  EXPECT_EQ(cluster.write(3, "k", "v", nullptr, node::WriteKind::kWithContext, {}, id).outcome,
            Outcome::kOk);
  EXPECT_EQ(cluster.read(4, "k").values, std::vector<std::string>{"w"});
}

TEST(NodeCluster, AWriteWithoutQuorumIsUnknownAndOneWithoutAnyOwnerIsNotApplied) {
  Cluster cluster(11, 3);
  cluster.host(1).crash();
  cluster.host(2).crash();
  cluster.run(seconds(2));
  const WriteAnswer put = cluster.write(0, "k", "v");
  EXPECT_EQ(put.outcome, Outcome::kUnknown);
  EXPECT_TRUE(put.id);
  const WriteAnswer one =
      cluster.write(0, "k2", "v", nullptr, node::WriteKind::kWithContext, {.w = 1});
  EXPECT_EQ(one.outcome, Outcome::kOk);
}

}  // namespace
}  // namespace stator::test

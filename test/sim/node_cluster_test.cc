#include <gtest/gtest.h>

#include <algorithm>

#include "cluster.h"

namespace stator::test {
namespace {

/// What is told here holds whatever the number of shards per node.
class NodeCluster : public testing::TestWithParam<unsigned> {
 protected:
  static Cluster make(std::uint64_t seed, unsigned nodes, Cluster::Tune tune = {}) {
    return Cluster(seed, nodes, 3, 2, 2, 64, std::move(tune), GetParam());
  }
};
// Which shard of a node the links of a peer are dealt to is a matter of chance: some get none, and
// hear of that peer by the answers to their own pings alone.
TEST(NodeShards, EachHearsEveryPeerWhereverItsLinksWereDealtTo) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Cluster cluster(seed, 4, 3, 2, 2, 64, {}, 3);  // all are healthy, or it ends here
    for (const unsigned node : {1U, 2U, 3U}) {
      cluster.host(node).kill();
      cluster.start(node);
      EXPECT_TRUE(cluster.run_until([&] { return cluster.all_healthy(); }, seconds(5))) << seed;
      cluster.run(seconds(2));
      EXPECT_TRUE(cluster.all_healthy()) << seed;
    }
  }
}

// What is on disk does not depend on the number of shards.
TEST(NodeShards, ANodeComesBackWithAnotherNumber) {
  Cluster cluster(1, 3, 3, 2, 2, 64, {}, 2);
  for (int i = 0; i < 50; ++i) {
    const std::string key = "k" + std::to_string(i);
    ASSERT_EQ(cluster.write(static_cast<unsigned>(i % 3), key, "v" + key).outcome, Outcome::kOk);
  }
  for (const unsigned shards : {3U, 1U, 2U}) {
    for (unsigned i = 0; i < 3; ++i) cluster.host(i).crash();
    cluster.set_shards(shards);
    for (unsigned i = 0; i < 3; ++i) cluster.start(i);
    cluster.settle();
    for (int i = 0; i < 50; ++i) {
      const std::string key = "k" + std::to_string(i);
      EXPECT_EQ(cluster.read(static_cast<unsigned>(i % 3), key).values,
                std::vector<std::string>{"v" + key});
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Shards, NodeCluster, testing::Values(1U, 2U),
                         [](const auto& param) { return std::to_string(param.param); });

std::vector<std::string> sorted(std::vector<std::string> values) {
  std::sort(values.begin(), values.end());
  return values;
}

TEST_P(NodeCluster, AWriteThroughOneNodeIsReadThroughEveryOther) {
  Cluster cluster = make(1, 3);
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

TEST_P(NodeCluster, AKeyThatNobodyWroteIsNotFound) {
  Cluster cluster = make(2, 3);
  const ReadAnswer got = cluster.read(1, "nothing");
  ASSERT_TRUE(got.ok);
  EXPECT_TRUE(got.values.empty());
  EXPECT_TRUE(got.context.empty());
}

TEST_P(NodeCluster, ANodeThatIsNoOwnerForwardsWritesAndCoordinatesReads) {
  Cluster cluster = make(3, 5);
  const auto owners = cluster.owners("k");
  unsigned outsider = 0;
  while (std::find(owners.begin(), owners.end(), outsider) != owners.end()) ++outsider;
  const WriteAnswer put = cluster.write(outsider, "k", "v");
  ASSERT_EQ(put.outcome, Outcome::kOk);
  EXPECT_EQ(cluster.count(outsider, &node::Metrics::writes_forwarded_total), 1U);
  EXPECT_EQ(cluster.read(outsider, "k").values, std::vector<std::string>{"v"});
  // The context that came back through the forwarder covers the write.
  const WriteAnswer next = cluster.write(outsider, "k", "w", &put.context);
  ASSERT_EQ(next.outcome, Outcome::kOk);
  EXPECT_EQ(cluster.read(outsider, "k").values, std::vector<std::string>{"w"});
}

TEST_P(NodeCluster, BlindPutsAreSiblingsUntilSomebodyWhoSawThemWrites) {
  Cluster cluster = make(4, 3);
  cluster.write(0, "k", "a");
  cluster.write(1, "k", "b");
  const ReadAnswer both = cluster.read(2, "k");
  EXPECT_EQ(sorted(both.values), (std::vector<std::string>{"a", "b"}));
  cluster.write(2, "k", "ab", &both.context);
  EXPECT_EQ(cluster.read(0, "k").values, std::vector<std::string>{"ab"});
}

TEST_P(NodeCluster, APlainWriteSupersedesWhateverIsThere) {
  Cluster cluster = make(5, 3);
  cluster.write(0, "k", "a");
  cluster.write(1, "k", "b");
  const WriteAnswer set = cluster.write(2, "k", "c", nullptr, node::WriteKind::kOverAll);
  ASSERT_EQ(set.outcome, Outcome::kOk);
  EXPECT_EQ(cluster.read(0, "k").values, std::vector<std::string>{"c"});
}

TEST_P(NodeCluster, AHundredInterleavedWritesOfTwoClientsLeaveTwoSiblings) {
  Cluster cluster = make(6, 3);
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

TEST_P(NodeCluster, OneDeadNodeOfThreeRefusesNothing) {
  Cluster cluster = make(7, 3);
  cluster.host(2).crash();
  cluster.run(milliseconds(10));
  for (int i = 0; i < 50; ++i) {
    const std::string key = "k" + std::to_string(i);
    ASSERT_EQ(cluster.write(static_cast<unsigned>(i % 2), key, "v").outcome, Outcome::kOk) << i;
    ASSERT_EQ(cluster.read(static_cast<unsigned>((i + 1) % 2), key).values.size(), 1U) << i;
  }
}

TEST_P(NodeCluster, AReturningNodeIsBroughtUpToDateByReads) {
  Cluster cluster = make(8, 3);
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

TEST_P(NodeCluster, ARestartedNodeServesAsSoonAsItIsSettled) {
  // Long down: its peers dial it about once a second.
  Cluster cluster = make(18, 3);
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
TEST_P(NodeCluster, WhatARestartedNodeIsAskedEarlyIsRefusedAtOnceOrAnsweredSoon) {
  int refused = 0;
  int answered = 0;
  for (int early = 0; early < 40; ++early) {
    Cluster cluster = make(20 + static_cast<std::uint64_t>(early), 3);
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
    const bool written = (*write)->outcome == Outcome::kOk;
    for (const bool ok : {(*read)->ok, written}) ok ? ++answered : ++refused;
    // With several shards each finds its peers by itself.
    if (cluster.shards() == 1) {
      EXPECT_EQ((*read)->ok, written) << early;
    }
  }
  EXPECT_GT(refused, 0);
  EXPECT_GT(answered, 0);
}

TEST_P(NodeCluster, AnswersThatComeTwiceFailNobody) {
  Cluster cluster = make(21, 3);
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

TEST_P(NodeCluster, WritesInFlightOutliveASilenceOfTheirPeers) {
  Cluster cluster = make(22, 5);
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

TEST_P(NodeCluster, AnOwnerThatWasNotSentToMakesNoOutcomeUnknown) {
  Cluster cluster =
      make(23, 5, [](node::NodeOptions& options) { options.limits.siblings_max = 1; });
  const std::vector<unsigned> owners = cluster.owners("k");
  unsigned other = 0;
  while (std::count(owners.begin(), owners.end(), other) > 0) ++other;
  ASSERT_EQ(cluster.write(other, "k", "v").outcome, Outcome::kOk);
  cluster.host(owners[0]).kill();
  cluster.run(milliseconds(100));
  const WallTime now = cluster.host(other).clock().wall(cluster.world().now());
  const WriteId id = WriteId::make(static_cast<std::uint64_t>(now.ms()), WriteId::kRetryable, 1, 2);
  // The first owner cannot be reached; the second one refuses to make a sibling.
  const WriteAnswer answer =
      cluster.write(other, "k", "w", nullptr, node::WriteKind::kWithContext, {}, id);
  EXPECT_EQ(answer.error.code, ErrorCode::kTooManySiblings);
  EXPECT_EQ(answer.outcome, Outcome::kNotApplied);
}

TEST_P(NodeCluster, WhatWasAcknowledgedSurvivesLossOfPowerOfAllNodes) {
  Cluster cluster = make(9, 3);
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

// Design 4.6: `dw` asks for durable copies of one write where the nodes promise none.
TEST_P(NodeCluster, DurableCopiesThatAWriteAsksForSurviveLossOfPower) {
  Cluster cluster(
      12, 3, 3, 2, 2, 64,
      [](node::NodeOptions& options) { options.durability = node::Durability::kNone; }, GetParam());
  cluster.settle();
  const auto write = [&](const std::string& key, std::uint8_t dw, WriteId id = {}) {
    return cluster.write(0, key, "v", nullptr, node::WriteKind::kWithContext, {.dw = dw}, id)
        .outcome;
  };
  const WriteId id = WriteId::make(
      static_cast<std::uint64_t>(cluster.host(0).clock().wall(cluster.world().now()).ms()),
      WriteId::kRetryable, 1, 2);
  ASSERT_EQ(write("asked", 3), Outcome::kOk);
  ASSERT_EQ(write("asked when retried", 0, id), Outcome::kOk);
  cluster.run(seconds(1));
  ASSERT_EQ(write("asked when retried", 3, id), Outcome::kOk) << "equal copies are synced, too";
  for (unsigned i = 0; i < 3; ++i) cluster.host(i).crash();
  for (unsigned i = 0; i < 3; ++i) cluster.start(i);
  cluster.settle();
  for (unsigned i = 0; i < 3; ++i) {
    EXPECT_FALSE(cluster.local_object(i, "asked").empty());
    EXPECT_FALSE(cluster.local_object(i, "asked when retried").empty());
  }
}

TEST_P(NodeCluster, ARetriedPutIsOneValueWhereverItIsRetried) {
  Cluster cluster = make(10, 5);
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

TEST_P(NodeCluster, AWriteWithoutQuorumIsRefusedBeforeAnythingIsStored) {
  Cluster cluster = make(11, 3);
  cluster.host(1).crash();
  cluster.host(2).crash();
  cluster.run(seconds(2));
  const WriteAnswer put = cluster.write(0, "k", "v");
  EXPECT_EQ(put.outcome, Outcome::kNotApplied);
  EXPECT_EQ(put.error.code, ErrorCode::kTooFewNodes);
  EXPECT_TRUE(cluster.local_object(0, "k").empty());
  const WriteAnswer one =
      cluster.write(0, "k2", "v", nullptr, node::WriteKind::kWithContext, {.w = 1});
  EXPECT_EQ(one.outcome, Outcome::kOk);
}

/// Asks a node for everything that its peers have a part in, again and again until it is ended.
class Asker {
 public:
  Asker(Cluster& cluster, unsigned node) : cluster_(cluster), node_(node) {
    scan(0);
    read(0);
    write(0);
  }
  void end() { ended_ = true; }
  [[nodiscard]] bool idle() const { return open_ == 0; }
  std::vector<std::string> written;
  int failed = 0;
  int keys_seen = 0;

 private:
  void scan(std::uint64_t cursor) {
    if (ended_) return;
    ++open_;
    cluster_.ask(node_, [this, cursor](node::Store& store) {
      store.scan({.cursor = cursor, .count = 100}, [this](const Result<node::ScanResult>& result) {
        --open_;
        if (result) keys_seen += static_cast<int>(result->keys.size());
        scan(result ? result->next : 0);
      });
    });
  }
  void read(int number) {
    if (ended_) return;
    ++open_;
    cluster_.read_then(node_, "k" + std::to_string(number % 100), {}, [=, this](ReadAnswer answer) {
      --open_;
      if (!answer.ok) ++failed;
      read(number + 1);
    });
  }
  void write(int number) {
    if (ended_) return;
    ++open_;
    const std::string key = "n" + std::to_string(node_) + "-" + std::to_string(number);
    cluster_.write_then(node_, key, key, nullptr, node::WriteKind::kWithContext, {}, {}, false,
                        [=, this](WriteAnswer answer) {
                          --open_;
                          if (answer.outcome == Outcome::kOk) written.push_back(key);
                          if (answer.outcome == Outcome::kNotApplied) ++failed;
                          write(number + 1);
                        });
  }

  Cluster& cluster_;
  unsigned node_;
  int open_ = 0;
  bool ended_ = false;
};

TEST_P(NodeCluster, ANodeThatIsAskedByItsPeersStopsInOrder) {
  for (std::uint64_t seed = 30; seed < 40; ++seed) {
    Cluster cluster = make(seed, 3);
    for (int i = 0; i < 100; ++i) cluster.write(0, "k" + std::to_string(i), "v");
    Asker first(cluster, 0);
    Asker second(cluster, 1);
    cluster.run(milliseconds(20));
    const auto stopped = cluster.begin_stop(2);
    EXPECT_TRUE(cluster.run_until([&] { return *stopped; }, seconds(10))) << seed;
    cluster.run(milliseconds(500));  // its loops still run, and its peers do not know
    cluster.host(2).kill();
    cluster.run(milliseconds(20));
    cluster.start(2);
    cluster.settle();
    for (Asker* each : {&first, &second}) {
      each->end();
      EXPECT_TRUE(cluster.run_until([&] { return each->idle(); }, seconds(10))) << seed;
      EXPECT_EQ(each->failed, 0) << seed;
      EXPECT_GT(each->keys_seen, 100) << seed;
      EXPECT_GT(each->written.size(), 20U) << seed;
      for (const std::string& key : each->written) {
        ASSERT_EQ(cluster.read(2, key, {.r = 3}).values, std::vector<std::string>{key}) << seed;
      }
    }
  }
}

}  // namespace
}  // namespace stator::test

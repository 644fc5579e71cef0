// A rolling restart under load fails nothing (G15): a node that is told to stop says so, finishes
// what it has begun, and is asked no more. Clients try again, as through a list of nodes.

#include <gtest/gtest.h>

#include <cstdio>

#include "load.h"
#include "node/metrics.h"

namespace stator::test {
namespace {

TEST(RollingRestart, TwiceOverFiveNodesFailsNothing) {
  Cluster cluster(11, 5);
  Load load(cluster, {.nodes = {0, 1, 2, 3, 4}, .retry_for = seconds(5)});
  cluster.run(seconds(2));
  load.begin_phase();
  for (int round = 0; round < 2; ++round) {
    for (unsigned i = 0; i < cluster.size(); ++i) {
      const MonoTime began = cluster.world().now();
      load.set_doors(i, false);
      const auto stopped = cluster.begin_stop(i);
      ASSERT_TRUE(cluster.run_until([&] { return *stopped; }, seconds(10)));
      EXPECT_LE(cluster.world().now() - began, seconds(4));
      cluster.host(i).kill();
      cluster.run(milliseconds(200));
      cluster.start(i);
      cluster.settle();
      load.set_doors(i, true);
      cluster.run(milliseconds(500));
    }
  }
  const Load::Seen seen = load.seen();
  std::printf("%zu answered, %zu failed, %zu retried, p99 %.2f ms\n", seen.answered, seen.failed,
              seen.retried, static_cast<double>(seen.p99.ns) / 1e6);
  EXPECT_GT(seen.answered, 5'000U);
  EXPECT_EQ(seen.failed, 0U) << seen.error;
  load.end();
}

TEST(RollingRestart, PeersKnowAtOnceThatANodeLeavesAndAskItNoMore) {
  Cluster cluster(12, 5, 3, 2, 2, 64,
                  [](node::NodeOptions& options) { options.read_repair_share_ppm = 0; });
  Load load(cluster, {.nodes = {0, 1, 2, 3}});
  cluster.run(seconds(2));
  cluster.host(4).process()->loop().post([&] { cluster.node(4).leave(); });
  cluster.run(milliseconds(5));
  for (unsigned i = 0; i < 4; ++i) {
    for (const auto& member : cluster.store(i).cluster().members) {
      EXPECT_EQ(member.leaving, member.name == "n5");
      EXPECT_TRUE(member.healthy) << "it still answers";
    }
  }
  // It is nobody's first choice, for writes and for reads.
  const auto forwards = cluster.count(4, &node::Metrics::forwards_received_total);
  const auto reads = cluster.count(4, &node::Metrics::replica_reads_total);
  load.begin_phase();
  cluster.run(seconds(3));
  EXPECT_EQ(cluster.count(4, &node::Metrics::forwards_received_total), forwards);
  // But for a hedge now and then, where the others are late.
  EXPECT_LE(cluster.count(4, &node::Metrics::replica_reads_total), reads + 20);
  EXPECT_EQ(load.seen().failed, 0U) << load.seen().error;
  EXPECT_GT(load.seen().answered, 1'000U);
  load.end();
}

}  // namespace
}  // namespace stator::test

#include "sim/cluster_run.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace stator::sim {
namespace {

std::string problems(const RunReport& report) {
  std::string text;
  for (const std::string& each : report.violations) text += each + "\n";
  return text;
}

// I19: of a dense and of a sparse seed, under every family of faults.
TEST(ClusterRun, TheSameSeedGivesTheSameTrace) {
  for (const std::uint64_t seed : {3, 4}) {
    const RunOptions options{.seed = seed, .minutes = 0.3, .swarm = false};
    const RunReport first = run_cluster(options);
    const RunReport second = run_cluster(options);
    EXPECT_EQ(first.trace_hash, second.trace_hash);
    EXPECT_EQ(first.events, second.events);
    EXPECT_EQ(first.verdict.acknowledged, second.verdict.acknowledged);
  }
  EXPECT_NE(run_cluster({.seed = 3, .minutes = 0.1}).trace_hash,
            run_cluster({.seed = 7, .minutes = 0.1}).trace_hash);
}

TEST(ClusterRun, TheSameSeedGivesTheSameTraceWithSeveralShardsToo) {
  const RunOptions options{.seed = 3, .minutes = 0.3, .shards = 3, .swarm = false};
  const RunReport first = run_cluster(options);
  EXPECT_EQ(problems(first), "");
  EXPECT_EQ(first.trace_hash, run_cluster(options).trace_hash);
  EXPECT_EQ(first.shards, (std::vector<std::uint32_t>{3, 3, 3, 3, 3}));
}

TEST(ClusterRun, HalfOfTheRunsHaveNodesOfSeveralShards) {
  int several = 0;
  int changed = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    ShardPlan plan(5, 0, Random(seed));
    for (std::uint32_t node = 0; node < 5; ++node) static_cast<void>(plan.draw(node));
    const std::vector<std::uint32_t> first = plan.shards();
    if (std::ranges::max(first) == 1) continue;
    ++several;
    for (int i = 0; i < 10; ++i) static_cast<void>(plan.draw(0));
    if (plan.shards() != first) ++changed;
  }
  EXPECT_GT(several, 30);
  EXPECT_LT(several, 70);
  EXPECT_GT(changed, several / 2 - 10);
}

TEST(ClusterRun, WithoutFaultsEverythingIsAcknowledged) {
  const RunReport report = run_cluster({.seed = 2, .minutes = 0.3, .faults = 0});
  EXPECT_EQ(problems(report), "");
  EXPECT_EQ(report.verdict.unknown, 0U);
  EXPECT_EQ(report.clients.unknown, 0U);
  EXPECT_GT(report.verdict.acknowledged, 1'000U);
  EXPECT_GT(report.verdict.quorum_reads_checked, 100U);
  EXPECT_EQ(report.clients.abandoned, 0U);
  EXPECT_GT(report.clients.done, report.clients.begun * 9 / 10);
  EXPECT_LE(report.clients.done, report.clients.begun);
}

TEST(ClusterRun, EveryFamilyOfFaultsStrikesAndNothingBreaks) {
  const RunReport report = run_cluster({.seed = 6, .minutes = 0.5, .swarm = false});
  EXPECT_EQ(problems(report), "");
  const FaultCounters& made = report.faults_made;
  for (const std::uint64_t count :
       {made.crashes, made.kills, made.pauses, made.cuts, made.slow, made.clock_changes}) {
    EXPECT_GT(count, 0U);
  }
  const WireCounters& wire = report.wire;
  for (const std::uint64_t count : {wire.lost, wire.cut, wire.duplicated, wire.reordered,
                                    wire.corrupted, wire.truncated, wire.replayed}) {
    EXPECT_GT(count, 0U);
  }
  EXPECT_GT(report.verdict.acknowledged, 100U);
  EXPECT_GT(report.verdict.unknown, 0U);
}

TEST(ClusterRun, TheAuditBringsStaleOwnersUpToDate) {
  const RunReport report =
      run_cluster({.seed = 3, .minutes = 1, .faults = *parse_faults("kill,crash"), .swarm = false});
  EXPECT_EQ(problems(report), "");
  EXPECT_GT(report.repaired_writes, 0U);
}

TEST(ClusterRun, SmallClustersWorkToo) {
  for (const std::uint32_t nodes : {1, 2, 3}) {
    const RunReport report = run_cluster({.seed = 8, .nodes = nodes, .minutes = 0.2});
    EXPECT_EQ(problems(report), "") << nodes << " nodes";
    EXPECT_GT(report.verdict.acknowledged, 100U);
  }
}

// The disk, the crashes and the judge together: a node that acknowledges what is not on its disk
// loses acknowledged writes when the power goes.
TEST(ClusterRun, AcknowledgingBeforeTheSyncIsCaught) {
  bool caught = false;
  for (std::uint64_t seed = 0; seed < 20 && !caught; ++seed) {
    const RunReport report = run_cluster({.seed = seed,
                                          .minutes = 0.5,
                                          .faults = *parse_faults("crash,disk"),
                                          .swarm = false,
                                          .sync_writes = false});
    caught = problems(report).find("I1: ") != std::string::npos;
  }
  EXPECT_TRUE(caught);
}

}  // namespace
}  // namespace stator::sim

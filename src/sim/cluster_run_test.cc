#include "sim/cluster_run.h"

#include <gtest/gtest.h>

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

TEST(ClusterRun, WithoutFaultsEverythingIsAcknowledged) {
  const RunReport report = run_cluster({.seed = 2, .minutes = 0.3, .faults = 0});
  EXPECT_EQ(problems(report), "");
  EXPECT_EQ(report.verdict.unknown, 0U);
  EXPECT_EQ(report.clients.unknown, 0U);
  EXPECT_GT(report.verdict.acknowledged, 1'000U);
  EXPECT_GT(report.verdict.quorum_reads_checked, 100U);
  EXPECT_GE(report.verdict.copies_checked, 2 * report.verdict.acknowledged) << "W = 2";
  EXPECT_GT(report.writes_answered, 1'000U);
  EXPECT_EQ(report.writes_owed, report.writes_answered) << "P5: each could be judged";
  EXPECT_EQ(report.writes_owed_by_few, 0U);
  EXPECT_EQ(report.clients.abandoned, 0U);
  EXPECT_GT(report.looks, 5 * 30U) << "I14: at five nodes, twice a second";
  EXPECT_GT(report.clients.done, report.clients.begun * 9 / 10);
  EXPECT_LE(report.clients.done, report.clients.begun);
}

// Keys and values at the edge of what is taken, quorums of every size: in sparse runs, which are
// quick, and without faults, so that all of it works.
TEST(ClusterRun, ClientsAskForMuchAndForLittle) {
  int quorums = 0;
  int extreme = 0;
  for (std::uint64_t seed = 1; seed < 60; seed += 2) {
    if (is_dense(seed)) continue;
    const RunReport report = run_cluster({.seed = seed, .minutes = 0.3, .faults = 0});
    EXPECT_EQ(problems(report), "") << seed;
    EXPECT_GT(report.verdict.evidence_checked, 20U);
    const Workload& workload = report.workload;
    EXPECT_EQ(workload.replicas, 3);
    EXPECT_EQ(workload.acks_least, 1);
    quorums += workload.quorums > 0 ? 1 : 0;
    extreme += workload.empty > 0 && workload.edge > 0 ? 1 : 0;
    EXPECT_GT(report.clients.done, report.clients.begun * 8 / 10) << seed;
  }
  EXPECT_GT(quorums, 3);
  EXPECT_GT(extreme, 0);
  EXPECT_EQ(run_cluster({.seed = 1, .minutes = 0.1, .faults = *parse_faults("rot"), .swarm = false})
                .workload.acks_least,
            2)
      << "a disk is lost";
}

// D35: what is just within the limits works, what is just over them is refused in so many words,
// and nothing comes of it, with and without faults. Keys and values each by themselves.
TEST(ClusterRun, AtTheEdgeOfALimitItIsTakenAndBeyondItRefused) {
  for (const bool values : {false, true}) {
    for (const char* faults : {"none", "messages,cuts,kill,buggify"}) {
      const RunReport report = run_cluster({.seed = 1,
                                            .minutes = 0.3,
                                            .faults = *parse_faults(faults),
                                            .swarm = false,
                                            .adapt = [values](Workload& workload) {
                                              workload.operations_per_second = 20;
                                              workload.huge = values ? 0.1 : 0;
                                              workload.edge = values ? 0 : 0.2;
                                              // GET, SET, DEL, ST.GET, ST.PUT: large siblings would
                                              // pile up.
                                              workload.weights = {0.2, 0.4, 0.1, 0.15, 0.15};
                                            }});
      EXPECT_EQ(problems(report), "") << faults;
      EXPECT_GT(report.clients.too_large_refused, 0U) << faults;
      EXPECT_GT(report.clients.edges_done, 0U) << faults;
    }
  }
}

TEST(ClusterRun, EveryFamilyOfFaultsStrikesAndNothingBreaks) {
  const RunReport report = run_cluster({.seed = 6, .minutes = 0.5, .swarm = false});
  EXPECT_EQ(problems(report), "");
  const FaultCounters& made = report.faults_made;
  for (const std::uint64_t count : {made.crashes, made.kills, made.restarts, made.pauses, made.cuts,
                                    made.resets, made.slow, made.clock_changes}) {
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

// P5: while nodes are dead or cut off many writes are owed by those that are there, and not all
// are, since some nodes are alone, and nobody knows at once who has come back.
TEST(ClusterRun, WritesAreOwedByTheNodesThatAreThere) {
  for (const char* names : {"kill", "cuts"}) {
    std::uint64_t answered = 0;
    std::uint64_t owed = 0;
    std::uint64_t by_few = 0;
    for (const std::uint64_t seed : {0, 2, 4}) {
      const RunReport report = run_cluster(
          {.seed = seed, .minutes = 0.3, .faults = *parse_faults(names), .swarm = false});
      EXPECT_EQ(problems(report), "") << names << " " << seed;
      answered += report.writes_answered;
      owed += report.writes_owed;
      by_few += report.writes_owed_by_few;
    }
    EXPECT_GT(owed, answered / 5) << names;
    EXPECT_LT(owed, answered) << names;
    EXPECT_GT(by_few, 100U) << names;
  }
}

// What is left out changes nothing of what is left: neither when the others strike nor what the
// other operations are.
TEST(ClusterRun, AScheduleLeavesOutStrikesAndOperations) {
  RunOptions options{.seed = 6, .minutes = 0.3, .swarm = false};
  const RunReport whole = run_cluster(options);
  ASSERT_GT(whole.strikes.size(), 5U);
  options.schedule.strikes = NumberSet::of({1, 3});
  const RunReport two = run_cluster(options);
  EXPECT_EQ(two.strikes, (std::vector<std::uint64_t>{1, 3}));
  EXPECT_EQ(problems(two), "");
  // Some of the last ones are begun or not as the clients' hosts are busy.
  EXPECT_NEAR(static_cast<double>(two.operations), static_cast<double>(whole.operations),
              0.01 * static_cast<double>(whole.operations));
  EXPECT_EQ(run_cluster(options).trace_hash, two.trace_hash);

  options.schedule.operations = NumberSet::of({7, 20, 21, 22});
  const RunReport four = run_cluster(options);
  EXPECT_GE(four.clients.begun, 1U);
  EXPECT_LE(four.clients.begun, 4U);
  EXPECT_EQ(problems(four), "");

  options.schedule = {.until = seconds(2), .variation = 1};
  const RunReport shorter = run_cluster(options);
  EXPECT_EQ(problems(shorter), "");
  EXPECT_LT(shorter.operations, whole.operations);
  options.schedule.variation = 2;
  EXPECT_NE(run_cluster(options).trace_hash, shorter.trace_hash);
}

// Whoever wants to see why a run failed gets its notes and the stories of its keys.
TEST(ClusterRun, AFailedRunTellsItsStory) {
  std::FILE* file = std::tmpfile();
  ASSERT_NE(file, nullptr);
  RunOptions options{.minutes = 0.3,
                     .faults = *parse_faults("crash,disk"),
                     .swarm = false,
                     .durability = node::Durability::kNone};
  options.failure = file;
  RunReport report;
  for (options.seed = 0; report.violations.empty() && options.seed < 20; ++options.seed) {
    report = run_cluster(options);
  }
  EXPECT_FALSE(report.suspects.empty()) << problems(report);
  std::string told(static_cast<std::size_t>(std::ftell(file)), '\0');
  std::rewind(file);
  EXPECT_EQ(std::fread(told.data(), 1, told.size(), file), told.size());
  std::fclose(file);
  for (const char* part :
       {"notes\n", "strike 0 ", "crash n", "heal", "story of default/", "events"}) {
    EXPECT_NE(told.find(part), std::string::npos) << part;
  }
}

TEST(ClusterRun, TheAuditBringsStaleOwnersUpToDate) {
  // What hints do not reach: a coordinator that dies leaves copies that nobody has asked for again.
  std::uint64_t repaired = 0;
  std::uint64_t delivered = 0;
  std::uint64_t judged = 0;
  for (std::uint64_t seed = 10; seed < 40 && (repaired == 0 || delivered == 0); ++seed) {
    const RunReport report = run_cluster({.seed = seed,
                                          .nodes = 3,
                                          .minutes = 0.5,
                                          .faults = *parse_faults("kill,crash,buggify"),
                                          .swarm = false});
    EXPECT_EQ(problems(report), "");
    repaired += report.repaired_writes;
    delivered += report.hints_delivered;
    judged += report.verdict.hints_checked;
  }
  EXPECT_GT(repaired, 0U);
  EXPECT_GT(delivered, 0U);
  EXPECT_GE(judged, delivered) << "by those too that did not run in the end";
}

// D31: who cannot store says so, takes nothing more, and has lost nothing after a new start, which
// may fail as long as the disk does.
TEST(ClusterRun, NodesWhoseDisksFailComeBackByANewStart) {
  const FaultSet faults = *parse_faults("fsync,io,kill,crash");
  std::uint64_t harmed = 0;
  std::uint64_t refused = 0;
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    const RunReport report =
        run_cluster({.seed = seed, .minutes = 0.3, .faults = faults, .swarm = false});
    EXPECT_EQ(problems(report), "") << seed;
    harmed += report.faults_made.disk_faults;
    refused += report.refused_starts;
  }
  EXPECT_GT(harmed, 0U);
  EXPECT_GT(refused, 0U);
}

// D29, I15: who has no room leaves what is written to others, and takes it again after that.
TEST(ClusterRun, AFullNodeLeavesWritesToOthersAndComesBack) {
  std::uint64_t harmed = 0;
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    const RunReport report = run_cluster(
        {.seed = seed, .minutes = 0.3, .faults = *parse_faults("full,kill,crash"), .swarm = false});
    EXPECT_EQ(problems(report), "") << seed;
    harmed += report.faults_made.disk_faults;
  }
  EXPECT_GT(harmed, 5U);
  // Nothing else goes wrong here, so that nearly everything has to work.
  std::uint64_t begun = 0;
  std::uint64_t done = 0;
  for (std::uint64_t seed = 1; seed < 40; seed += 2) {
    if (is_dense(seed)) continue;
    const RunReport report =
        run_cluster({.seed = seed, .minutes = 2, .faults = *parse_faults("full"), .swarm = false});
    EXPECT_EQ(problems(report), "") << seed;
    begun += report.clients.begun;
    done += report.clients.done;
  }
  EXPECT_GT(done, begun * 95 / 100);
}

// Every kind of disk that fails or is lost, in clusters of several sizes, as it falls.
TEST(ClusterRun, DisksFailAsTheyFall) {
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    const RunReport report = run_cluster({.seed = seed,
                                          .nodes = 3 + static_cast<std::uint32_t>(seed),
                                          .minutes = 0.2,
                                          .faults = *parse_faults("disks")});
    EXPECT_EQ(problems(report), "") << seed;
  }
}

// P1, D1, D3, D30: one disk that is lost, old or rotten takes no acknowledged write along. What
// reads miss until it is full again is not judged (docs/reliability.md).
TEST(ClusterRun, ANodeThatLosesItsDiskTakesNothingAlong) {
  for (const char* names : {"wipe,messages,cuts,kill,crash", "rot,messages,kill,crash,restart"}) {
    const FaultSet faults = *parse_faults(names);
    std::uint64_t lost = 0;
    std::uint64_t refused = 0;
    const bool may_refuse = has(faults, FaultFamily::kRot);
    for (std::uint64_t seed = 0; seed < 5 || (may_refuse && refused == 0 && seed < 40); ++seed) {
      const RunReport report =
          run_cluster({.seed = seed, .minutes = 0.3, .faults = faults, .swarm = false});
      EXPECT_EQ(problems(report), "") << names << " " << seed;
      lost += report.faults_made.disk_faults;
      refused += report.refused_starts;
    }
    EXPECT_GT(lost, 0U) << names;
    EXPECT_TRUE(refused > 0 || !may_refuse) << names;
  }
}

// I15: what clients ask of three nodes of five ends well while the others are cut off or dead, and
// all of them agree in the end as ever.
TEST(ClusterRun, ACoreThatIsHealedAnswersBeforeTheOthersAreBack) {
  for (const std::uint64_t seed : {3, 4}) {
    const RunReport report = run_cluster({.seed = seed, .minutes = 0.1, .core = 3});
    EXPECT_EQ(problems(report), "") << seed;
    EXPECT_EQ(report.core, 3U);
    EXPECT_GT(report.clients.core_judged, 0U) << seed;
  }
}

// One node of five cannot answer: whoever looks at what a core does sees that.
TEST(ClusterRun, ACoreThatDoesNotAnswerIsNoticed) {
  const RunReport report = run_cluster(
      {.seed = 2, .minutes = 0.2, .faults = *parse_faults("cuts"), .swarm = false, .core = 1});
  EXPECT_EQ(report.core, 1U);
  EXPECT_NE(problems(report).find("begun when a core was healed"), std::string::npos)
      << problems(report);
}

// D30, I17: a record that rots where it stands is never answered as missing or with other bytes. It
// is counted, and the other owners restore it.
TEST(ClusterRun, RecordsThatRotAreCountedAndRestored) {
  std::uint64_t rotten = 0;
  std::uint64_t met = 0;
  std::uint64_t restored = 0;
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    const RunReport report = run_cluster({.seed = seed,
                                          .nodes = seed % 2 == 0 ? 5U : 3U,
                                          .minutes = 0.4,
                                          .faults = *parse_faults("rot,messages,cuts,buggify"),
                                          .swarm = false});
    EXPECT_EQ(problems(report), "") << seed;
    rotten += report.records_rotten;
    met += report.rotten_met;
    restored += report.records_restored;
  }
  EXPECT_GT(rotten, 4U);
  EXPECT_GE(met, rotten / 2);
  EXPECT_GT(restored, 2U);
  EXPECT_LE(restored, met);
}

TEST(ClusterRun, SmallClustersWorkToo) {
  for (const std::uint32_t nodes : {1, 2, 3}) {
    const RunReport report = run_cluster({.seed = 8, .nodes = nodes, .minutes = 0.2});
    EXPECT_EQ(problems(report), "") << nodes << " nodes";
    EXPECT_GT(report.verdict.acknowledged, 100U);
  }
}

// The rules for processes into which nobody sees, held against a cluster into which somebody does.
TEST(ClusterRun, WhatClientsWroteDownIsJudgedWithoutAFalseAlarm) {
  for (std::uint64_t seed = 20; seed < 24; ++seed) {
    const RunReport report = run_cluster({.seed = seed, .minutes = 0.3, .clients_judge = true});
    EXPECT_EQ(problems(report), "") << seed;
    EXPECT_GT(report.clients_verdict.acknowledged, 20U);
    EXPECT_GT(report.clients_verdict.reads_checked, 20U);
  }
  const RunReport calm =
      run_cluster({.seed = 2, .minutes = 0.3, .faults = 0, .clients_judge = true});
  EXPECT_GT(calm.clients_verdict.quorum_reads_checked, 100U);
}

TEST(ClusterRun, ClientsAloneCatchTheLossOfAcknowledgedWrites) {
  bool caught = false;
  for (std::uint64_t seed = 0; seed < 20 && !caught; ++seed) {
    const RunReport report = run_cluster({.seed = seed,
                                          .minutes = 0.5,
                                          .faults = *parse_faults("crash,disk"),
                                          .swarm = false,
                                          .clients_judge = true,
                                          .durability = node::Durability::kNone});
    caught = problems(report).find("clients: I1: ") != std::string::npos;
  }
  EXPECT_TRUE(caught);
}

// Without a loss of power nothing of it shows: everybody has a write that is acknowledged, and no
// round is open beyond its time (I14).
TEST(ClusterRun, OneDurableCopyLosesNothingToKillsCutsAndSickDisks) {
  constexpr std::string_view kFaults = "messages,cuts,kill,pause,disk,buggify";
  for (std::uint64_t seed = 40; seed < 43; ++seed) {
    const RunReport report = run_cluster({.seed = seed,
                                          .minutes = 0.3,
                                          .faults = *parse_faults(kFaults),
                                          .durability = node::Durability::kOne});
    EXPECT_EQ(problems(report), "") << seed;
    EXPECT_GT(report.verdict.acknowledged, 10U);  // few where it drew a sparse load
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
                                          .durability = node::Durability::kNone});
    caught = problems(report).find("I1: ") != std::string::npos;
  }
  EXPECT_TRUE(caught);
}

}  // namespace
}  // namespace stator::sim

#pragma once

#include <cstdint>
#include <cstdio>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "env_sim/wire.h"
#include "node/options.h"
#include "sim/adversary.h"
#include "sim/checker.h"
#include "sim/client.h"
#include "sim/faults.h"
#include "sim/schedule.h"
#include "sim/workload.h"

namespace stator::sim {

struct RunOptions {
  std::uint64_t seed = 1;
  std::uint32_t nodes = 5;
  double minutes = 10;       // of a sparse run; see draw_workload
  std::uint32_t shards = 0;  // of each node; 0: drawn (shard_plan.h)
  FaultSet faults = kAllFaults;
  /// Draw about half of `faults` for this run, and of the kinds within each; else all of them.
  bool swarm = true;
  /// The history that clients wrote down is judged, too (client_history.h), by the rules for
  /// processes into which nobody sees. The workload is then what that can tell.
  bool clients_judge = false;
  Schedule schedule{};  // of what was drawn: the whole, but when a run is made small
  /// Nodes that are healed before all are (healed_core.h); nullopt: drawn, 0: none. With fewer than
  /// can answer, that must be noticed.
  std::optional<std::uint32_t> core{};
  /// Changes the workload that was drawn: for tests of what is rare in one.
  std::function<void(Workload&)> adapt{};
  /// With another one acknowledged writes are lost with the power, which must be caught.
  node::Durability durability = node::Durability::kAll;
  std::FILE* trace = nullptr;  // prints every event
  /// Gets, when an invariant breaks, all notes, the last events and the stories of the keys.
  std::FILE* failure = nullptr;
};

struct RunReport {
  std::uint64_t seed = 0;
  std::vector<std::uint32_t> shards;  // by node, of its first start
  std::size_t core = 0;               // nodes that were healed before all were; 0: none
  Workload workload;
  FaultSet faults = 0;
  FaultCounters faults_made;
  WireCounters wire;
  ClientRecord clients;
  Verdict verdict;
  Verdict clients_verdict;               // of what clients wrote down
  std::uint64_t writes_answered = 0;     // P5: calls
  std::uint64_t writes_owed = 0;         // of these, those that could be judged
  std::uint64_t writes_owed_by_few = 0;  // of these, with other nodes away
  std::uint64_t repaired_writes = 0;     // by the audit in the end
  std::uint64_t refused_starts = 0;      // of nodes, with a reason
  std::vector<std::uint64_t> strikes;    // numbers of those of the adversary that took place
  std::uint64_t operations = 0;          // of clients, numbered from 0, begun or not
  std::vector<std::uint64_t> suspects;   // of these, those on keys that break an invariant
  std::uint64_t hints_delivered = 0;     // by processes that ran in the end
  std::uint64_t records_rotten = 0;      // each once
  std::uint64_t rotten_met = 0;          // reads of engines that found one of them
  std::uint64_t records_restored = 0;    // by processes that ran in the end
  std::uint64_t looks = 0;               // at shards of nodes, for I14
  Duration simulated{};
  std::uint64_t events = 0;
  std::uint64_t trace_hash = 0;
  /// "I1: key 3: write ... is neither there nor below what is there". Those that only clients found
  /// begin with "clients: ".
  std::vector<std::string> violations;
};

/// One seed: a cluster of real nodes with clients and faults, then healing, an audit of every key
/// and the judgement. Depends on nothing but its options, so that the report of a seed is always
/// the same, trace hash included.
[[nodiscard]] RunReport run_cluster(const RunOptions& options);

/// How far a run had come that ended its process, by an assertion that failed, say.
struct UnfinishedRun {
  std::uint64_t strikes = 0;     // numbered so far, whether they were left out or not
  std::uint64_t operations = 0;  // of clients, the same
  Duration length{};             // of the part with faults, if it had gone on
};
/// For the handler of the signal by which the process dies, on the thread that dies: nothing where
/// that is not within run_cluster(), or before its cluster was made.
[[nodiscard]] std::optional<UnfinishedRun> unfinished_run();
/// The same: RunOptions::failure gets all notes and the last events.
void tell_unfinished_run();

}  // namespace stator::sim

#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "sim/cluster_run.h"
#include "sim/shrink.h"

namespace stator::sim {

/// How many nodes a cluster has: from `least` to `most`, as each seed draws.
struct NodeRange {
  std::uint32_t least = 5;
  std::uint32_t most = 5;
  [[nodiscard]] std::uint32_t draw(std::uint64_t seed) const;
  bool operator==(const NodeRange&) const = default;
};
/// "5", "3-9"; from 1 to 32.
[[nodiscard]] Result<NodeRange> parse_nodes(std::string_view text);

struct SimulateOptions {
  std::uint64_t seed = 1;  // the first
  std::uint64_t seeds = 1;
  NodeRange nodes;
  double minutes = 10;
  std::string faults = "all";  // a group, none, or families
  Schedule schedule;
};

/// The run of one of the seeds.
[[nodiscard]] RunOptions run_of(const SimulateOptions& options, FaultSet faults,
                                std::uint64_t seed);

/// The command that runs one seed again.
[[nodiscard]] std::string reproduce_line(const SimulateOptions& options, std::uint64_t seed);

/// A seed of every ten is run a second time, and must do the same (I19). `index`: which of the
/// seeds it is, from 0.
[[nodiscard]] constexpr bool runs_twice(std::uint64_t index) {
  return index % 10 == 9;
}
/// What is said of a second run that did something else.
[[nodiscard]] std::string differs(const RunReport& first, const RunReport& second);

/// What the one violation of a run that ended its process begins with.
inline constexpr std::string_view kEndedItsProcess = "assert";

/// The invariants that a run broke, each once: "I1 I4". "assert" stands for one that ended its
/// process.
[[nodiscard]] std::string broken_invariants(const RunReport& report);

/// A failed run made small.
struct ShrunkRun {
  Shrunk shrunk;
  RunReport report;  // of the small run
  std::size_t events_before = 0;
};
/// run_cluster(), or something that survives it. Of its report there must be what was violated, the
/// strikes and operations that took place, suspects, and the length of the workload.
using RunOne = std::function<RunReport(const RunOptions&)>;
/// `failed` is the report of `options`. What counts as the same failure: one of the invariants that
/// it broke is broken. Takes minutes.
[[nodiscard]] ShrunkRun shrink_run(const RunOptions& options, const RunReport& failed,
                                   std::uint64_t runs_max, const RunOne& run_one = run_cluster);

/// One line: what the run was and what it did.
[[nodiscard]] std::string describe(const RunReport& report);

/// The sum over seeds, whatever the order in which they were run.
class Summary {
 public:
  void add(const RunReport& report);
  /// A seed was run twice.
  void add_second(bool equal);
  [[nodiscard]] bool sound() const { return broken_ == 0; }
  /// One line of figures, for programs (design 2.1). `core_seconds` is the processor time that the
  /// runs took, so that the rates are those of one core.
  [[nodiscard]] std::string line(double core_seconds) const;
  /// The same for people, a sentence: was it good? Ends the output.
  [[nodiscard]] std::string conclusion() const;

  std::uint64_t seeds = 0;
  std::uint64_t dense_seeds = 0;
  std::uint64_t sharded_seeds = 0;  // with several shards on some node
  std::uint64_t core_seeds = 0;     // with a core that was healed before all were
  Duration simulated{};
  std::uint64_t begun = 0;       // operations of clients
  std::uint64_t operations = 0;  // of these, answered well
  std::uint64_t acknowledged = 0;
  std::uint64_t unknown = 0;
  std::uint64_t not_applied = 0;
  std::uint64_t writes_owed = 0;  // calls that could not be refused (P5)
  std::uint64_t reads_checked = 0;
  std::uint64_t quorum_reads_checked = 0;
  std::uint64_t copies_checked = 0;
  std::uint64_t events = 0;
  std::uint64_t trace = 0;
  std::uint64_t twice = 0;

 private:
  std::uint64_t broken_ = 0;
};

}  // namespace stator::sim

#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "sim/cluster_run.h"

namespace stator::sim {

struct SimulateOptions {
  std::uint64_t seed = 1;  // the first
  std::uint64_t seeds = 1;
  std::uint32_t nodes = 5;
  double minutes = 10;
  std::string faults = "all";  // all, none, or families
  bool swarm = true;
};

/// The command that runs one seed again.
[[nodiscard]] std::string reproduce_line(const SimulateOptions& options, std::uint64_t seed);

/// One line: what the run was and what it did.
[[nodiscard]] std::string describe(const RunReport& report);

/// The sum over seeds, whatever the order in which they were run.
class Summary {
 public:
  void add(const RunReport& report);
  [[nodiscard]] bool sound() const { return broken_ == 0; }
  /// The last line of the output (design 2.1). `core_seconds` is the processor time that the runs
  /// took, so that the rates are those of one core.
  [[nodiscard]] std::string line(double core_seconds) const;

  std::uint64_t seeds = 0;
  std::uint64_t dense_seeds = 0;
  std::uint64_t sharded_seeds = 0;  // with several shards on some node
  Duration simulated{};
  std::uint64_t begun = 0;       // operations of clients
  std::uint64_t operations = 0;  // of these, answered well
  std::uint64_t acknowledged = 0;
  std::uint64_t unknown = 0;
  std::uint64_t not_applied = 0;
  std::uint64_t reads_checked = 0;
  std::uint64_t quorum_reads_checked = 0;
  std::uint64_t events = 0;
  std::uint64_t trace = 0;

 private:
  std::uint64_t broken_ = 0;
};

}  // namespace stator::sim

#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include "cli/command.h"
#include "sim/simulate.h"

// Seeds that end their process: an assertion that fails, a wild pointer. Such a seed can be neither
// told nor made small by the process that ran it. So that process becomes another one, which runs
// the seed again in a process of its own, reads what is left of it, and goes on from there as with
// any other failed seed (G34).

namespace stator::cli {

/// While it lives, a signal by which this thread would end the process makes it the program `words`
/// instead: their first is for people, the program is this one. Watching for signals is switched on
/// by the first. One per thread at a time.
class Successor {
 public:
  explicit Successor(std::vector<std::string> words);
  ~Successor();
  Successor(const Successor&) = delete;
  Successor& operator=(const Successor&) = delete;

 private:
  std::vector<std::string> words_;
  std::vector<char*> pointers_;
};

/// One seed in a process of its own, which may die of it. Of its report there are the violations,
/// the strikes and operations that took place, the suspects and the length; one that ended its
/// process has the one violation "assert: ...". Where `traces` is not empty, the trace is written
/// into that folder, and `out` says so.
[[nodiscard]] sim::RunReport run_apart(const sim::SimulateOptions& options, std::uint64_t seed,
                                       const std::string& traces, std::ostream& out);

/// What that process does: one run, for run_apart() to read. Writes the trace, if `traces` is not
/// empty.
Exit run_alone(const sim::SimulateOptions& options, sim::FaultSet faults, const std::string& traces,
               std::ostream& out);

}  // namespace stator::cli

#include "sim/simulate.h"

#include <time.h>

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <map>
#include <memory>
#include <mutex>
#include <ostream>
#include <thread>
#include <utility>
#include <vector>

#include "cli/commands.h"

namespace stator::cli {

namespace {

constexpr std::uint64_t kNodesMax = 32;
constexpr double kMinutesMax = 24 * 60;

struct SimFlags {
  std::uint64_t seed = 1;
  std::uint64_t seeds = 1;
  std::uint64_t nodes = 5;
  double minutes = 10;
  std::string faults = "all";
  bool trace = false;
};

struct SeedResult {
  sim::RunReport report;
  double seconds = 0;
};

// Of this thread's core: what else the machine does, does not count.
double thread_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

sim::SimulateOptions to_options(const SimFlags& flags) {
  sim::SimulateOptions options;
  options.seed = flags.seed;
  options.seeds = flags.seeds;
  options.nodes = static_cast<std::uint32_t>(flags.nodes);
  options.minutes = flags.minutes;
  options.faults = flags.faults;
  return options;
}

// Seeds have nothing to do with each other, so that every core takes the next one.
class Workers {
 public:
  Workers(const SimFlags& flags, sim::FaultSet faults) : flags_(flags), faults_(faults) {
    const unsigned cores = flags.trace ? 1 : std::max(1U, std::thread::hardware_concurrency());
    for (unsigned i = 0; i < cores && i < flags.seeds; ++i)
      threads_.emplace_back([this] { work(); });
  }
  ~Workers() {
    for (std::thread& thread : threads_) thread.join();
  }
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  /// In the order of seeds, each once.
  SeedResult take(std::uint64_t index) {
    std::unique_lock lock(mutex_);
    ready_.wait(lock, [&] { return results_.contains(index); });
    SeedResult result = std::move(results_.at(index));
    results_.erase(index);
    return result;
  }

 private:
  void work() {
    for (;;) {
      std::uint64_t index = 0;
      {
        const std::lock_guard lock(mutex_);
        if (next_ == flags_.seeds) return;
        index = next_++;
      }
      const double begin = thread_seconds();
      sim::RunOptions options;
      options.seed = flags_.seed + index;
      options.nodes = static_cast<std::uint32_t>(flags_.nodes);
      options.minutes = flags_.minutes;
      options.faults = faults_;
      // Families that were asked for by name are all there.
      options.swarm = flags_.faults == "all";
      if (flags_.trace) options.trace = options.stories = stdout;
      SeedResult result{sim::run_cluster(options), 0};
      result.seconds = thread_seconds() - begin;
      const std::lock_guard lock(mutex_);
      results_.emplace(index, std::move(result));
      ready_.notify_all();
    }
  }

  const SimFlags& flags_;
  sim::FaultSet faults_;
  std::mutex mutex_;
  std::condition_variable ready_;
  std::uint64_t next_ = 0;
  std::map<std::uint64_t, SeedResult> results_;
  std::vector<std::thread> threads_;
};

void report_failure(const SimFlags& flags, const sim::RunReport& report, Console& console) {
  for (const std::string& violation : report.violations) {
    console.out << "BROKEN seed " << report.seed << ": " << violation << "\n";
  }
  console.out << "reproduce: " << sim::reproduce_line(to_options(flags), report.seed) << "\n";
}

Exit run_sim(const SimFlags& flags, Console& console) {
  const auto faults = sim::parse_faults(flags.faults);
  if (!faults) return fail(console, Exit::kUsage, faults.error().detail, "stator sim --help");
  if (flags.nodes < 1 || flags.nodes > kNodesMax) {
    return fail(console, Exit::kUsage, "--nodes must be from 1 to " + std::to_string(kNodesMax),
                "stator sim --nodes 5");
  }
  if (!(flags.minutes > 0) || flags.minutes > kMinutesMax) {
    return fail(console, Exit::kUsage, "--minutes must be over 0 and at most a day",
                "stator sim --minutes 10");
  }
  if (flags.seeds < 1) {
    return fail(console, Exit::kUsage, "--seeds must be at least 1", "stator sim --seeds 10");
  }
  sim::Summary summary;
  double seconds = 0;
  Workers workers(flags, *faults);
  for (std::uint64_t i = 0; i < flags.seeds; ++i) {
    const SeedResult result = workers.take(i);
    summary.add(result.report);
    seconds += result.seconds;
    console.out << sim::describe(result.report) << "\n";
    if (!result.report.violations.empty()) report_failure(flags, result.report, console);
    console.out.flush();
  }
  console.out << summary.line(seconds) << "\n";
  return summary.sound() ? Exit::kDone : Exit::kFailed;
}

}  // namespace

void register_sim(Command& root) {
  const auto flags = std::make_shared<SimFlags>();
  Command command;
  command.name = "sim";
  command.summary = "Run whole clusters with faults in the deterministic simulator";
  command.details =
      R"(Each seed is a cluster of real nodes with clients, on virtual time, in one thread; every core runs seeds.
Dense seeds, those that are even or end in 5 or 9, have at least 500 operations per second on at most 100
keys unless too much is broken at once; they last a fifth of --minutes, at least 2 minutes, but never more than
--minutes. The others are sparse and last --minutes. With --faults all, each family of faults is off in
about half of the seeds; families that are named are always on. Afterwards everything is healed, every key
is read from all its owners, and the invariants are checked. When one is broken the exit code is 1, and a
line tells how to run that seed again. The same seed of the same program gives the same trace.)";
  command.examples = {"stator sim --seeds 20 --minutes 1",
                      "stator sim --seed 7 --faults crash,cuts --trace"};
  command.options = {
      {"--seed", "S", "the first seed", &flags->seed},
      {"--seeds", "K", "how many seeds, from the first on", &flags->seeds},
      {"--nodes", "N", "nodes of the cluster", &flags->nodes},
      {"--minutes", "M", "simulated minutes of a sparse seed; of a dense one a fifth, at least 2",
       &flags->minutes},
      {"--faults", "LIST", "all, none, or some of " + sim::describe_faults(sim::kAllFaults),
       &flags->faults},
      {"--trace", "", "print every event, and the story of every key that breaks an invariant",
       &flags->trace},
  };
  command.run = [flags](Console& console) { return run_sim(*flags, console); };
  root.commands.push_back(std::move(command));
}

}  // namespace stator::cli

#include "sim/simulate.h"

#include <malloc.h>
#include <time.h>

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <ostream>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/probe.h"
#include "cli/commands.h"
#include "cli/sim_apart.h"

namespace stator::cli {

namespace {

constexpr double kMinutesMax = 24 * 60;
constexpr std::size_t kFreeBytesMax = 512 << 20;
constexpr std::size_t kLineMax = 100'000;

struct SimFlags {
  std::uint64_t seed = 1;
  std::uint64_t seeds = 1;
  std::string nodes = "5";
  double minutes = 10;
  std::string faults = "all";
  bool trace = false;
  std::string traces = ".";
  bool probes = false;
  bool until_broken = false;
  bool shrink = false;
  std::uint64_t shrink_runs = 400;
  std::uint64_t until_ms = 0;  // 0: the whole
  std::string strikes = "all";
  std::string operations = "all";
  std::uint64_t variation = 0;
  std::string alone;  // "", "result", "trace"
  bool post_mortem = false;
};

struct SeedResult {
  sim::RunReport report;
  std::string difference;  // of a second run, if there was one
  bool twice = false;
  double seconds = 0;
};

// Of this thread's core: what else the machine does, does not count.
double thread_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

/// What this process becomes when a seed ends it.
std::vector<std::string> successor_of(const SimFlags& flags, const sim::SimulateOptions& options,
                                      std::uint64_t seed) {
  std::vector<std::string> words;
  std::istringstream line(sim::reproduce_line(options, seed));
  for (std::string word; line >> word;) words.push_back(word);
  words.emplace_back("--post-mortem");
  words.emplace_back("--traces");
  words.push_back(flags.traces);
  if (flags.shrink) {
    words.emplace_back("--shrink");
    words.emplace_back("--shrink-runs");
    words.push_back(std::to_string(flags.shrink_runs));
  }
  return words;
}

// With blanks, so that help can fold it.
std::string families(sim::FaultSet set) {
  std::string names = sim::describe_faults(set);
  for (std::size_t at = names.find(','); at != std::string::npos; at = names.find(',', at + 1)) {
    names.insert(at + 1, " ");
  }
  return names;
}

Result<sim::SimulateOptions> to_options(const SimFlags& flags) {
  sim::SimulateOptions options;
  options.seed = flags.seed;
  options.seeds = flags.seeds;
  const auto nodes = sim::parse_nodes(flags.nodes);
  if (!nodes) return std::unexpected(nodes.error());
  options.nodes = *nodes;
  options.minutes = flags.minutes;
  options.faults = flags.faults;
  if (flags.until_ms != 0) {
    options.schedule.until = milliseconds(static_cast<std::int64_t>(flags.until_ms));
  }
  options.schedule.variation = flags.variation;
  for (const auto& [text, set] : {std::pair{&flags.strikes, &options.schedule.strikes},
                                  std::pair{&flags.operations, &options.schedule.operations}}) {
    auto parsed = sim::NumberSet::parse(*text);
    if (!parsed) return std::unexpected(std::move(parsed.error()));
    *set = std::move(*parsed);
  }
  return options;
}

// Seeds have nothing to do with each other, so that every core takes the next one.
class Workers {
 public:
  Workers(const SimFlags& flags, const sim::SimulateOptions& options, sim::FaultSet faults)
      : flags_(flags), options_(options), faults_(faults) {
    const unsigned cores = flags.trace ? 1 : std::max(1U, std::thread::hardware_concurrency());
    for (unsigned i = 0; i < cores && i < flags.seeds; ++i)
      threads_.emplace_back([this] { work(); });
  }
  ~Workers() {
    end();
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
  /// Begins no more seeds.
  void end() {
    const std::lock_guard lock(mutex_);
    next_ = flags_.seeds;
  }

 private:
  void work() {
    for (;;) {
      std::uint64_t index = 0;
      {
        const std::lock_guard lock(mutex_);
        if (next_ >= flags_.seeds) return;
        index = next_++;
      }
      SeedResult result = run(index);
      // What a seed of many operations needed is not kept for ever; a little of it is, since memory
      // that the system has to give anew is slow.
      if (::mallinfo2().fordblks > kFreeBytesMax) ::malloc_trim(0);
      const std::lock_guard lock(mutex_);
      results_.emplace(index, std::move(result));
      ready_.notify_all();
    }
  }
  SeedResult run(std::uint64_t index) {
    const Successor successor(successor_of(flags_, options_, flags_.seed + index));
    sim::RunOptions options = sim::run_of(options_, faults_, flags_.seed + index);
    if (flags_.trace) options.trace = options.failure = stdout;
    const double begin = thread_seconds();
    SeedResult result;
    result.report = sim::run_cluster(options);
    result.seconds = thread_seconds() - begin;
    if (sim::runs_twice(index)) {
      result.twice = true;
      const sim::RunReport second = sim::run_cluster(options);
      if (second.trace_hash != result.report.trace_hash) {
        result.difference = sim::differs(result.report, second);
      }
    }
    return result;
  }

  const SimFlags& flags_;
  const sim::SimulateOptions& options_;
  sim::FaultSet faults_;
  std::mutex mutex_;
  std::condition_variable ready_;
  std::uint64_t next_ = 0;
  std::map<std::uint64_t, SeedResult> results_;
  std::vector<std::thread> threads_;
};

/// What is said and kept of failed seeds. Each is run again in processes of its own: a run that is
/// left something out may end its process, though the whole one did not.
class Failures {
 public:
  Failures(const SimFlags& flags, const sim::SimulateOptions& options, sim::FaultSet faults,
           Console& console)
      : flags_(flags), options_(options), faults_(faults), console_(console) {}

  void report(const sim::RunReport& report) {
    for (const std::string& violation : report.violations) {
      console_.out << "BROKEN seed " << report.seed << ": " << violation << "\n";
    }
    console_.out << "reproduce: " << sim::reproduce_line(options_, report.seed) << "\n";
    write_trace(options_, report.seed);
    if (flags_.shrink) shrink(report);
  }
  void report_difference(std::uint64_t seed, const std::string& difference) {
    console_.out << "BROKEN seed " << seed << ": " << difference << "\n"
                 << "reproduce: " << sim::reproduce_line(options_, seed) << "\n";
  }

 private:
  // The run again, this time with all that a reader wants; --trace has printed that already.
  void write_trace(const sim::SimulateOptions& options, std::uint64_t seed) {
    if (flags_.trace) return;
    console_.out.flush();
    static_cast<void>(run_apart(options, seed, flags_.traces, console_.out));
  }

  sim::RunReport run_again(const sim::RunOptions& run) {
    sim::SimulateOptions options = options_;
    options.schedule = run.schedule;
    // No program takes a longer word: of so many operations none has ended a process yet.
    if (sim::reproduce_line(options, run.seed).size() > kLineMax) return sim::run_cluster(run);
    return run_apart(options, run.seed, {}, console_.out);
  }

  void shrink(const sim::RunReport& report) {
    console_.out.flush();
    const sim::RunOptions run = sim::run_of(options_, faults_, report.seed);
    const sim::ShrunkRun small =
        sim::shrink_run(run, report, flags_.shrink_runs,
                        [this](const sim::RunOptions& smaller) { return run_again(smaller); });
    sim::SimulateOptions options = options_;
    options.schedule = small.shrunk.schedule;
    const std::size_t events = small.shrunk.events();
    // Where it ended its process before anything happened there was nothing to leave out.
    const double share = small.events_before == 0 ? 0
                                                  : static_cast<double>(events) /
                                                        static_cast<double>(small.events_before);
    char text[32];
    std::snprintf(text, sizeof text, "%.3f", share);
    for (const std::string& violation : small.report.violations) {
      console_.out << "SHRUNK seed " << run.seed << ": " << violation << "\n";
    }
    console_.out << "shrunk: seed=" << run.seed << " strikes=" << small.shrunk.strikes.size()
                 << " operations=" << small.shrunk.operations.size() << " events=" << events
                 << " of=" << small.events_before << " share=" << text
                 << " runs=" << small.shrunk.runs << "\n"
                 << "reproduce: " << sim::reproduce_line(options, run.seed) << "\n";
    write_trace(options, run.seed);
  }

  const SimFlags& flags_;
  const sim::SimulateOptions& options_;
  sim::FaultSet faults_;
  Console& console_;
};

/// Of a seed that has just ended its process.
Exit tell_of_the_dead(const sim::SimulateOptions& options, Failures& failures, Console& console) {
  sim::RunReport report = run_apart(options, options.seed, {}, console.out);
  if (report.violations.empty()) {
    report.violations = {"I19: it ended its process, and does not when it is run again"};
  }
  failures.report(report);
  return Exit::kFailed;
}

void report_probes(const SimFlags& flags, Console& console) {
  const auto probes = Probe::all();
  const auto reached = std::ranges::count_if(probes, [](const Probe* p) { return p->hits() > 0; });
  for (const Probe* probe : probes) {
    if (flags.probes && probe->hits() > 0) {
      console.out << "reached " << probe->hits() << " " << probe->name() << "\n";
    }
  }
  for (const Probe* probe : probes) {
    if (flags.probes && probe->hits() == 0) console.out << "never " << probe->name() << "\n";
  }
  console.out << "probes=" << probes.size() << " reached=" << reached << "\n";
}

Result<void> check(const SimFlags& flags) {
  const auto wrong = [](std::string what) {
    return std::unexpected(Error{.code = ErrorCode::kBadRequest, .detail = std::move(what)});
  };
  if (!(flags.minutes > 0) || flags.minutes > kMinutesMax) {
    return wrong("--minutes must be over 0 and at most a day");
  }
  if (flags.seeds < 1) return wrong("--seeds must be at least 1");
  return {};
}

Exit run_sim(const SimFlags& flags, Console& console) {
  const auto faults = sim::parse_faults(flags.faults);
  if (!faults) return fail(console, Exit::kUsage, faults.error().detail, "stator sim --help");
  const auto options = to_options(flags);
  if (!options) return fail(console, Exit::kUsage, options.error().detail, "stator sim --help");
  if (const auto checked = check(flags); !checked) {
    return fail(console, Exit::kUsage, checked.error().detail,
                "stator sim --seeds 10 --nodes 5 --minutes 10");
  }
  if (!flags.alone.empty()) {
    return run_alone(*options, *faults, flags.alone == "trace" ? flags.traces : "", console.out);
  }
  Failures failures(flags, *options, *faults, console);
  if (flags.post_mortem) return tell_of_the_dead(*options, failures, console);
  Probe::arm();
  sim::Summary summary;
  double seconds = 0;
  const auto conclude = [&] {
    report_probes(flags, console);
    console.out << summary.line(seconds) << "\n" << summary.conclusion() << "\n";
    return summary.sound() ? Exit::kDone : Exit::kFailed;
  };
  {
    Workers workers(flags, *options, *faults);
    for (std::uint64_t i = 0; i < flags.seeds; ++i) {
      const SeedResult result = workers.take(i);
      summary.add(result.report);
      if (result.twice) summary.add_second(result.difference.empty());
      seconds += result.seconds;
      console.out << sim::describe(result.report) << "\n";
      const bool broken = !result.report.violations.empty();
      if (broken && flags.until_broken) workers.end();
      if (broken) failures.report(result.report);
      if (!result.difference.empty()) {
        failures.report_difference(result.report.seed, result.difference);
      }
      console.out.flush();
      if (!broken || !flags.until_broken) continue;
      // Nobody waits for the seeds under way: one that is broken in many ways may take minutes to
      // be judged.
      const Exit exit = conclude();
      console.out.flush();
      std::quick_exit(static_cast<int>(exit));
    }
  }
  return conclude();
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
keys unless too much is broken at once; they last 2 minutes, or --minutes if that is less. The others are sparse
and last --minutes. With --faults all, each family of faults is off in
about half of the seeds; families that are named are always on. --faults disks is all, and those that strike only
where they are asked for, since runs with them are judged more mildly: )" +
      families(sim::kEveryFault & ~sim::kAllFaults) +
      R"(.
Afterwards everything is healed, every key is read from all its owners, and the invariants are checked.
The same seed of the same program gives the same trace; of every ten seeds the tenth is run a second time to
show it.
When an invariant is broken the exit code is 1, a line tells how to run that seed again, and a file has the notes
of its faults, the last events and the story of the keys. A seed that ends the process, by an assertion that
fails, is told in the same way, and is the last one. With --shrink it is then run with less and less
(faults, operations of clients, time) until little is left that still breaks the same invariant, and a line tells
how to run that. --until-ms, --strikes, --operations and --variation are what such lines use.
The line that begins with "probes=" says how many rare states of the program were met; --probes names them. The last
line says how many seeds kept every promise.)";
  command.examples = {"stator sim --seeds 20 --minutes 1",
                      "stator sim --seed 7 --faults crash,cuts --trace",
                      "stator sim --seed 7 --minutes 1 --shrink"};
  command.options = {
      {"--seed", "S", "the first seed", &flags->seed},
      {"--seeds", "K", "how many seeds, from the first on", &flags->seeds},
      {"--nodes", "N", "nodes of the cluster; as in 3-9: so many as each seed draws",
       &flags->nodes},
      {"--minutes", "M", "simulated minutes of a sparse seed; of a dense one at most 2",
       &flags->minutes},
      {"--faults", "LIST",
       "all, disks, none, or some of these, joined by commas: " + families(sim::kEveryFault),
       &flags->faults},
      {"--trace", "", "print every event, and the story of every key that breaks an invariant",
       &flags->trace},
      {"--traces", "DIR", "the folder for the traces of failed seeds", &flags->traces},
      {"--probes", "", "name the rare states that were met, and those that never were",
       &flags->probes},
      {"--until-broken", "", "end with the first seed that breaks an invariant",
       &flags->until_broken},
      {"--shrink", "", "make each failed run small", &flags->shrink},
      {"--shrink-runs", "R", "at most so many runs for each", &flags->shrink_runs},
      {"--until-ms", "T", "end the faults when so much of the run is over; 0: when it is",
       &flags->until_ms},
      {"--strikes", "LIST", "which strikes of faults take place, as in 3,7-12; all, none",
       &flags->strikes},
      {"--operations", "LIST", "which operations of clients take place, as in 3,7-12; all, none",
       &flags->operations},
      {"--variation", "V", "let what nobody scheduled fall differently", &flags->variation},
      {"--alone",
       "WHAT",
       "what this command starts for itself: one seed, of which it says the result or writes the "
       "trace",
       &flags->alone,
       {"result", "trace"}},
      {"--post-mortem", "", "what this command becomes when a seed has ended its process",
       &flags->post_mortem},
  };
  command.run = [flags](Console& console) { return run_sim(*flags, console); };
  root.commands.push_back(std::move(command));
}

}  // namespace stator::cli

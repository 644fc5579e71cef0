#include "cli/sim_apart.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cinttypes>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <optional>
#include <ostream>
#include <sstream>
#include <string_view>
#include <utility>

#include "cli/child_process.h"

namespace stator::cli {

namespace {

constexpr char kThisProgram[] = "/proc/self/exe";
constexpr std::string_view kNotRun = "ended with code 127";  // ChildProcess could not execute it
// Whoever dies holding a lock that telling takes would wait for ever.
constexpr unsigned kSecondsToTell = 60;

// --- the process that dies -----------------------------------------------------------------------

void on_death(void (*handler)(int)) {
  for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL}) std::signal(signal, handler);
}

// Blocked while its handler runs: it comes when that returns.
void die(int signal) {
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

thread_local char* const* successor = nullptr;

void give_way(int signal) {
  if (successor != nullptr) {
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::execv(kThisProgram, successor);
  }
  die(signal);
}

void tell(int signal) {
  if (const auto run = sim::unfinished_run()) {
    char line[160];
    const int size =
        std::snprintf(line, sizeof line,
                      "died: strikes=%" PRIu64 " operations=%" PRIu64 " length_ns=%" PRId64 "\n",
                      run->strikes, run->operations, run->length.ns);
    static_cast<void>(!::write(STDOUT_FILENO, line, static_cast<std::size_t>(size)));
    ::alarm(kSecondsToTell);
    sim::tell_unfinished_run();
  }
  die(signal);
}

// --- what it has said ----------------------------------------------------------------------------

/// What stands behind `name=` in a line, up to the next space.
std::string_view field(std::string_view line, std::string_view name) {
  const std::size_t at = line.find(name);
  if (at == std::string_view::npos) return {};
  line.remove_prefix(at + name.size());
  return line.substr(0, line.find(' '));
}

template <typename Number>
Number number(std::string_view text) {
  Number value{};
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// "3,7-9" -> 3, 7, 8, 9.
std::vector<std::uint64_t> numbers(std::string_view text) {
  std::vector<std::uint64_t> all;
  while (!text.empty() && text != "none") {
    const std::string_view part = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    const std::size_t dash = part.find('-');
    const auto first = number<std::uint64_t>(part.substr(0, dash));
    const auto last =
        dash == std::string_view::npos ? first : number<std::uint64_t>(part.substr(dash + 1));
    for (std::uint64_t each = first; each <= last; ++each) all.push_back(each);
  }
  return all;
}

/// Reads the lines of run_alone(), and those of an assertion.
class Told {
 public:
  Told(const sim::Schedule& schedule, sim::RunReport& report, std::ostream& out)
      : schedule_(schedule), report_(report), out_(out) {}

  void read(const std::string& line) {
    constexpr std::string_view kAssertion = "assertion failed: ";
    if (line.starts_with("BROKEN seed ")) {
      report_.violations.push_back(line.substr(line.find(": ") + 2));
    } else if (line.starts_with("run: ")) {
      report_.strikes = numbers(field(line, " strikes="));
      report_.suspects = numbers(field(line, " suspects="));
      read_extent(line);
      finished_ = true;
    } else if (line.starts_with("died: ")) {
      const auto strikes = number<std::uint64_t>(field(line, " strikes="));
      for (std::uint64_t i = 0; i < strikes; ++i) {
        if (schedule_.strikes.contains(i)) report_.strikes.push_back(i);
      }
      read_extent(line);
    } else if (line.starts_with("trace: ")) {
      out_ << line << "\n";
    } else if (line.starts_with(kAssertion)) {
      assertion_ = line.substr(kAssertion.size());
    }
  }
  /// `how` it ended.
  void end(const std::string& how) {
    if (finished_) return;
    if (how == kNotRun) {
      report_.violations = {"the seed could not be run: its process " + how};
      return;
    }
    const std::string why = assertion_.empty() ? "its process " + how : assertion_;
    report_.violations = {std::string(sim::kEndedItsProcess) + ": " + why};
  }
  [[nodiscard]] bool finished() const { return finished_; }

 private:
  void read_extent(const std::string& line) {
    report_.operations = number<std::uint64_t>(field(line, " operations="));
    report_.workload.length = {number<std::int64_t>(field(line, " length_ns="))};
  }

  const sim::Schedule& schedule_;
  sim::RunReport& report_;
  std::ostream& out_;
  std::string assertion_;
  bool finished_ = false;
};

std::string trace_path(const std::string& traces, std::uint64_t seed) {
  return traces + "/stator-sim-" + std::to_string(seed) + ".trace";
}

// The process that wrote the rest of it could not know any more.
void add_to_trace(const std::string& path, const std::string& violation) {
  std::FILE* file = std::fopen(path.c_str(), "a");
  if (file == nullptr) return;
  std::fprintf(file, "BROKEN %s\n", violation.c_str());
  std::fclose(file);
}

}  // namespace

Successor::Successor(std::vector<std::string> words) : words_(std::move(words)) {
  for (std::string& word : words_) pointers_.push_back(word.data());
  pointers_.push_back(nullptr);
  successor = pointers_.data();
  on_death(give_way);
}

Successor::~Successor() {
  successor = nullptr;
}

sim::RunReport run_apart(const sim::SimulateOptions& options, std::uint64_t seed,
                         const std::string& traces, std::ostream& out) {
  sim::RunReport report;
  report.seed = seed;
  std::vector<std::string> command{kThisProgram};
  std::istringstream line(sim::reproduce_line(options, seed));
  std::string word;
  line >> word;  // "stator"
  while (line >> word) command.push_back(word);
  command.emplace_back("--alone");
  command.emplace_back(traces.empty() ? "result" : "trace");
  if (!traces.empty()) {
    command.emplace_back("--traces");
    command.push_back(traces);
  }
  auto child = ChildProcess::start(command);
  if (!child) {
    report.violations = {"the seed could not be run: " + child.error().detail};
    return report;
  }
  Told told(options.schedule, report, out);
  std::istringstream lines(child->read_to_end());
  for (std::string each; std::getline(lines, each);) told.read(each);
  told.end(child->await_end());
  if (!told.finished() && !traces.empty()) {
    add_to_trace(trace_path(traces, seed), report.violations.front());
  }
  return report;
}

Exit run_alone(const sim::SimulateOptions& options, sim::FaultSet faults, const std::string& traces,
               std::ostream& out) {
  sim::RunOptions run = sim::run_of(options, faults, options.seed);
  if (!traces.empty()) {
    const std::string path = trace_path(traces, options.seed);
    run.failure = std::fopen(path.c_str(), "w");
    if (run.failure == nullptr) {
      out << "trace: cannot write " << path << ": " << std::strerror(errno)
          << "; give another --traces\n";
    } else {
      out << "trace: " << path << "\n";
      std::fprintf(run.failure, "%s\n", sim::reproduce_line(options, options.seed).c_str());
      std::fflush(run.failure);
    }
    out.flush();  // it may be the last that is said
  }
  on_death(tell);
  const sim::RunReport report = sim::run_cluster(run);
  for (const std::string& violation : report.violations) {
    out << "BROKEN seed " << report.seed << ": " << violation << "\n";
    if (run.failure != nullptr) std::fprintf(run.failure, "BROKEN %s\n", violation.c_str());
  }
  out << "run: strikes=" << sim::NumberSet::of(report.strikes).text()
      << " operations=" << report.operations << " length_ns=" << report.workload.length.ns
      << " suspects=" << sim::NumberSet::of(report.suspects).text() << "\n";
  if (run.failure != nullptr) {
    std::fprintf(run.failure, "%s\n", sim::describe(report).c_str());
    std::fclose(run.failure);
  }
  return report.violations.empty() ? Exit::kDone : Exit::kFailed;
}

}  // namespace stator::cli

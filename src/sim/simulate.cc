#include "sim/simulate.h"

#include <algorithm>
#include <charconv>
#include <cinttypes>
#include <cstdarg>
#include <cstdio>
#include <iterator>
#include <set>
#include <sstream>

#include "base/hash.h"

namespace stator::sim {
namespace {

[[gnu::format(printf, 1, 2)]] std::string text(const char* format, ...) {
  char buffer[1024];
  std::va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(buffer, sizeof buffer, format, arguments);
  va_end(arguments);
  return buffer;
}

double in_seconds(Duration duration) {
  return static_cast<double>(duration.ns) / 1e9;
}

// The shortest text that is read as the same number: a rounded length is another run.
std::string exact(double number) {
  char buffer[32];
  return {buffer, std::to_chars(std::begin(buffer), std::end(buffer), number).ptr};
}

std::string list(const std::vector<std::uint32_t>& numbers) {
  std::string line;
  for (const std::uint32_t number : numbers) {
    if (!line.empty()) line += ',';
    line += std::to_string(number);
  }
  return line;
}

}  // namespace

std::uint32_t NodeRange::draw(std::uint64_t seed) const {
  if (least == most) return least;
  Random random = Random(seed).fork("nodes");
  return least + static_cast<std::uint32_t>(random.below(most - least + 1));
}

Result<NodeRange> parse_nodes(std::string_view text) {
  constexpr std::uint32_t kNodesMax = 32;
  NodeRange range;
  const char* const end = text.data() + text.size();
  auto read = std::from_chars(text.data(), end, range.least);
  range.most = range.least;
  if (read.ec == std::errc() && read.ptr != end && *read.ptr == '-') {
    read = std::from_chars(read.ptr + 1, end, range.most);
  }
  if (read.ec != std::errc() || read.ptr != end || range.least < 1 || range.most < range.least ||
      range.most > kNodesMax) {
    return std::unexpected(Error{.code = ErrorCode::kBadRequest,
                                 .detail = "--nodes must be from 1 to " +
                                           std::to_string(kNodesMax) +
                                           ", or such a range, as in 3-9"});
  }
  return range;
}

// With what its seed has drawn.
std::string reproduce_line(const SimulateOptions& options, std::uint64_t seed) {
  return text("stator sim --seed %" PRIu64 " --seeds 1 --nodes %" PRIu32 " --minutes ", seed,
              options.nodes.draw(seed)) +
         exact(options.minutes) + " --faults " + options.faults + to_flags(options.schedule);
}

RunOptions run_of(const SimulateOptions& options, FaultSet faults, std::uint64_t seed) {
  RunOptions run;
  run.seed = seed;
  run.nodes = options.nodes.draw(seed);
  run.minutes = options.minutes;
  run.faults = faults;
  run.swarm = names_group(options.faults);
  run.schedule = options.schedule;
  return run;
}

std::string differs(const RunReport& first, const RunReport& second) {
  return text("I19: a second run of seed %" PRIu64 " had %" PRIu64 " events and trace=%016" PRIx64
              ", the first %" PRIu64 " and trace=%016" PRIx64,
              first.seed, second.events, second.trace_hash, first.events, first.trace_hash);
}

std::string broken_invariants(const RunReport& report) {
  std::set<std::string> names;
  for (const std::string& each : report.violations) {
    // "I2: ..."; what clients complain of without an invariant's name breaks what they were
    // promised.
    const std::string name = each.substr(0, each.find(':'));
    names.insert(name.size() <= 3 || name == kEndedItsProcess ? name : "P7");
  }
  std::string line;
  for (const std::string& name : names) line.append(line.empty() ? "" : " ").append(name);
  return line;
}

ShrunkRun shrink_run(const RunOptions& options, const RunReport& failed, std::uint64_t runs_max,
                     const RunOne& run_one) {
  ShrinkInput input;
  input.schedule = options.schedule;
  input.length = failed.workload.length;
  input.strikes = failed.strikes;
  for (std::uint64_t i = 0; i < failed.operations; ++i) {
    if (options.schedule.operations.contains(i)) input.operations.push_back(i);
  }
  input.suspects = failed.suspects;
  input.runs_max = runs_max;
  const std::string wanted = " " + broken_invariants(failed) + " ";
  RunOptions run = options;
  run.trace = run.failure = nullptr;
  const auto breaks = [&](const Schedule& schedule) {
    run.schedule = schedule;
    const RunReport report = run_one(run);
    std::istringstream broken(broken_invariants(report));
    for (std::string name; broken >> name;) {
      if (wanted.find(" " + name + " ") != std::string::npos) return true;
    }
    return false;
  };
  ShrunkRun result;
  result.events_before = input.strikes.size() + input.operations.size();
  result.shrunk = shrink(input, breaks);
  run = options;
  run.trace = nullptr;
  run.schedule = result.shrunk.schedule;
  result.report = run_one(run);
  // What lies behind its end did not take place either.
  std::erase_if(result.shrunk.operations,
                [&](std::uint64_t number) { return number >= result.report.operations; });
  result.shrunk.strikes = result.report.strikes;
  return result;
}

std::string describe(const RunReport& report) {
  std::string line = text(
      "seed %" PRIu64 " shards %s %s %.0f s %" PRIu64 " of %" PRIu64 " ops (%.0f/s) on %" PRIu32
      " keys: %" PRIu64 " acknowledged %" PRIu64 " unknown %" PRIu64 " not applied, %" PRIu64
      " of %" PRIu64 " writes owed (%" PRIu64 " by few), %" PRIu64 " reads (%" PRIu64
      " of quorums that meet), %" PRIu64 " copies and %" PRIu64 " gone hints looked at, %" PRIu64
      " siblings at most, %" PRIu64 " events",
      report.seed, list(report.shards).c_str(), report.workload.dense ? "dense" : "sparse",
      in_seconds(report.simulated), report.clients.done, report.clients.begun,
      static_cast<double>(report.clients.done) / in_seconds(report.simulated), report.workload.keys,
      report.verdict.acknowledged, report.verdict.unknown, report.verdict.not_applied,
      report.writes_owed, report.writes_answered, report.writes_owed_by_few,
      report.verdict.reads_checked, report.verdict.quorum_reads_checked,
      report.verdict.copies_checked, report.verdict.hints_checked, report.verdict.siblings_max,
      report.events);
  const FaultCounters& made = report.faults_made;
  line +=
      text("; faults %s: %zu strikes: %" PRIu64 " crashes %" PRIu64 " kills %" PRIu64
           " restarts %" PRIu64 " pauses %" PRIu64 " cuts %" PRIu64 " resets %" PRIu64
           " slow %" PRIu64 " clock %" PRIu64 " disk %" PRIu64 " very long, %" PRIu64
           " records rotten, met %" PRIu64 " times",
           describe_faults(report.faults).c_str(), report.strikes.size(), made.crashes, made.kills,
           made.restarts, made.pauses, made.cuts, made.resets, made.slow, made.clock_changes,
           made.disk_faults, made.very_long, report.records_rotten, report.rotten_met);
  if (report.core > 0) {
    line += text(", a core of %zu healed first: %" PRIu64 " operations judged, %" PRIu64 " put off",
                 report.core, report.clients.core_judged, report.clients.core_put_off);
  }
  const WireCounters& wire = report.wire;
  line += text(", %" PRIu64 " frames %" PRIu64 " lost %" PRIu64 " cut %" PRIu64 " doubled %" PRIu64
               " overtaken %" PRIu64 " damaged %" PRIu64 " replayed",
               wire.frames, wire.lost, wire.cut, wire.duplicated, wire.reordered,
               wire.corrupted + wire.truncated, wire.replayed);
  return line + text("; trace=%016" PRIx64, report.trace_hash);
}

void Summary::add_second(bool equal) {
  ++twice;
  if (!equal) ++broken_;
}

void Summary::add(const RunReport& report) {
  ++seeds;
  if (report.workload.dense) ++dense_seeds;
  if (std::ranges::max(report.shards) > 1) ++sharded_seeds;
  if (report.core > 0) ++core_seeds;
  if (!report.violations.empty()) ++broken_;
  simulated = simulated + report.simulated;
  begun += report.clients.begun;
  operations += report.clients.done;
  acknowledged += report.verdict.acknowledged;
  unknown += report.verdict.unknown;
  not_applied += report.verdict.not_applied;
  writes_owed += report.writes_owed;
  reads_checked += report.verdict.reads_checked;
  quorum_reads_checked += report.verdict.quorum_reads_checked;
  copies_checked += report.verdict.copies_checked;
  events += report.events;
  trace ^= mix64(report.trace_hash ^ mix64(report.seed));
}

std::string Summary::line(double core_seconds) const {
  return text(
      "seeds=%" PRIu64 " broken=%" PRIu64 " dense=%" PRIu64 " sharded=%" PRIu64 " cores=%" PRIu64
      " simulated_s=%.0f begun=%" PRIu64 " operations=%" PRIu64
      " operations_per_s=%.1f acknowledged=%" PRIu64 " unknown=%" PRIu64 " not_applied=%" PRIu64
      " writes_owed=%" PRIu64 " reads_checked=%" PRIu64 " copies_checked=%" PRIu64 " twice=%" PRIu64
      " events=%" PRIu64 " events_per_s=%.0f times_real=%.1f trace=%016" PRIx64,
      seeds, broken_, dense_seeds, sharded_seeds, core_seeds, in_seconds(simulated), begun,
      operations, static_cast<double>(operations) / in_seconds(simulated), acknowledged, unknown,
      not_applied, writes_owed, reads_checked, copies_checked, twice, events,
      static_cast<double>(events) / core_seconds, in_seconds(simulated) / core_seconds, trace);
}

std::string Summary::conclusion() const {
  // A seed that broke something and did something else the second time counts twice in `broken_`.
  const std::uint64_t kept = seeds - std::min(broken_, seeds);
  const std::string said = text("%" PRIu64 " of %" PRIu64 " seeds kept every promise", kept, seeds);
  if (sound()) return said;
  return said +
         "; the lines that begin with BROKEN say what the others broke, those with "
         "\"reproduce:\" how to run them again";
}

}  // namespace stator::sim

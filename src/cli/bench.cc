#include <sys/resource.h>
#include <unistd.h>

#include <memory>
#include <ostream>
#include <string>

#include "cli/bench/clock.h"
#include "cli/bench/load.h"
#include "cli/bench_options.h"
#include "cli/bench_report.h"
#include "cli/commands.h"
#include "cli/json.h"
#include "cli/node_client.h"
#include "env_real/runtime.h"

namespace stator::cli {

namespace {

constexpr const char* kNextRedis = "the same with --redis HOST:PORT, or stator dev";

/// The Redis addresses of all members, from the node that --node means.
Exit discover(const BenchOptions& given, std::vector<env::Address>& nodes, Console& console) {
  NodeClient client(given.node, console);
  if (!client.ask({.target = "/v1/status"})) return client.exit();
  if (client.answer().status != 200) return client.refused({.command = "bench"});
  for (const Json& member : Json::parse(client.answer().body)["members"].items()) {
    if (auto address = env::parse_address(member["redis"].text())) {
      nodes.push_back(std::move(*address));
    }
  }
  if (!nodes.empty()) return Exit::kDone;
  return fail(console, Exit::kFailed,
              "the node at " + client.node() + " knows no member with a Redis address",
              "stator status --node " + client.node());
}

/// As many connections as the system lets this process have.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  static_cast<void>(::setrlimit(RLIMIT_NOFILE, &limit));
}

bench::LoadResult run_load(const bench::LoadOptions& options, Console& console) {
  raise_descriptor_limit();
  env::Runtime runtime(1);
  env::Env& env = runtime.shard_env(0);
  bench::FineClock clock(env.executor);
  const bool watched = ::isatty(STDERR_FILENO) == 1;
  Callback<void(const bench::Progress&)> each_second;
  if (watched) {
    each_second = [&options, &console](const bench::Progress& progress) {
      console.err << '\r' << bench_progress_line(options, progress) << "\033[K" << std::flush;
    };
  }
  bench::Load load(env, clock, options, [&runtime] { runtime.stop(); }, std::move(each_second));
  runtime.on_signal([&load](int) { load.stop_early(); });
  load.start();
  runtime.run();
  if (watched) console.err << "\r\033[K" << std::flush;
  return load.result();
}

Exit verdict(const BenchOptions& given, const bench::LoadResult& result, Console& console) {
  const bench::Tally& tally = result.tally;
  const std::uint64_t stale = tally.verdict(bench::Verdict::kStale);
  const std::uint64_t lost = tally.verdict(bench::Verdict::kLost);
  if (stale + lost > 0) {
    return fail(console, Exit::kFailed,
                std::to_string(stale) + " reads were stale and " + std::to_string(lost) +
                    " found nothing where a write had been acknowledged",
                "stator status");
  }
  if (tally.total().latency.count() == 0) {
    return fail(console, Exit::kFailed, "not one operation ended well", "stator status");
  }
  if (const std::uint64_t failed = bench_failures(result); failed > 0 && !given.allow_errors) {
    return fail(console, Exit::kFailed, std::to_string(failed) + " operations failed",
                "stator status, or the same with --allow-errors");
  }
  return Exit::kDone;
}

Exit bench(const BenchOptions& given, Console& console) {
  auto options = load_options(given);
  if (!options) {
    return fail(console, Exit::kUsage, options.error().detail, "stator bench --help");
  }
  if (options->nodes.empty()) {
    if (const Exit exit = discover(given, options->nodes, console); exit != Exit::kDone) {
      return exit;
    }
  }
  const bench::LoadResult result = run_load(*options, console);
  const bool measured = result.elapsed.ns > 0;
  if (measured && given.node.output == "json") print_bench_json(*options, result, console.out);
  if (measured && given.node.output != "json") print_bench_table(*options, result, console);
  switch (result.end) {
    case bench::LoadResult::End::kUnreachable:
      return fail(console, Exit::kUnreachable, "no node could be reached: " + result.problem,
                  kNextRedis);
    case bench::LoadResult::End::kFailed:
      return fail(console, Exit::kFailed, result.problem, "the same without --cluster");
    case bench::LoadResult::End::kDone:
    case bench::LoadResult::End::kStopped: break;
  }
  return verdict(given, result, console);
}

}  // namespace

void register_bench(Command& root) {
  const auto options = std::make_shared<BenchOptions>();
  Command command;
  command.name = "bench";
  command.summary = "Load a cluster, and tell how fast it answers";
  command.details =
      "Over the Redis protocol, so that anything which speaks it can be loaded the same way.\n"
      "\n"
      "A closed loop (the default) starts an operation when the one before on that connection has\n"
      "ended: it tells how much a cluster can do. An open loop (--rate) starts operations by the\n"
      "clock, as users do, whether or not others have ended, and counts latency from the time at\n"
      "which each was meant to start: it tells what users would see at that rate. A stall of a\n"
      "second is then felt by a second's worth of operations, not by one.\n"
      "\n"
      "Percentiles are of operations that ended well. Failed ones are counted by what is known:\n"
      "unknown (the write may be visible), tryagain (not applied), refused (any other error),\n"
      "connection_lost, no_answer (within --timeout), not_sent (due in an open loop, but no\n"
      "connection had room until --timeout after the end). Ctrl-C ends early and prints the "
      "result.\n"
      "Exit code 1 when an operation failed (unless --allow-errors) or --check found something.";
  command.examples = {
      "stator bench --fill                              # 10 s, 90 % reads, on all members",
      "stator bench --mix set -P 16 -n 1000000          # as many writes as it takes",
      "stator bench --rate 5000 --duration 1m --warmup 5s   # what users see at 5000/s",
      "stator bench --zipf 0.99 --cluster               # hot keys, each to its own node",
      "stator bench --mix st.get=1,st.update=1          # the Dynamo interface, with contexts",
      "stator bench --check --mix get=1,set=1 --allow-errors   # while you stop a node: is it "
      "true?",
      "stator bench --redis 127.0.0.1:6379 -o json      # any server of that protocol; for "
      "scripts"};
  options->add_options(command.options);
  command.run = [options](Console& console) { return bench(*options, console); };
  root.commands.push_back(std::move(command));
}

}  // namespace stator::cli

// The workload, the clients and the checker of the simulator around real processes. Takes orders on
// a port (`control=`), one line each, and answers with one line of JSON:
//
//   window   what clients saw since the last `window`
//   strict   all is healed: from now on each operation must end well within 5 s (I15)
//   begin    begin operations (again)
//   pause    begin none; answered when none is open
//   judge    as pause; then look at every key and judge the history; it ends when it is left
//
// Who gives the orders keeps the connection: when that ends, so does the program.

#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "control_port.h"
#include "core/membership/history.h"
#include "env_real/runtime.h"
#include "inspection.h"
#include "meter.h"
#include "options.h"
#include "sim/checker.h"
#include "sim/client.h"
#include "sim/client_history.h"
#include "sim/story.h"

namespace stator::torture {
namespace {

constexpr Duration kDrainStep = milliseconds(20);
constexpr std::size_t kViolationsShown = 20;
constexpr int kStoriesMax = 2;

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(static_cast<unsigned char>(c) < 0x20 ? ' ' : c);
  }
  return out + "\"";
}

std::string number(const char* name, std::uint64_t value) {
  return quoted(name) + ":" + std::to_string(value);
}

class Torture {
 public:
  Torture(env::Runtime& runtime, Options options)
      : runtime_(runtime),
        env_(runtime.shard_env(0)),
        options_(std::move(options)),
        history_(
            log_, [this] { return env_.executor.now(); }, cluster_tag(options_.cluster_id),
            options_.r, options_.w),
        meter_(env_.executor, history_),
        control_([this](std::string_view line,
                        ControlPort::Answer answer) { order(line, std::move(answer)); },
                 [this] { runtime_.stop(); }) {
    record_.witness = &meter_;
  }

  Result<void> open() {
    if (auto opened = control_.open(env_.network, {"127.0.0.1", options_.control}); !opened) {
      return opened;
    }
    record_.stopped = true;
    client_ = std::make_unique<sim::Client>(env_, options_.workload, options_.nodes, record_,
                                            sim::Random(options_.seed).fork("client"));
    return {};
  }

 private:
  void order(std::string_view line, ControlPort::Answer answer) {
    if (line == "window") return answer("{" + meter_.take_window() + "," + totals() + "}");
    if (line == "strict") {
      record_.strict = true;
      return answer("{}");
    }
    if (line == "begin") {
      record_.stopped = false;
      return answer("{}");
    }
    const bool judge = line == "judge";
    if (!judge && line != "pause") return answer("{\"error\":\"no such order\"}");
    record_.stopped = true;
    drain([this, judge, answer = std::move(answer)] {
      judge ? inspect(answer) : answer("{" + totals() + "}");
    });
  }

  std::string totals() const {
    return number("begun", record_.begun) + "," + number("done", record_.done) + "," +
           number("failed", record_.failed) + "," + number("unknown", record_.unknown) + "," +
           number("refused", record_.errors) + "," + number("abandoned", record_.abandoned) + "," +
           number("retried", record_.retried) + "," + number("open", record_.open);
  }

  void drain(std::function<void()> then) {
    if (record_.open == 0) return then();
    auto held = std::make_unique<std::function<void()>>(std::move(then));
    env_.executor.after(kDrainStep, [this, held = std::move(held)] { drain(std::move(*held)); });
  }

  void inspect(ControlPort::Answer answer) {
    inspection_ = std::make_unique<Inspection>(
        env_, options_.nodes, options_.workload.keys, options_.n, history_,
        [this, answer = std::move(answer)](std::vector<std::string> problems) {
          answer(judgement(std::move(problems)));
        });
    inspection_->start();
  }

  std::string judgement(std::vector<std::string> problems) {
    history_.name_plain_writes();
    const sim::Verdict verdict = sim::check(
        log_, {.n = options_.n, .partitions = options_.partitions, .mints_known = false});
    for (const std::string& each : record_.problems) problems.push_back(each);
    int stories = 0;
    for (const sim::Violation& each : verdict.violations) {
      if (problems.size() >= kViolationsShown) break;
      problems.push_back(each.invariant + ": key " + std::to_string(each.key) + ": " + each.what);
      if (stories++ < kStoriesMax) sim::tell_story(log_.key(each.key), stderr);
    }
    std::string list;
    for (const std::string& each : problems) list += (list.empty() ? "" : ",") + quoted(each);
    return "{" + totals() + "," + number("acknowledged", verdict.acknowledged) + "," +
           number("never_known", verdict.unknown) + "," +
           number("not_applied", verdict.not_applied) + "," +
           number("reads_checked", verdict.reads_checked) + "," +
           number("quorum_reads_checked", verdict.quorum_reads_checked) + "," +
           number("siblings_max", verdict.siblings_max) + "," + number("keys", log_.keys().size()) +
           ",\"problems\":[" + list + "]}";
  }

  env::Runtime& runtime_;
  env::Env& env_;
  Options options_;
  sim::OperationLog log_;
  sim::ClientRecord record_;
  sim::ClientHistory history_;
  Meter meter_;
  ControlPort control_;
  std::unique_ptr<sim::Client> client_;
  std::unique_ptr<Inspection> inspection_;
};

int run(std::span<char* const> arguments) {
  auto options = parse_options(arguments);
  if (!options) {
    std::fprintf(stderr, "stator_torture: %s\n", options.error().detail.c_str());
    return 2;
  }
  env::Runtime runtime(1);
  Torture torture(runtime, std::move(*options));
  if (auto opened = torture.open(); !opened) {
    std::fprintf(stderr, "stator_torture: %s\n", opened.error().detail.c_str());
    return 1;
  }
  std::puts("ready");
  std::fflush(stdout);
  runtime.run();
  return 0;
}

}  // namespace
}  // namespace stator::torture

int main(int count, char** arguments) {
  return stator::torture::run(std::span(arguments, static_cast<std::size_t>(count)).subspan(1));
}

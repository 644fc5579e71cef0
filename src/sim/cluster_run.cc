#include "sim/cluster_run.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "sim/audit.h"
#include "sim/bounds.h"
#include "sim/clients_judge.h"
#include "sim/copies.h"
#include "sim/false_answers.h"
#include "sim/healed_core.h"
#include "sim/hints_in_the_end.h"
#include "sim/nodes.h"
#include "sim/reach_watch.h"
#include "sim/recording_store.h"
#include "sim/rotten_records.h"
#include "sim/story.h"
#include "sim/suspects.h"

namespace stator::sim {
namespace {

constexpr Duration kStart = seconds(2);  // until the nodes have met
// After healing, until I15 is asked for: a sync that was slow when it began may take its ten
// seconds, and meanwhile what is staged behind it may fill the node's memory (P8).
constexpr Duration kSettle = seconds(11);
constexpr Duration kStrict = seconds(4);  // of operations that all must be ok
// Until all that was begun through a core has ended, well or not: only then are others healed.
constexpr Duration kCoreEnds = seconds(6);
// Of what is asked of a core so much may be refused as too much, or too late, at that moment.
constexpr std::uint64_t kPutOffShare = 10;
constexpr Duration kDrain = seconds(30);       // at most, for what is still open
constexpr Duration kLook = milliseconds(500);  // between two looks at what nodes hold (I14)
constexpr Duration kGone = seconds(7);         // after the last client has gone (I20)
constexpr std::size_t kTraceLines = 20'000;    // of a failed run

std::string sentence(const Violation& violation) {
  return violation.invariant + ": key " + std::to_string(violation.key) + ": " + violation.what;
}

// The course of one run: what begins and ends when, and who is asked what became of it.
class ClusterRun {
 public:
  explicit ClusterRun(const RunOptions& options);
  RunReport run();
  [[nodiscard]] UnfinishedRun unfinished() const {
    return {.strikes = adversary_->numbered(),
            .operations = clients_.keys.size(),
            .length = workload_.length};
  }
  void tell_unfinished() {
    if (options_.failure == nullptr) return;
    world_.trace().write_to(options_.failure);
    std::fflush(options_.failure);
  }

 private:
  void add_hosts(const FaultMenu& menu);
  void watch_reach();
  void note_strike();
  void start_clients();
  void run_for(Duration time);
  void run_core();
  void drain();
  void look_at_hints();
  void look_at_rest();
  void tell_stories(const Verdict& verdict);
  void judge(RunReport& report);
  void judge_clients(RunReport& report);
  [[nodiscard]] RunReport report();
  void violate(std::string what) { violations_.push_back(std::move(what)); }
  void violate(const std::vector<std::string>& problems) {
    violations_.insert(violations_.end(), problems.begin(), problems.end());
  }

  RunOptions options_;
  OperationLog log_;
  ClientRecord clients_;
  Workload workload_;
  FaultSet faults_ = 0;
  std::vector<std::uint32_t> client_hosts_;
  std::vector<std::uint32_t> core_;  // healed before all are
  std::vector<std::string> violations_;
  std::vector<std::uint32_t> first_shards_;
  std::unique_ptr<Nodes> nodes_;
  std::unique_ptr<ClientsJudge> clients_judge_;  // nullptr: clients write nothing down
  std::unique_ptr<Copies> copies_;               // nullptr: disks lose what they were given
  std::unique_ptr<RottenRecords> rotten_;        // nullptr: nothing rots
  std::unique_ptr<RecordingObserver> observer_;
  std::unique_ptr<Adversary> adversary_;
  std::unique_ptr<ReachWatch> watch_;
  std::unique_ptr<Bounds> bounds_;
  std::uint64_t repaired_writes_ = 0;
  World world_;  // its processes end before what they use
};

ClusterRun::ClusterRun(const RunOptions& options)
    : options_(options), world_(options.seed, options.schedule.variation) {
  Random random = world_.random().fork("run");
  workload_ = draw_workload(random, options.minutes, is_dense(options.seed));
  faults_ = options.swarm ? draw_swarm(options.faults, random) : options.faults;
  const FaultMenu menu = options.swarm ? FaultMenu::draw(random) : FaultMenu();
  clients_.kept = options.schedule.operations;
  if (options.trace != nullptr) world_.trace().print_to(options.trace);
  if (options.failure != nullptr) world_.trace().remember(kTraceLines);
  add_hosts(menu);
  const Founding& founding = nodes_->founding();
  if (!options.clients_judge) {
    // Where a disk is lost, what its node alone has acknowledged goes with it (P1).
    draw_extremes(workload_, founding.n, loses_disk(faults_) ? founding.w : std::uint8_t{1},
                  world_.random().fork("extremes"));
  }
  if (options.adapt) options.adapt(workload_);
  core_ = draw_core(nodes_->hosts(), founding, faults_, options.core, world_.random().fork("core"));
  if (!loses_disk(faults_)) copies_ = std::make_unique<Copies>(world_, nodes_->hosts(), founding);
  bounds_ = std::make_unique<Bounds>(world_, nodes_->hosts());
  observer_ = std::make_unique<RecordingObserver>(log_, world_.scheduler(), copies_.get());
  watch_reach();
  nodes_->attach(*adversary_, *observer_, *watch_);
  if (!options.clients_judge) return;
  clients_judge_ = std::make_unique<ClientsJudge>(world_, founding);
  clients_judge_->adapt(workload_);
  clients_.witness = &clients_judge_->witness();
}

void ClusterRun::add_hosts(const FaultMenu& menu) {
  Nodes::Options options;
  options.count = options_.nodes;
  options.shards = options_.shards;
  options.durability = options_.durability;
  if (has(faults_, FaultFamily::kLimits)) {
    options.limits = std::make_unique<LimitPlan>(
        options_.nodes, menu, world_.random().fork("limits"), keeps_files(faults_));
  }
  options.only_disks_break = faults_ == (FaultSet{1} << static_cast<unsigned>(FaultFamily::kWipe));
  options.problem = [this](std::string what) { violate(std::move(what)); };
  if (has(faults_, FaultFamily::kRot)) {
    options.wrap_engine = [this](std::uint32_t node, std::unique_ptr<storage::EngineHome> home) {
      return rotten_->wrap(node, std::move(home));
    };
  }
  nodes_ = std::make_unique<Nodes>(world_, log_, std::move(options));
  if (has(faults_, FaultFamily::kRot)) {
    rotten_ = std::make_unique<RottenRecords>(world_, nodes_->hosts(), nodes_->founding(), log_);
  }
  for (std::uint32_t i = 0; i < workload_.clients; ++i) {
    client_hosts_.push_back(world_.add_host("c" + std::to_string(i + 1)).index());
  }
  adversary_ = std::make_unique<Adversary>(
      world_, nodes_->hosts(), client_hosts_,
      Adversary::Options{.families = faults_,
                         .menu = menu,
                         .strikes = options_.schedule.strikes,
                         .random = world_.random().fork("adversary"),
                         .struck = [this] { note_strike(); }},
      NodeControl{
          .start = [this](std::uint32_t node) { nodes_->start(node); },
          .stop = [this](std::uint32_t node) { nodes_->stop(node); },
          .start_copy =
              [this](std::uint32_t node, std::uint32_t original) {
                bounds_->expect_copies(nodes_->name_of(original));
                nodes_->start_copy(node, original);
              },
          .copy_ended = [this](std::uint32_t node,
                               std::uint32_t original) { nodes_->copy_ended(node, original); },
          .spoil =
              [this](std::uint32_t node, Random random) {
                if (rotten_ != nullptr) rotten_->strike(node, random);
              }});
}

// Other limits may be so tight that a node which is only late is taken for silent.
void ClusterRun::watch_reach() {
  ReachWatch::Options options;
  options.nodes = options_.nodes;
  options.spare = has(faults_, FaultFamily::kLimits) ? 1 : 0;
  options.serves = [](Program& program) {
    const auto& server = static_cast<Server&>(program);
    return server.error().empty() && !server.stopping();
  };
  watch_ = std::make_unique<ReachWatch>(world_, std::move(options));
}

void ClusterRun::note_strike() {
  if (adversary_->disk_lost_at() <= world_.now()) watch_->give_up();
  watch_->look();
}

void ClusterRun::start_clients() {
  for (const std::uint32_t host : client_hosts_) {
    world_.host(host).start([this, host](env::Env& env) {
      return std::make_unique<Client>(env, workload_, nodes_->doors(), clients_,
                                      world_.random().fork("client", host));
    });
  }
}

// In steps, after each of which nodes are looked at: that is no event of the world.
void ClusterRun::run_for(Duration time) {
  const MonoTime end = world_.now() + time;
  while (world_.now() < end) {
    world_.run_until(std::min(end, world_.now() + kLook));
    bounds_->look();
  }
}

RunReport ClusterRun::run() {
  for (const std::uint32_t node : nodes_->hosts()) nodes_->start(node);
  first_shards_ = nodes_->shards();
  world_.run_for(kStart);
  bounds_->remember_fresh();
  watch_->look();
  start_clients();
  adversary_->start(world_.now() + workload_.length);
  run_for(std::min(workload_.length, options_.schedule.until));
  if (!core_.empty()) run_core();
  adversary_->heal();
  run_for(kSettle);
  if (rotten_ != nullptr) violate(rotten_->have_mended([this](Duration time) { run_for(time); }));
  clients_.strict = true;
  run_for(kStrict);
  drain();
  for (const std::uint32_t host : nodes_->hosts()) {
    const std::string& error = nodes_->server(host).error();
    if (!error.empty()) violate("I16: " + world_.host(host).name() + " is not up: " + error);
  }
  if (violations_.empty()) look_at_hints();
  if (violations_.empty()) {
    Audit audit(world_, nodes_->hosts(), log_, nodes_->founding().n);
    audit.run();
    repaired_writes_ = audit.repaired_writes();
    violate(audit.problems());
  }
  if (violations_.empty()) look_at_rest();
  violate(bounds_->problems());
  return report();
}

// I15, while some are still away. The phases are as long as they are whatever happens in them, so
// that the operations behind them have the same numbers in every run that leaves something out.
void ClusterRun::run_core() {
  adversary_->heal_core(core_);
  clients_.core = core_;
  run_for(kSettle);
  clients_.strict = clients_.patient = true;
  run_for(kStrict);
  clients_.strict = false;
  clients_.stopped = true;
  run_for(kCoreEnds);
  clients_.stopped = clients_.patient = false;
  clients_.core.clear();
  if (clients_.core_put_off * kPutOffShare > clients_.core_judged) {
    violate("I15: of " + std::to_string(clients_.core_judged) + " operations on a healed core, " +
            std::to_string(clients_.core_put_off) + " were refused as too much or too late");
  }
}

void ClusterRun::drain() {
  clients_.stopped = true;
  const MonoTime limit = world_.now() + std::max(kDrain, workload_.patience * 2);
  while (clients_.open > 0 && world_.now() < limit) world_.run_for(milliseconds(50));
  if (clients_.open > 0) {
    violate("I15: " + std::to_string(clients_.open) + " operations of clients never ended");
  }
  run_for(seconds(3));  // what nodes still have to finish among themselves
}

// Whoever was away is here again, so that hints run out; what each owner then holds is looked at
// before the audit reads, and so repairs.
void ClusterRun::look_at_hints() {
  std::string waiting = await_hints(world_, *nodes_);
  if (!waiting.empty()) return violate(std::move(waiting));
  violate(find_stray_hints(world_, *nodes_));
  if (copies_ != nullptr) note_copies(*copies_, log_);
}

// I20: no client is left, and all that was asked is answered.
void ClusterRun::look_at_rest() {
  for (const std::uint32_t host : client_hosts_) world_.host(host).kill();
  world_.run_for(kGone);
  bounds_->look_at_rest();
}

void ClusterRun::tell_stories(const Verdict& verdict) {
  if (options_.failure == nullptr) return;
  std::uint32_t last = UINT32_MAX;
  for (const Violation& each : verdict.violations) {
    if (each.key != last) tell_story(log_.key(each.key), options_.failure);
    last = each.key;
  }
}

void ClusterRun::judge(RunReport& report) {
  report.verdict = check(log_, {.n = nodes_->founding().n,
                                .w = nodes_->founding().w,
                                .partitions = nodes_->founding().q,
                                .disk_lost_at = adversary_->disk_lost_at()});
  const Refusals& refusals = watch_->refusals();
  report.writes_answered = refusals.answered();
  report.writes_owed = refusals.owed();
  report.writes_owed_by_few = refusals.owed_by_few();
  std::vector<Violation>& violations = report.verdict.violations;
  violations.insert(violations.end(), refusals.violations().begin(), refusals.violations().end());
  for (const Violation& each : violations) violate(sentence(each));
  tell_stories(report.verdict);
}

void ClusterRun::judge_clients(RunReport& report) {
  report.clients_verdict = clients_judge_->judge(log_, adversary_->disk_lost_at());
  for (const Violation& each : report.clients_verdict.violations) {
    violate("clients: " + sentence(each));
  }
}

RunReport ClusterRun::report() {
  RunReport report;
  report.seed = options_.seed;
  report.shards = first_shards_;
  report.core = core_.size();
  report.workload = workload_;
  report.faults = faults_;
  report.faults_made = adversary_->counters();
  report.wire = world_.wire().counters();
  report.repaired_writes = repaired_writes_;
  report.refused_starts = nodes_->refused_starts();
  report.looks = bounds_->looks();
  for (const std::uint32_t host : nodes_->hosts()) {
    Server& server = nodes_->server(host);
    if (!server.error().empty()) continue;
    const node::Metrics metrics = server.store(0).metrics();
    report.hints_delivered += metrics.hints_delivered_total;
    report.records_restored += metrics.records_restored_total;
  }
  if (rotten_ != nullptr) {
    report.records_rotten = rotten_->spoilt();
    report.rotten_met = rotten_->met();
  }
  report.simulated = world_.now() - MonoTime{};
  report.events = world_.trace().events();
  report.trace_hash = world_.trace().hash();
  violate(false_answers(clients_, log_));
  judge(report);
  if (clients_judge_ != nullptr) judge_clients(report);
  violate(clients_.problems);
  if (!violations_.empty()) {
    report.suspects = suspects(report.verdict, log_, workload_, clients_.keys);
  }
  report.strikes = adversary_->strikes();
  report.operations = clients_.keys.size();
  clients_.keys = {};
  clients_.told = {};
  report.clients = std::move(clients_);
  report.violations = std::move(violations_);
  if (!report.violations.empty() && options_.failure != nullptr) {
    world_.trace().write_to(options_.failure);
  }
  return report;
}

thread_local ClusterRun* under_way = nullptr;

}  // namespace

RunReport run_cluster(const RunOptions& options) {
  ClusterRun run(options);
  under_way = &run;
  RunReport report = run.run();
  under_way = nullptr;
  return report;
}

std::optional<UnfinishedRun> unfinished_run() {
  if (under_way == nullptr) return std::nullopt;
  return under_way->unfinished();
}

void tell_unfinished_run() {
  if (under_way != nullptr) under_way->tell_unfinished();
}

}  // namespace stator::sim

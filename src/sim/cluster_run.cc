#include "sim/cluster_run.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <memory>
#include <span>
#include <utility>

#include "core/membership/history.h"
#include "node/hint_place.h"
#include "sim/audit.h"
#include "sim/bounds.h"
#include "sim/client_history.h"
#include "sim/copies.h"
#include "sim/limits.h"
#include "sim/recording_store.h"
#include "sim/server.h"
#include "sim/story.h"

namespace stator::sim {
namespace {

constexpr std::uint32_t kPartitions = 256;
constexpr Duration kStart = seconds(2);  // until the nodes have met
// After healing, until I15 is asked for: a sync that was slow when it began may take its ten
// seconds, and meanwhile what is staged behind it may fill the node's memory (P8).
constexpr Duration kSettle = seconds(11);
constexpr Duration kStrict = seconds(4);       // of operations that all must be ok
constexpr Duration kDrain = seconds(30);       // at most, for what is still open
constexpr Duration kHints = seconds(60);       // at most, until the last hint is delivered (I6)
constexpr Duration kStartAgain = seconds(1);   // of a node that refused, as service managers do
constexpr Duration kLook = milliseconds(500);  // between two looks at what nodes hold (I14)
constexpr Duration kGone = seconds(7);         // after the last client has gone (I20)
constexpr double kSeveralShards = 0.5;         // of runs
constexpr double kOtherShards = 0.3;           // of restarts in those
constexpr std::uint32_t kShardsMax = 3;
constexpr std::size_t kTraceLines = 20'000;  // of a failed run

// Nothing is taken from a disk, be it synced or not.
bool keeps_files(FaultSet faults) {
  constexpr FaultFamily kTaking[] = {FaultFamily::kCrash, FaultFamily::kFsync, FaultFamily::kIo,
                                     FaultFamily::kFull,  FaultFamily::kRot,   FaultFamily::kWipe};
  return std::none_of(std::begin(kTaking), std::end(kTaking),
                      [faults](FaultFamily family) { return has(faults, family); });
}

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
  void add_hosts();
  void start_node(std::uint32_t index);
  void refused_to_start(std::uint32_t index, const std::string& why);
  void stop_node(std::uint32_t index);
  [[nodiscard]] node::NodeOptions options_of(std::uint32_t index);
  void start_clients();
  void run_for(Duration time);
  void write_down_calls();
  void judge_clients();
  void drain();
  void look_at_rest();
  void await_hints();
  void find_stray_hints();
  void look_at_copies();
  [[nodiscard]] Server& server_of(std::uint32_t host);
  void compare_with_clients();
  void tell_stories(const Verdict& verdict);
  void name_suspects(const Verdict& verdict, RunReport& report);
  [[nodiscard]] RunReport report();
  void violate(std::string what) { violations_.push_back(std::move(what)); }

  RunOptions options_;
  OperationLog log_;
  OperationLog clients_log_;
  std::unique_ptr<ClientHistory> history_;
  Verdict clients_verdict_;
  ClientRecord clients_;
  Workload workload_;
  FaultSet faults_ = 0;
  FaultMenu menu_;
  Founding founding_;
  std::vector<std::string> node_names_;
  std::vector<env::Address> doors_;
  std::vector<std::uint32_t> node_hosts_;
  std::vector<std::uint32_t> client_hosts_;
  std::vector<std::string> violations_;
  std::vector<std::uint32_t> first_shards_;
  std::unique_ptr<Copies> copies_;  // nullptr: disks lose what they were given
  std::unique_ptr<RecordingObserver> observer_;
  std::unique_ptr<Adversary> adversary_;
  std::unique_ptr<Bounds> bounds_;
  std::uint64_t repaired_writes_ = 0;
  std::uint64_t refused_starts_ = 0;
  World world_;  // its processes end before what they use
  ShardPlan shards_;
  std::unique_ptr<LimitPlan> limits_;  // nullptr: as they come
};

ClusterRun::ClusterRun(const RunOptions& options)
    : options_(options),
      world_(options.seed, options.schedule.variation),
      shards_(options.nodes, options.shards, world_.random().fork("shards")) {
  Random random = world_.random().fork("run");
  workload_ = draw_workload(random, options.minutes, is_dense(options.seed));
  faults_ = options.swarm ? draw_swarm(options.faults, random) : options.faults;
  if (options.swarm) menu_ = FaultMenu::draw(random);
  if (has(faults_, FaultFamily::kLimits)) {
    limits_ = std::make_unique<LimitPlan>(options.nodes, menu_, world_.random().fork("limits"),
                                          keeps_files(faults_));
  }
  clients_.kept = options.schedule.operations;
  if (options.trace != nullptr) world_.trace().print_to(options.trace);
  if (options.failure != nullptr) world_.trace().remember(kTraceLines);
  add_hosts();
  if (!options.clients_judge) {
    // Where a disk is lost, what its node alone has acknowledged goes with it (P1).
    const bool lost = has(faults_, FaultFamily::kWipe) || has(faults_, FaultFamily::kRot);
    draw_extremes(workload_, founding_.n, lost ? founding_.w : std::uint8_t{1},
                  world_.random().fork("extremes"));
  }
  if (!has(faults_, FaultFamily::kWipe) && !has(faults_, FaultFamily::kRot)) {
    copies_ = std::make_unique<Copies>(world_, node_hosts_, founding_);
  }
  bounds_ = std::make_unique<Bounds>(world_, node_hosts_);
  observer_ = std::make_unique<RecordingObserver>(log_, world_.scheduler(), copies_.get());
  if (options.clients_judge) write_down_calls();
}

void ClusterRun::write_down_calls() {
  workload_.weights[static_cast<std::size_t>(OperationKind::kDel)] = 0;
  workload_.weights[static_cast<std::size_t>(OperationKind::kStDelBlind)] = 0;
  workload_.owners = 0.5;
  workload_.quorum = founding_.r;
  workload_.evidence = 0.5;
  history_ = std::make_unique<ClientHistory>(
      clients_log_, [this] { return world_.now(); }, cluster_tag(founding_.cluster_id), founding_.r,
      founding_.w);
  clients_.witness = history_.get();
}

// What is left of a key is the same for both judges.
void ClusterRun::judge_clients() {
  for (const KeyLog& key : log_.keys()) {
    KeyLog& told = clients_log_.key(clients_log_.key_index(key.bucket, key.key));
    told.final_versions = key.final_versions;
    told.final_known = key.final_known;
  }
  history_->name_plain_writes();
  clients_verdict_ = check(clients_log_, {.n = founding_.n,
                                          .partitions = founding_.q,
                                          .mints_known = false,
                                          .disk_lost_at = adversary_->disk_lost_at()});
  for (const Violation& each : clients_verdict_.violations) {
    violate("clients: " + each.invariant + ": key " + std::to_string(each.key) + ": " + each.what);
  }
}

void ClusterRun::add_hosts() {
  founding_.cluster_id = "sim";
  founding_.q = kPartitions;
  const auto nodes = static_cast<std::uint8_t>(std::min(options_.nodes, 3U));
  founding_.n = nodes;
  founding_.r = founding_.w = static_cast<std::uint8_t>(nodes / 2 + 1);
  for (std::uint32_t i = 0; i < options_.nodes; ++i) {
    const std::string name = "n" + std::to_string(i + 1);
    node_hosts_.push_back(world_.add_host(name).index());
    node_names_.push_back(name);
    doors_.push_back({name, kRedisPort});
    Member member;
    member.name = name;
    member.peer_address = name + ":" + std::to_string(kPeerPort);
    founding_.founders.push_back(member);
  }
  const auto complete = complete_founding(founding_);
  STATOR_ASSERT(complete.has_value());
  for (std::uint32_t i = 0; i < workload_.clients; ++i) {
    client_hosts_.push_back(world_.add_host("c" + std::to_string(i + 1)).index());
  }
  adversary_ = std::make_unique<Adversary>(
      world_, node_hosts_, client_hosts_,
      Adversary::Options{.families = faults_,
                         .menu = menu_,
                         .strikes = options_.schedule.strikes,
                         .random = world_.random().fork("adversary")},
      NodeControl{.start = [this](std::uint32_t node) { start_node(node); },
                  .stop = [this](std::uint32_t node) { stop_node(node); }});
}

node::NodeOptions ClusterRun::options_of(std::uint32_t index) {
  node::NodeOptions options;
  options.name = node_names_[index];
  options.data_directory = kDataDirectory;
  options.engine.name = "memory";
  options.engine.journal = true;
  options.peer_listen = {node_names_[index], kPeerPort};
  options.found = true;
  options.founding = founding_;
  options.durability = options_.durability;
  options.observer = observer_.get();
  if (limits_ != nullptr) limits_->draw(index, options);
  return options;
}

void ClusterRun::start_node(std::uint32_t index) {
  world_.host(index).start(shards_.draw(index), [this, index](std::span<env::Env> shards) {
    auto server = std::make_unique<Server>(shards, options_of(index), log_, world_.scheduler());
    if (!server->error().empty()) {
      refused_to_start(index, server->error());
    } else if (adversary_->has_clone(index)) {
      violate("D3: " + node_names_[index] + " runs on a copy of another node's disk");
    }
    return server;
  });
}

// Whatever befell its disk, a node opens what it left there (I16). While calls fail it may say so
// instead, and is started again, until they do not. Where something is spoilt it may refuse for
// good, and gets an empty disk, as from an operator; but of what stands there twice one place that
// is spoilt is one copy, and the other is enough (D24). On another node's disk it has to refuse.
void ClusterRun::refused_to_start(std::uint32_t index, const std::string& why) {
  Host& host = world_.host(index);
  const unsigned spoilt = adversary_->spoilt(index);
  const bool useless = adversary_->has_clone(index) || spoilt > 1 ||
                       (spoilt == 1 && why.find("both copies") == std::string::npos);
  ++refused_starts_;
  if (!useless && !host.disk().may_fail()) {
    violate("I16: " + host.name() + " " + why);
    return;
  }
  world_.note(host.name() + " " + why);
  world_.after(kStartAgain, [this, index, useless, number = host.process()->number()] {
    Host& refused = world_.host(index);
    if (!refused.running() || refused.process()->number() != number) return;
    refused.kill();
    if (useless) adversary_->replace_disk(index);
    start_node(index);
  });
}

void ClusterRun::stop_node(std::uint32_t index) {
  Process& process = *world_.host(index).process();
  // It may still be starting: then there is nothing to stop but the process.
  auto* server = static_cast<Server*>(process.program());
  if (server == nullptr || !server->error().empty()) {
    world_.host(index).kill();
    return;
  }
  process.loop().schedule(world_.now(), EventKind::kTask,
                          [this, server, index, number = process.number()] {
                            server->stop([this, index, number] {
                              // Not from within its own turn.
                              world_.after({}, [this, index, number] {
                                const Process* ended = world_.host(index).process();
                                if (ended != nullptr && ended->number() == number)
                                  world_.host(index).kill();
                              });
                            });
                          });
}

void ClusterRun::start_clients() {
  for (const std::uint32_t host : client_hosts_) {
    world_.host(host).start([this, host](env::Env& env) {
      return std::make_unique<Client>(env, workload_, doors_, clients_,
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
  for (const std::uint32_t node : node_hosts_) start_node(node);
  first_shards_ = shards_.shards();
  world_.run_for(kStart);
  bounds_->remember_fresh();
  start_clients();
  adversary_->start(world_.now() + workload_.length);
  run_for(std::min(workload_.length, options_.schedule.until));
  adversary_->heal();
  run_for(kSettle);
  clients_.strict = true;
  run_for(kStrict);
  drain();
  for (const std::uint32_t host : node_hosts_) {
    const std::string& error = server_of(host).error();
    if (!error.empty()) violate("I16: " + world_.host(host).name() + " is not up: " + error);
  }
  if (violations_.empty()) await_hints();
  if (violations_.empty()) {
    Audit audit(world_, node_hosts_, log_, founding_.n);
    audit.run();
    repaired_writes_ = audit.repaired_writes();
    for (const std::string& problem : audit.problems()) violate(problem);
  }
  if (violations_.empty()) look_at_rest();
  for (const std::string& problem : bounds_->problems()) violate(problem);
  return report();
}

// I20: no client is left, and all that was asked is answered.
void ClusterRun::look_at_rest() {
  for (const std::uint32_t host : client_hosts_) world_.host(host).kill();
  world_.run_for(kGone);
  bounds_->look_at_rest();
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

Server& ClusterRun::server_of(std::uint32_t host) {
  return *static_cast<Server*>(world_.host(host).process()->program());
}

// I6: whoever was away is here again, so that hints run out.
void ClusterRun::await_hints() {
  const MonoTime limit = world_.now() + kHints;
  for (;;) {
    std::uint64_t pending = 0;
    bool counting = false;
    for (const std::uint32_t host : node_hosts_) {
      const node::NodeStatus status = server_of(host).store(0).status();
      counting = counting || status.hints_counting;
      for (const node::HintsView& hints : status.hints) pending += hints.pending;
    }
    if (pending == 0 && !counting) break;
    if (world_.now() >= limit) {
      violate("I6: " + std::to_string(pending) + " hints wait for owners that are all there" +
              (counting ? ", and some are not counted yet" : ""));
      return;
    }
    world_.run_for(milliseconds(100));
  }
  // What other shards count is published now and then.
  world_.run_for(seconds(1));
  find_stray_hints();
  look_at_copies();
}

// P1: what each owner holds of each key before the audit reads, and so repairs.
void ClusterRun::look_at_copies() {
  if (copies_ == nullptr) return;
  for (std::uint32_t i = 0; i < log_.keys().size(); ++i) {
    KeyLog& key = log_.key(i);
    for (const NodeNumber owner : copies_->owners(key.bucket, key.key)) {
      const auto held = copies_->at(owner, key.bucket, key.key);
      if (!held) continue;
      key.copies.push_back({.owner = owner, .versions = *held});
      // Of owners that were away when a hint for them went.
      for (HintGone& hint : key.hints_gone) {
        if (hint.owner != owner || hint.held_known) continue;
        hint.held = *held;
        hint.held_known = true;
      }
    }
  }
}

// I5: not what is counted, but what stands there.
void ClusterRun::find_stray_hints() {
  class Counter final : public storage::ScanVisitor {
   public:
    void visit(std::string_view, std::string_view) override { ++seen; }
    std::uint64_t seen = 0;
  };
  for (const std::uint32_t host : node_hosts_) {
    Counter counter;
    Server& server = server_of(host);
    for (std::uint32_t range = 0; range < founding_.q; ++range) {
      node::Shard& shard = server.node().shard(range % server.shards());
      storage::Engine& engine = shard.context().records->engine();
      std::string after;
      do {
        auto next = engine.scan(node::hint_partition({range}), after, {}, counter);
        if (!next) {
          violate("I5: the hints of range " + std::to_string(range) + " cannot be read");
          break;
        }
        after = std::move(*next);
      } while (!after.empty());
    }
    if (counter.seen > 0) {
      violate("I5: " + std::to_string(counter.seen) + " hints stand at " +
              world_.host(host).name() + ", of which it knows nothing");
    }
  }
}

// What a client was told must be what the store said: fronts decide nothing.
void ClusterRun::compare_with_clients() {
  struct Known {
    bool ok = false;
    bool maybe = false;
  };
  std::map<std::pair<std::uint32_t, std::uint64_t>, Known> known;
  for (std::uint32_t i = 0; i < log_.keys().size(); ++i) {
    for (const WriteCall& call : log_.keys()[i].writes) {
      if (call.tombstone) continue;
      Known& entry = known[{i, call.value_hash}];
      entry.ok = entry.ok || call.outcome == Outcome::kOk;
      entry.maybe = entry.maybe || call.outcome != Outcome::kNotApplied;
    }
  }
  for (const ClientRecord::Told& told : clients_.told) {
    const std::uint32_t key = log_.key_index("default", key_name(told.key));
    const Known entry = known[{key, told.value_hash}];
    if (told.ok && !entry.ok) {
      violate("P7: a client was told `ok` for a write of key " + std::to_string(key) +
              " that was not acknowledged");
    } else if (!told.ok && entry.maybe) {
      violate("P7: a client was told that its write of key " + std::to_string(key) +
              " was refused, and it may have been applied");
    }
  }
}

void ClusterRun::tell_stories(const Verdict& verdict) {
  if (options_.failure == nullptr) return;
  std::uint32_t last = UINT32_MAX;
  for (const Violation& each : verdict.violations) {
    if (each.key != last) tell_story(log_.key(each.key), options_.failure);
    last = each.key;
  }
}

RunReport ClusterRun::report() {
  RunReport report;
  report.seed = options_.seed;
  report.shards = first_shards_;
  report.workload = workload_;
  report.faults = faults_;
  report.faults_made = adversary_->counters();
  report.wire = world_.wire().counters();
  report.repaired_writes = repaired_writes_;
  report.refused_starts = refused_starts_;
  report.looks = bounds_->looks();
  for (const std::uint32_t host : node_hosts_) {
    Server& server = server_of(host);
    if (!server.error().empty()) continue;
    report.hints_delivered += server.store(0).metrics().hints_delivered_total;
  }
  report.simulated = world_.now() - MonoTime{};
  report.events = world_.trace().events();
  report.trace_hash = world_.trace().hash();
  compare_with_clients();
  report.verdict = check(
      log_,
      {.n = founding_.n, .partitions = founding_.q, .disk_lost_at = adversary_->disk_lost_at()});
  for (const Violation& each : report.verdict.violations) {
    violate(each.invariant + ": key " + std::to_string(each.key) + ": " + each.what);
  }
  tell_stories(report.verdict);
  if (history_) judge_clients();
  report.clients_verdict = std::move(clients_verdict_);
  for (const std::string& problem : clients_.problems) violate(problem);
  if (!violations_.empty()) name_suspects(report.verdict, report);
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

void ClusterRun::name_suspects(const Verdict& verdict, RunReport& report) {
  std::vector<bool> broken;
  for (const Violation& each : verdict.violations) {
    const std::string& name = log_.key(each.key).key;
    for (const std::uint32_t key : all_keys(workload_)) {
      if (key_name(key) != name) continue;
      broken.resize(std::max<std::size_t>(broken.size(), key + 1));
      broken[key] = true;
    }
  }
  for (std::uint64_t number = 0; number < clients_.keys.size(); ++number) {
    const std::uint32_t key = clients_.keys[number];
    if (key < broken.size() && broken[key]) report.suspects.push_back(number);
  }
}

}  // namespace

ShardPlan::ShardPlan(std::uint32_t nodes, std::uint32_t fixed, Random random)
    : random_(random), several_(random_.chance(kSeveralShards)), fixed_(fixed), shards_(nodes, 0) {}

std::uint32_t ShardPlan::draw(std::uint32_t node) {
  std::uint32_t& shards = shards_.at(node);
  if (fixed_ > 0) return shards = fixed_;
  if (!several_) return shards = 1;
  if (shards == 0 || random_.chance(kOtherShards)) {
    shards = 1 + static_cast<std::uint32_t>(random_.below(kShardsMax));
  }
  return shards;
}

namespace {

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

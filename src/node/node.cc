#include "node/node.h"

#include <algorithm>
#include <utility>

#include "base/probe.h"
#include "node/stored_history.h"
#include "storage/disk_remedy.h"
#include "storage/open_engine.h"

namespace stator::node {
namespace {

constexpr Duration kPublishInterval = milliseconds(500);
constexpr Duration kSettleStep = milliseconds(2);
constexpr Duration kSettleMax = seconds(1);
// A node that leaves goes on serving its peers until they have asked nothing for kQuiet, at least
// until they know that it leaves, at most for kLeaveMax.
constexpr Duration kQuiet = milliseconds(50);
constexpr Duration kLeaveMin = milliseconds(150);
constexpr Duration kLeaveMax = seconds(1);
constexpr const char* kDefaultEngine = "rocksdb";

// Sums over shards.
void add_hints(NodeStatus& status, const std::vector<HintsView>& hints) {
  for (const HintsView& more : hints) {
    auto at = std::find_if(status.hints.begin(), status.hints.end(),
                           [&](const HintsView& one) { return one.owner == more.owner; });
    if (at == status.hints.end()) at = status.hints.insert(at, {.owner = more.owner});
    at->pending += more.pending;
    at->bytes += more.bytes;
    at->delivered += more.delivered;
    at->delivered_total += more.delivered_total;
    at->per_second += more.per_second;
    at->settled = at->settled && more.settled;
    at->oldest_ms = std::max(at->oldest_ms, more.oldest_ms);
  }
}

}  // namespace

Node::Node(std::vector<env::Env> envs, NodeOptions options)
    : envs_(std::move(envs)), options_(std::move(options)) {}

Node::~Node() = default;

Result<std::unique_ptr<Node>> Node::open(std::vector<env::Env> shards, NodeOptions options) {
  STATOR_ASSERT(!shards.empty());
  std::unique_ptr<Node> node(new Node(std::move(shards), std::move(options)));
  env::Executor& executor = node->envs_[0].executor;
  node->incarnation_ = {executor.random()};
  node->started_at_ = executor.wall_now();
  node->started_ = executor.now();
  for (const auto step : {&Node::open_identity, &Node::load_history, &Node::open_shards}) {
    if (auto done = ((*node).*step)(); !done) return std::unexpected(std::move(done.error()));
  }
  return node;
}

Result<void> Node::open_identity() {
  storage::DirectoryWish wish;
  wish.path = options_.data_directory;
  wish.identity.name = options_.name;
  wish.identity.engine = options_.engine.name;
  if (options_.found) {
    wish.identity.cluster_id = options_.founding.cluster_id;
    for (const Member& founder : options_.founding.founders) {
      if (founder.name == options_.name) wish.identity.node_id = founder.id;
    }
    if (!wish.identity.node_id) {
      return std::unexpected(Error{.code = ErrorCode::kBadRequest,
                                   .detail = "--found does not name this node, '" + options_.name +
                                             "': add " + options_.name +
                                             "=ADDRESS:PORT to it on every founder"});
    }
  }
  const std::uint64_t random = envs_[0].executor.random();
  wish.new_node_id = {random == 0 ? 1 : random};
  wish.new_engine = kDefaultEngine;
  auto directory = storage::open_data_directory(envs_[0].disk, wish);
  if (!directory) return std::unexpected(std::move(directory.error()));
  directory_ = std::move(*directory);
  identity_ = directory_->identity();
  options_.name = identity_.name;
  options_.engine.name = identity_.engine;
  return {};
}

Result<void> Node::load_history() {
  auto stored = read_history(envs_[0].disk, options_.data_directory);
  if (!stored) return std::unexpected(std::move(stored.error()));
  History history = std::move(stored->history);
  if (stored->mend) {
    STATOR_PROBE("history: one copy is mended by the other");
    // The other one is enough to go on with, be the disk full.
    static_cast<void>(save_history(history));
  }
  if (options_.found) {
    const auto merged = history.merge(History::found(options_.founding));
    if (!merged) {
      return std::unexpected(Error{
          .code = ErrorCode::kConflict,
          .detail =
              "the data directory " + options_.data_directory + " belongs to cluster '" +
              history.founding().cluster_id +
              "' or was founded with other members or settings: start without --found to serve "
              "what it holds, or use an empty directory"});
    }
    if (*merged) {
      if (auto saved = save_history(history); !saved) {
        return std::unexpected(
            storage::with_disk_remedy(std::move(saved.error()), options_.data_directory));
      }
    }
  }
  topology_ = make_topology(std::move(history), identity_.node_id);
  return {};
}

Result<void> Node::save_history(const History& history) {
  return write_history(envs_[0].disk, options_.data_directory, history);
}

Result<void> Node::open_shards() {
  options_.engine.directory = options_.data_directory + "/" + options_.engine.name;
  const DiskOptions disk = storage::keeps_files(options_.engine) ? options_.disk : DiskOptions{};
  disk_keeper_ = std::make_unique<DiskKeeper>(envs_[0].disk, disk, options_.data_directory);
  disk_keeper_->prepare();
  auto home = storage::open_engine(options_.engine, envs_[0]);
  if (!home) return std::unexpected(std::move(home.error()));
  engine_home_ = std::move(*home);
  if (options_.wrap_engine) engine_home_ = options_.wrap_engine(std::move(engine_home_));
  published_.resize(envs_.size());
  // All shards exist before the first loop runs: from then on anybody may post to any.
  for (std::size_t i = 0; i < envs_.size(); ++i) {
    shards_.push_back(std::make_unique<Shard>(envs_[i], options_, incarnation_,
                                              engine_home_->attach(envs_[i]), *this));
    shards_.back()->set_topology(topology_);
    stores_.push_back(std::make_unique<ShardStore>(*shards_.back(), *this, *this));
  }
  open_shards_ = static_cast<unsigned>(shards_.size());
  return {};
}

Result<void> Node::start() {
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    auto listener = envs_[i].network.listen_frames(options_.peer_listen, *shards_[i]);
    if (!listener) return std::unexpected(std::move(listener.error()));
    listeners_.push_back(std::move(*listener));
  }
  peer_address_ = listeners_.front()->address();
  shards_unsettled_ = static_cast<unsigned>(shards_.size());
  static_cast<void>(watch_disk());
  for (const auto& shard : shards_) shard->context().disk = disk_told_;
  for (unsigned i = 0; i < shards_.size(); ++i) {
    publish(i);
    // From the loop's first turn on: the engine may have taken long to open.
    env::Executor& executor = envs_[i].executor;
    executor.after({}, [this, i, &executor] { await_peers(i, executor.now() + kSettleMax); });
  }
  return {};
}

void Node::await_peers(unsigned index, MonoTime until) {
  env::Executor& executor = envs_[index].executor;
  if (!shards_[index]->peers().all_answer() && executor.now() > until) {
    STATOR_PROBE("start: goes on without having met all peers");
  }
  if (shards_[index]->peers().all_answer() || executor.now() > until) {
    --shards_unsettled_;
    return;
  }
  executor.after(kSettleStep, [this, index, until] { await_peers(index, until); });
}

wire::NodeInfo Node::announcement(DiskState disk, bool stopping) const {
  wire::NodeInfo info;
  info.name = options_.name;
  info.zone = options_.zone;
  info.redis_address = redis_text_;
  info.http_address = http_text_;
  info.peer_address = peer_text_;
  info.engine = options_.engine.name;
  info.version = options_.program_version;
  info.incarnation = incarnation_;
  info.started_at = started_at_;
  info.weight_milli = static_cast<std::uint32_t>(options_.weight * 1000);
  info.stopping = stopping;
  info.no_write = !takes_writes(disk);
  return info;
}

std::size_t Node::members_wanting() const {
  const Founding& founding = topology_->history.founding();
  const std::size_t needed = std::max(founding.r, founding.w);
  return needed - std::min(needed, topology_->members.size());
}

void Node::announce(const env::Address& redis, const env::Address& http) {
  if (options_.redis_announced.host.empty()) options_.redis_announced = redis;
  if (options_.http_announced.host.empty()) options_.http_announced = http;
  if (options_.peer_announced.host.empty()) options_.peer_announced = peer_address_;
  redis_text_ = env::to_string(options_.redis_announced);
  http_text_ = env::to_string(options_.http_announced);
  peer_text_ = env::to_string(options_.peer_announced);
  for (const auto& shard : shards_) shard->set_announcement(announcement(disk_told_, false));
}

std::vector<HintsView> Node::hints_of(unsigned index) const {
  const ShardContext& context = shards_[index]->context();
  const WallTime wall = context.guarded_now();
  std::vector<HintsView> views;
  for (const auto& [owner, hints] : context.hints.owners()) {
    const Duration age = hints.keys > 0 ? wall - hints.oldest() : Duration{};
    views.push_back({.owner = owner,
                     .pending = hints.keys,
                     .bytes = hints.bytes,
                     .delivered = hints.delivered,
                     .delivered_total = hints.delivered_total,
                     .per_second = hints.rate.per_second(context.now()),
                     .settled = hints.keys == 0 || hints.rate.settled(context.now()),
                     .oldest_ms = std::max<std::int64_t>(age.ms(), 0)});
  }
  return views;
}

void Node::publish(unsigned index) {
  Shard& shard = *shards_[index];
  {
    std::vector<HintsView> hints = hints_of(index);
    const std::lock_guard lock(mutex_);
    published_[index] = {.metrics = shard.context().metrics,
                         .engine = shard.engine().stats(),
                         .clock_skewed = shard.context().clock.skewed(),
                         .failure = shard.context().records->failure(),
                         .hints = std::move(hints),
                         .hints_counting = !shard.context().hints.counted()};
  }
  envs_[index].executor.after(kPublishInterval, [this, index] {
    if (shards_[index]->closed()) return;
    if (shards_[index]->context().records->failure()) shards_[index]->context().records->probe();
    publish(index);
    if (index == 0 && watch_disk()) tell_shards();
  });
}

// On shard 0's loop, or before the loops run. True when the state has changed.
bool Node::watch_disk() {
  std::optional<ErrorCode> failure;
  {
    const std::lock_guard lock(mutex_);
    for (const Published& shard : published_) {
      // One full disk looks like several failures; what a restart alone cures is said first.
      if (shard.failure && failure.value_or(ErrorCode::kDiskFull) == ErrorCode::kDiskFull) {
        failure = shard.failure;
      }
    }
  }
  disk_keeper_->look(failure);
  const DiskState state = disk_keeper_->state();
  {
    const std::lock_guard lock(mutex_);
    disk_ = state;
    disk_free_ = disk_keeper_->free_bytes();
  }
  return std::exchange(disk_told_, state) != state;
}

void Node::tell_shards() {
  for (unsigned i = 0; i < shards_.size(); ++i) {
    envs_[0].executor.post_to(i, [this, i, disk = disk_told_, stopping = left_at_.ns != 0] {
      shards_[i]->context().disk = disk;
      shards_[i]->set_announcement(announcement(disk, stopping));
    });
  }
}

NodeStatus Node::node_status(unsigned from) const {
  NodeStatus status;
  status.engine = options_.engine.name;
  status.uptime_ms = (envs_[from].executor.now() - started_).ms();
  const std::vector<HintsView> here = hints_of(from);
  status.hints_counting = !shards_[from]->context().hints.counted();
  status.fenced = shards_[from]->peers().refused_by_others();
  const std::lock_guard lock(mutex_);
  for (unsigned i = 0; i < published_.size(); ++i) {
    const Published& shard = published_[i];
    add_hints(status, i == from ? here : shard.hints);
    if (i != from) status.hints_counting = status.hints_counting || shard.hints_counting;
    status.keys += shard.engine.keys;
    status.syncs += shard.engine.syncs;
    status.bytes += shard.engine.bytes;
    status.clock_skewed = status.clock_skewed || shard.clock_skewed;
    status.no_write = status.no_write || shard.failure;
  }
  status.disk = disk_;
  status.disk_free = disk_free_;
  status.no_write = status.no_write || !takes_writes(disk_);
  return status;
}

Metrics Node::all_metrics(unsigned from) const {
  Metrics sum = shards_[from]->context().metrics;
  const std::lock_guard lock(mutex_);
  for (unsigned i = 0; i < published_.size(); ++i) {
    if (i != from) sum.add(published_[i].metrics);
  }
  return sum;
}

void Node::on_history(unsigned from_shard, History&& other) {
  // Kept and spread by shard 0 alone.
  auto given = std::make_unique<History>(std::move(other));
  envs_[from_shard].executor.post_to(0, [this, given = std::move(given)] {
    History merged = topology_->history;
    const auto changed = merged.merge(*given);
    if (!changed || !*changed) return;
    if (!save_history(merged)) return;  // asked for again at the next contact
    topology_ = make_topology(std::move(merged), identity_.node_id);
    for (unsigned i = 0; i < shards_.size(); ++i) {
      envs_[0].executor.post_to(
          i, [this, i, topology = topology_] { shards_[i]->set_topology(topology); });
    }
  });
}

void Node::leave() {
  if (left_at_.ns != 0) return;
  left_at_ = envs_[0].executor.now();
  tell_shards();
}

void Node::stop(Callback<void()> done) {
  leave();
  auto shared = std::make_shared<Callback<void()>>(std::move(done));
  for (unsigned i = 0; i < shards_.size(); ++i) {
    envs_[0].executor.post_to(i, [this, i, shared] {
      if (i < listeners_.size()) listeners_[i].reset();  // start() may have failed
      close_shard(i, shared);
    });
  }
}

// Requests that were accepted are answered first; each ends by its deadline.
bool Node::may_close(unsigned index) const {
  const Shard& shard = *shards_[index];
  if (shard.open_operations() > 0 || !shard.context().records->idle()) {
    STATOR_PROBE("stop: waits for what is open");
    return false;
  }
  const MonoTime now = envs_[index].executor.now();
  const Duration left = now - left_at_;
  if (shards_unsettled_ > 0) {
    STATOR_PROBE("stop: hardly known to anybody yet");
    return true;
  }
  if (left >= kLeaveMax) {
    STATOR_PROBE("stop: waits no longer for those who still ask");
    return true;
  }
  return left >= kLeaveMin && now - shard.last_request() >= kQuiet;
}

void Node::close_shard(unsigned index, std::shared_ptr<Callback<void()>> done) {
  shards_[index]->stop_background();
  if (!may_close(index)) {
    envs_[index].executor.after(milliseconds(5), [this, index, done] { close_shard(index, done); });
    return;
  }
  // Peers' connections outlive the listener, and the engine must not be asked once it closes.
  shards_[index]->close();
  shards_[index]->engine().close([this, index, done](const Result<void>&) {
    envs_[index].executor.post_to(0, [this, done] {
      if (--open_shards_ == 0) (*done)();
    });
  });
}

}  // namespace stator::node

#include "sim/bounds.h"

#include <algorithm>
#include <utility>

#include "env_sim/network.h"
#include "sim/server.h"

namespace stator::sim {
namespace {

constexpr std::size_t kProblemsMax = 4;
// One turn may bring what it brings before anybody looks: the frames of one flush of each peer.
constexpr std::size_t kTurnBytes = 2 * env::FrameLink::kFrameMax;
constexpr std::size_t kWalksMax = 1'024;  // of SCAN for clients, and explanations

// But for timers, which take long to count.
Holdings held_by(ShardLoop& loop, node::Shard& part) {
  const ShardNetwork::Held network = loop.network().held();
  const node::ShardContext& context = part.context();
  Holdings held;
  held.first_deadline = part.first_deadline();
  held.operations = std::max({part.reads().open(), part.writes().open(), part.forwarder().open()});
  held.waiting = context.admission.waiting();
  held.walks = part.explainer().open() + part.scanner().open();
  held.merges = part.merges_under_way();
  held.hints = part.hints_under_way();
  held.reads = context.records->reads_waiting();
  held.staged_bytes = context.records->staged_bytes();
  held.link_bytes = network.link_bytes;
  held.stream_bytes = network.stream_bytes;
  held.listeners = network.listeners;
  held.links = network.links;
  held.streams = network.streams;
  return held;
}

}  // namespace

Bounds::Bounds(World& world, std::vector<std::uint32_t> nodes)
    : world_(world), nodes_(std::move(nodes)) {}

void Bounds::problem(const char* invariant, const std::string& where, const std::string& what) {
  if (problems_.size() >= kProblemsMax) return;
  problems_.push_back(std::string(invariant) + ": " + where + ": " + what);
}

template <typename Look>
void Bounds::each_shard(Look look) {
  for (const std::uint32_t index : nodes_) {
    Host& host = world_.host(index);
    Server* const server = server_at(host);
    if (server == nullptr) continue;
    for (unsigned shard = 0; shard < server->shards(); ++shard) {
      node::Shard& part = server->node().shard(shard);
      if (part.closed()) continue;
      look(host, shard, part);
    }
  }
}

Holdings Bounds::most_of(const node::Shard& part) const {
  const node::NodeOptions& options = part.context().options;
  const redis::RedisFrontOptions front;
  Holdings most;
  most.operations = options.operations_max;
  most.waiting = options.operations_max;
  most.walks = kWalksMax;
  most.merges = options.operations_max;
  most.hints = node::HintDelivery::kWindow * nodes_.size();
  // Those of peers are refused beyond their limit; those of clients are operations.
  most.reads = node::RecordStore::kReadsMax + 3 * options.operations_max;
  most.staged_bytes = 2 * (node::RecordStore::kStagedBytesMax + kTurnBytes);
  most.link_bytes = world_.wire().limits.link_unsent_max + kTurnBytes;
  most.stream_bytes = front.unsent_bytes_max + kTurnBytes;
  most.streams = options.limits.clients_max;
  return most;
}

void Bounds::look() {
  const MonoTime now = world_.now();
  each_shard([&](Host& host, unsigned shard, node::Shard& part) {
    ++looks_;
    ShardLoop& loop = host.process()->loop(shard);
    for (const std::string& what :
         over_limits(held_by(loop, part), most_of(part), now, !loop.caught_up())) {
      problem("I14", host.name() + " shard " + std::to_string(shard), what);
    }
    if (part.context().metrics.peers_fenced_total > 0) look_at_refused(host.name(), part);
  });
}

void Bounds::look_at_refused(const std::string& where, const node::Shard& part) {
  const node::ShardContext& context = part.context();
  for (const Member& member : context.topology->members) {
    if (copied_.contains(member.name) || context.peers->view(member.id).refused == 0) continue;
    problem("D2", where,
            "refuses a process of " + member.name + ", which was alone under its name");
  }
}

void Bounds::remember_fresh() {
  bool first = true;
  each_shard([&](Host& host, unsigned shard, node::Shard& part) {
    ShardLoop& loop = host.process()->loop(shard);
    Holdings held = held_by(loop, part);
    held.timers = loop.timers();
    const auto least = [&](std::size_t Holdings::* count) {
      fresh_.*count = first ? held.*count : std::min(fresh_.*count, held.*count);
    };
    least(&Holdings::timers);
    least(&Holdings::listeners);
    least(&Holdings::links);
    const std::size_t open = host.disk().descriptors();
    fresh_descriptors_ = first ? open : std::min(fresh_descriptors_, open);
    first = false;
  });
}

void Bounds::look_at_rest() {
  each_shard([&](Host& host, unsigned shard, node::Shard& part) {
    ShardLoop& loop = host.process()->loop(shard);
    Holdings held = held_by(loop, part);
    held.timers = loop.timers();
    for (const std::string& what : left_over(held, fresh_)) {
      problem("I20", host.name() + " shard " + std::to_string(shard), what + ", when all is over");
    }
    const std::size_t open = host.disk().descriptors();
    if (shard == 0 && open > fresh_descriptors_) {
      problem("I20", host.name(),
              std::to_string(open) + " files and locks are open, more than " +
                  std::to_string(fresh_descriptors_) + ", when all is over");
    }
  });
}

}  // namespace stator::sim

#include "sim/rotten_records.h"

#include <algorithm>
#include <utility>

#include "sim/server.h"
#include "storage/record.h"

namespace stator::sim {
namespace {

constexpr std::uint64_t kAtOnceMax = 8;  // records of one strike
constexpr int kTriesMax = 64;            // to find one of which the node is an owner
// A node restores some keys at a time, and within its budget (D16).
constexpr std::uint32_t kMendPassesMax = 30;
constexpr Duration kMendPass = seconds(2);
constexpr std::size_t kToldMax = 4;

RottingEngine& engine_of(node::Shard& shard) {
  return static_cast<RottingEngine&>(shard.engine());
}

std::string storage_key_of(const KeyLog& log) {
  std::string key;
  storage::append_storage_key(log.bucket, log.key, key);
  return key;
}

// In the numbers of the log, as Copies has them.
NodeNumber number_of(std::uint32_t host) {
  return host + 1;
}

}  // namespace

RottenRecords::RottenRecords(World& world, std::vector<std::uint32_t> hosts,
                             const Founding& founding, OperationLog& log)
    : world_(world),
      hosts_(std::move(hosts)),
      log_(log),
      copies_(world, hosts_, founding),
      n_(founding.n) {}

std::unique_ptr<storage::EngineHome> RottenRecords::wrap(
    std::uint32_t node, std::unique_ptr<storage::EngineHome> home) {
  RottenPlaces& known = nodes_[node];
  met_before_ += std::exchange(known.met, 0);
  return make_rotting(std::move(home), known);
}

void RottenRecords::strike(std::uint32_t node, Random random) {
  Host& host = world_.host(node);
  Server* const server = server_at(host);
  if (server == nullptr || log_.keys().empty()) return;
  std::uint64_t wanted = 1 + random.below(kAtOnceMax);
  for (int i = 0; i < kTriesMax && wanted > 0; ++i) {
    const auto key = static_cast<std::uint32_t>(random.below(log_.keys().size()));
    const Rot rot = random.chance(0.5) ? Rot::kBits : Rot::kBlock;
    const KeyLog& log = log_.key(key);
    const std::vector<NodeNumber> owners = copies_.owners(log.bucket, log.key);
    if (std::ranges::find(owners, number_of(node)) == owners.end()) continue;
    --wanted;
    const PartitionId partition = copies_.partition_of(log.bucket, log.key);
    ShardLoop& loop = host.process()->loop(node::Shard::shard_of(partition, server->shards()));
    loop.schedule(
        world_.now(), EventKind::kTask,
        [this, node, key, rot, bit = random.fork("bit", key)] { spoil(node, key, rot, bit); });
  }
}

void RottenRecords::spoil(std::uint32_t node, std::uint32_t key, Rot rot, Random random) {
  if (over_) return;
  KeyLog& log = log_.key(key);
  const PartitionId partition = copies_.partition_of(log.bucket, log.key);
  const std::string storage_key = storage_key_of(log);
  node::Shard* const shard = shard_at(world_.host(node), partition);
  if (shard == nullptr || nodes_[node].places.contains({partition, storage_key})) return;
  if (!held_elsewhere(node, log)) return;
  if (!engine_of(*shard).spoil(partition, storage_key, key, rot, random)) return;
  log.rotten_at = std::min(log.rotten_at, world_.now());
  world_.note("key " + std::to_string(key) + " rots at " + world_.host(node).name() +
              (rot == Rot::kBits ? ": a bit" : ": its block"));
}

bool RottenRecords::held_elsewhere(std::uint32_t node, const KeyLog& log) {
  return std::ranges::any_of(copies_.owners(log.bucket, log.key), [&](NodeNumber owner) {
    if (owner == number_of(node)) return false;
    const auto held = copies_.at(owner, log.bucket, log.key);
    return held && !held->empty();
  });
}

std::vector<RottenRecords::Rotted> RottenRecords::still_rotten() {
  std::vector<Rotted> found;
  for (const auto& [node, known] : nodes_) {
    for (const auto& [place, key] : known.places) {
      node::Shard* const shard = shard_at(world_.host(node), place.first);
      if (shard == nullptr || !engine_of(*shard).rotten(place.first, place.second)) continue;
      found.push_back({node, key});
    }
  }
  return found;
}

// Through one node after the other, as clients do.
void RottenRecords::ask(std::uint32_t key, std::uint32_t pass) {
  Host& host = world_.host(hosts_[(key + pass) % hosts_.size()]);
  Server* const server = server_at(host);
  if (server == nullptr) return;
  const unsigned shard = key % server->shards();
  host.process()->loop(shard).schedule(world_.now(), EventKind::kTask, [this, server, shard, key] {
    const KeyLog& log = log_.key(key);
    server->store(shard).read(log.bucket, log.key, {.r = n_},
                              [](const Result<node::ReadResult>&) {});
  });
}

std::vector<std::string> RottenRecords::have_mended(const std::function<void(Duration)>& run_for) {
  over_ = true;
  std::vector<Rotted> left = still_rotten();
  for (std::uint32_t pass = 0; !left.empty() && pass < kMendPassesMax; ++pass) {
    for (const Rotted& each : left) ask(each.key, pass);
    run_for(kMendPass);
    left = still_rotten();
  }
  std::vector<std::string> problems;
  for (const Rotted& each : left) {
    if (problems.size() == kToldMax) break;
    problems.push_back("I17: what " + world_.host(each.node).name() + " holds of key " +
                       std::to_string(each.key) +
                       " has rotted, was read, and is not mended by the other owners");
  }
  for (const auto& [node, known] : nodes_) {
    Server* const server = server_at(world_.host(node));
    if (server == nullptr) continue;
    std::uint64_t counted = 0;
    for (unsigned shard = 0; shard < server->shards(); ++shard) {
      counted += server->node().shard(shard).context().metrics.records_unreadable_total;
    }
    if (counted >= known.met) continue;
    problems.push_back("I17: " + world_.host(node).name() + " met rotten records " +
                       std::to_string(known.met) + " times, and has counted " +
                       std::to_string(counted));
  }
  return problems;
}

std::uint64_t RottenRecords::spoilt() const {
  std::uint64_t sum = 0;
  for (const auto& [node, known] : nodes_) sum += known.places.size();
  return sum;
}

std::uint64_t RottenRecords::met() const {
  std::uint64_t sum = met_before_;
  for (const auto& [node, known] : nodes_) sum += known.met;
  return sum;
}

}  // namespace stator::sim

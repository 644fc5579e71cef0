#include "cluster.h"

#include <algorithm>
#include <span>

#include "core/ring/position.h"
#include "node/metrics.h"

namespace stator::test {

class Cluster::NodeProgram final : public sim::Program {
 public:
  using Refusal = std::shared_ptr<std::optional<std::string>>;
  /// Without `refusal` it has to start.
  NodeProgram(Cluster& cluster, unsigned index, std::span<env::Env> shards,
              const Refusal& refusal = nullptr)
      : cluster_(cluster), index_(index) {
    auto opened = node::Node::open({shards.begin(), shards.end()}, cluster.options_of(index));
    if (!opened && refusal != nullptr) {
      *refusal = opened.error().detail;
      return;
    }
    if (!opened) std::fprintf(stderr, "node %u: %s\n", index, opened.error().detail.c_str());
    STATOR_ASSERT(opened.has_value());
    node_ = std::move(*opened);
    const auto started = node_->start();
    STATOR_ASSERT(started.has_value());
    const std::string host = "n" + std::to_string(index + 1);
    node_->announce({host, 7379}, {host, 7380});
    cluster_.nodes_[index] = node_.get();
  }
  ~NodeProgram() override { cluster_.nodes_[index_] = nullptr; }

 private:
  Cluster& cluster_;
  unsigned index_;
  std::unique_ptr<node::Node> node_;
};

Cluster::Cluster(std::uint64_t seed, unsigned nodes, std::uint8_t n, std::uint8_t r, std::uint8_t w,
                 std::uint32_t q, Tune tune, unsigned shards)
    : tune_(std::move(tune)), shards_(shards), nodes_(nodes, nullptr), world_(seed) {
  founding_.cluster_id = "test";
  founding_.q = q;
  founding_.n = n;
  founding_.r = r;
  founding_.w = w;
  for (unsigned i = 0; i < nodes; ++i) {
    const std::string name = "n" + std::to_string(i + 1);
    hosts_.push_back(&world_.add_host(name));
    founding_.founders.push_back({.name = name, .peer_address = name + ":7381"});
  }
  const auto complete = complete_founding(founding_);
  STATOR_ASSERT(complete.has_value());
  for (unsigned i = 0; i < nodes; ++i) start(i);
  settle();
}

bool Cluster::all_healthy() {
  for (unsigned i = 0; i < size(); ++i) {
    if (nodes_[i] == nullptr) return false;
    for (unsigned shard = 0; shard < shards_; ++shard) {
      for (const auto& member : nodes_[i]->store(shard).cluster().members) {
        if (!member.healthy) return false;
      }
    }
  }
  return true;
}

void Cluster::settle() {
  const bool up = run_until([&] { return all_healthy(); });
  STATOR_ASSERT(up);
}

node::NodeOptions Cluster::options_of(unsigned i) const {
  node::NodeOptions options;
  options.name = "n" + std::to_string(i + 1);
  options.data_directory = "/data";
  options.engine = {.name = "memory", .journal = true};
  options.peer_listen = {"n" + std::to_string(i + 1), 7381};
  options.found = true;
  options.founding = founding_;
  if (tune_) tune_(options);
  return options;
}

void Cluster::start(unsigned i) {
  hosts_[i]->start(shards_, [this, i](std::span<env::Env> shards) {
    return std::make_unique<NodeProgram>(*this, i, shards);
  });
}

std::string Cluster::try_start(unsigned i) {
  const auto refusal = std::make_shared<std::optional<std::string>>();
  hosts_[i]->start(shards_, [this, i, refusal](std::span<env::Env> shards) {
    return std::make_unique<NodeProgram>(*this, i, shards, refusal);
  });
  const bool known = run_until([&] { return nodes_[i] != nullptr || refusal->has_value(); });
  STATOR_ASSERT(known);
  if (!refusal->has_value()) return {};
  hosts_[i]->kill();
  return **refusal;
}

std::shared_ptr<bool> Cluster::begin_stop(unsigned i) {
  auto stopped = std::make_shared<bool>(false);
  hosts_[i]->process()->loop().post(
      [node = nodes_[i], stopped] { node->stop([stopped] { *stopped = true; }); });
  return stopped;
}

void Cluster::ask(unsigned i, std::function<void(node::Store&)> request) {
  const unsigned shard = next_shard_++ % shards_;
  // A std::function does not fit into a callback.
  auto held = std::make_unique<std::function<void(node::Store&)>>(std::move(request));
  // It may be asked for in a turn of any process: it arrives like an event of the world.
  hosts_[i]->process()->loop(shard).schedule(
      world_.now(), sim::EventKind::kTask,
      [held = std::move(held), &store = nodes_[i]->store(shard)] { (*held)(store); });
}

bool Cluster::run_until(const std::function<bool()>& done, Duration limit) {
  const MonoTime end = world_.now() + limit;
  while (!done()) {
    if (world_.now() >= end) return false;
    world_.run_for(microseconds(100));
  }
  return true;
}

namespace {

ReadAnswer to_answer(const Result<node::ReadResult>& result) {
  ReadAnswer got;
  got.ok = result.has_value();
  if (!result) {
    got.error = result.error();
    return got;
  }
  got.evidence = result->evidence;
  got.fastest = result->fastest;
  for (const Version& version : result->object->versions) {
    if (!version.dead(result->now)) got.values.emplace_back(version.value);
  }
  make_context(*result->object, result->fastest, got.context);
  encode_object(*result->object, got.object_bytes);
  return got;
}

WriteAnswer to_answer(const node::WriteResult& result) {
  WriteAnswer got;
  got.outcome = result.outcome;
  got.error = result.error;
  got.evidence = result.evidence;
  got.id = result.id;
  if (result.context != nullptr) got.context = *result.context;
  got.time = result.time;
  return got;
}

}  // namespace

void Cluster::read_then(unsigned i, std::string key, node::ReadQuorum quorum,
                        std::function<void(ReadAnswer)> done) {
  ask(i, [key = std::move(key), quorum, done = std::move(done)](node::Store& store) {
    store.read(kDefaultBucket, key, quorum,
               [done](const Result<node::ReadResult>& result) { done(to_answer(result)); });
  });
}

void Cluster::write_then(unsigned i, std::string key, std::string value, const Context* context,
                         node::WriteKind kind, node::WriteQuorum quorum, WriteId id, bool tombstone,
                         std::function<void(WriteAnswer)> done) {
  struct Call {
    std::string key;
    std::string value;
    Context context;
    node::WriteRequest request;
    std::function<void(WriteAnswer)> done;
  };
  auto call = std::make_shared<Call>();
  call->key = std::move(key);
  call->value = std::move(value);
  if (context != nullptr) call->context = *context;
  call->request.bucket = kDefaultBucket;
  call->request.key = call->key;
  call->request.kind = kind;
  call->request.id = id;
  call->request.tombstone = tombstone;
  call->request.value = call->value;
  if (context != nullptr) call->request.context = &call->context;
  call->request.quorum = quorum;
  call->done = std::move(done);
  ask(i, [call](node::Store& store) {
    store.write(call->request,
                [done = call->done](const node::WriteResult& result) { done(to_answer(result)); });
  });
}

std::shared_ptr<std::optional<ReadAnswer>> Cluster::begin_read(unsigned i, std::string key,
                                                               node::ReadQuorum quorum) {
  auto answer = std::make_shared<std::optional<ReadAnswer>>();
  read_then(i, std::move(key), quorum, [answer](ReadAnswer got) { *answer = std::move(got); });
  return answer;
}

std::shared_ptr<std::optional<WriteAnswer>> Cluster::begin_write(
    unsigned i, std::string key, std::string value, const Context* context, node::WriteKind kind,
    node::WriteQuorum quorum, WriteId id, bool tombstone) {
  auto answer = std::make_shared<std::optional<WriteAnswer>>();
  write_then(i, std::move(key), std::move(value), context, kind, quorum, id, tombstone,
             [answer](WriteAnswer got) { *answer = std::move(got); });
  return answer;
}

ReadAnswer Cluster::read(unsigned i, const std::string& key, node::ReadQuorum quorum) {
  const auto answer = begin_read(i, key, quorum);
  const bool came = run_until([&] { return answer->has_value(); });
  STATOR_ASSERT(came);
  return **answer;
}

WriteAnswer Cluster::write(unsigned i, const std::string& key, const std::string& value,
                           const Context* context, node::WriteKind kind, node::WriteQuorum quorum,
                           WriteId id, bool tombstone) {
  const auto answer = begin_write(i, key, value, context, kind, quorum, id, tombstone);
  const bool came = run_until([&] { return answer->has_value(); });
  STATOR_ASSERT(came);
  return **answer;
}

std::vector<unsigned> Cluster::owners(const std::string& key) {
  const Ring ring(founding_.q, founding_.n, [&] {
    std::vector<RingMember> members;
    for (const Member& m : founding_.founders) members.push_back({m.id, m.name, m.zone, m.weight});
    return members;
  }());
  std::vector<unsigned> indices;
  for (const NodeId owner : ring.owners(ring.partition_of(position_of(kDefaultBucket, key)))) {
    for (const Member& m : founding_.founders) {
      if (m.id == owner) indices.push_back(static_cast<unsigned>(std::stoul(m.name.substr(1)) - 1));
    }
  }
  return indices;
}

std::string Cluster::local_object(unsigned i, const std::string& key) {
  auto answer = std::make_shared<std::optional<std::string>>();
  ask(i, [answer, key, name = "n" + std::to_string(i + 1)](node::Store& store) {
    auto own = std::make_unique<std::string>(name);
    store.explain(kDefaultBucket, key,
                  [answer, own = std::move(own)](const Result<node::Explanation>& result) {
                    *answer = std::string();
                    if (!result) return;
                    for (const auto& replica : result->replicas) {
                      if (replica.name == *own) *answer = replica.object_bytes;
                    }
                  });
  });
  run_until([&] { return answer->has_value(); });
  return **answer;
}

void Cluster::set_cut(unsigned a, unsigned b, bool cut) {
  world_.wire().set_cut(hosts_[a]->index(), hosts_[b]->index(), cut);
  world_.wire().set_cut(hosts_[b]->index(), hosts_[a]->index(), cut);
}

void Cluster::set_isolated(unsigned i, bool isolated) {
  for (unsigned other = 0; other < size(); ++other) {
    if (other != i) set_cut(i, other, isolated);
  }
}

std::uint64_t Cluster::count(unsigned i, std::uint64_t node::Metrics::* metric) {
  std::uint64_t sum = 0;
  for (unsigned shard = 0; shard < shards_; ++shard) sum += nodes_[i]->counters(shard).*metric;
  return sum;
}

std::uint64_t Cluster::total(std::uint64_t node::Metrics::* metric) {
  std::uint64_t sum = 0;
  for (unsigned i = 0; i < size(); ++i) {
    if (nodes_[i] != nullptr) sum += count(i, metric);
  }
  return sum;
}

}  // namespace stator::test

#include "sim/server.h"

#include <utility>

#include "env_sim/host.h"

namespace stator::sim {
namespace {

constexpr Duration kDrainStep = milliseconds(2);

}  // namespace

Server::Server(std::span<env::Env> shards, const node::NodeOptions& options,
               const Recording& recording)
    : shards_(shards), error_(open(shards, options, recording)) {}

std::string Server::open(std::span<env::Env> shards, const node::NodeOptions& options,
                         const Recording& recording) {
  auto opened = node::Node::open({shards.begin(), shards.end()}, options);
  if (!opened) return "does not open: " + opened.error().detail;
  node_ = std::move(*opened);
  redis::RedisFrontOptions front_options;
  front_options.limits = options.limits;
  front_options.version = "sim";
  for (unsigned i = 0; i < shards.size(); ++i) {
    Door& door = doors_.emplace_back();
    door.store = std::make_unique<RecordingStore>(node_->store(i), recording, options.founding.r,
                                                  options.founding.w);
    door.front =
        std::make_unique<redis::RedisFront>(*door.store, shards[i].executor, front_options);
    auto listener =
        shards[i].network.listen_streams({options.peer_listen.host, kRedisPort}, *door.front);
    if (!listener) return "does not listen: " + listener.error().detail;
    door.listener = std::move(*listener);
  }
  if (auto started = node_->start(); !started) return "does not start: " + started.error().detail;
  node_->announce(doors_.front().listener->address(), {});
  return {};
}

void Server::stop(Callback<void()> done) {
  stopped_ = std::move(done);
  doors_open_ = doors_.size();
  for (unsigned i = 0; i < doors_.size(); ++i) {
    shards_[0].executor.post_to(i, [this, i] { drain(i); });
  }
}

void Server::drain(unsigned shard) {
  doors_[shard].listener.reset();
  doors_[shard].front->drain();
  await_door(shard);
}

void Server::await_door(unsigned shard) {
  env::Executor& executor = shards_[shard].executor;
  if (!doors_[shard].front->drained()) {
    executor.after(kDrainStep, [this, shard] { await_door(shard); });
    return;
  }
  executor.post_to(0, [this] {
    if (--doors_open_ == 0) node_->stop([this] { stopped_(); });
  });
}

Server* server_at(Host& host) {
  if (host.process() == nullptr) return nullptr;
  auto* const server = static_cast<Server*>(host.process()->program());
  return server != nullptr && server->error().empty() ? server : nullptr;
}

node::Shard* shard_at(Host& host, PartitionId partition) {
  Server* const server = server_at(host);
  if (server == nullptr) return nullptr;
  node::Shard& shard = server->node().shard(node::Shard::shard_of(partition, server->shards()));
  return shard.closed() ? nullptr : &shard;
}

}  // namespace stator::sim

#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/callback.h"
#include "env_sim/process.h"
#include "front/redis/redis_front.h"
#include "node/node.h"
#include "sim/recording_store.h"

namespace stator::sim {

inline constexpr std::uint16_t kRedisPort = 7379;
inline constexpr std::uint16_t kPeerPort = 7381;
inline constexpr const char* kDataDirectory = "/data";

/// What one simulated node process runs: the real node on the memory engine with its journal, and
/// the real Redis front door on each of its shards, with a RecordingStore between them.
class Server final : public Program {
 public:
  /// When the node does not start, error() says why and nothing runs.
  Server(std::span<env::Env> shards, const node::NodeOptions& options, const Recording& recording);

  [[nodiscard]] const std::string& error() const { return error_; }
  /// stop() was called.
  [[nodiscard]] bool stopping() const { return static_cast<bool>(stopped_); }
  [[nodiscard]] node::Node& node() { return *node_; }
  [[nodiscard]] unsigned shards() const { return static_cast<unsigned>(shards_.size()); }
  [[nodiscard]] node::Store& store(unsigned shard) { return node_->store(shard); }

  /// What SIGTERM does to `stator serve`: no new connections and commands, what is open is
  /// answered, then the node ends, and `done` runs on shard 0. Once.
  void stop(Callback<void()> done);

 private:
  /// What clients of one shard meet.
  struct Door {
    std::unique_ptr<RecordingStore> store;
    std::unique_ptr<redis::RedisFront> front;
    std::unique_ptr<env::Listener> listener;
  };
  std::string open(std::span<env::Env> shards, const node::NodeOptions& options,
                   const Recording& recording);
  void drain(unsigned shard);
  void await_door(unsigned shard);

  std::span<env::Env> shards_;
  std::unique_ptr<node::Node> node_;
  std::vector<Door> doors_;  // by shard
  std::string error_;
  Callback<void()> stopped_;
  std::size_t doors_open_ = 0;
};

/// What runs on the host of a node that is up; else nullptr.
[[nodiscard]] Server* server_at(Host& host);
/// Of that the shard that serves a partition, unless it has closed.
[[nodiscard]] node::Shard* shard_at(Host& host, PartitionId partition);

}  // namespace stator::sim

#pragma once

#include <memory>
#include <string>

#include "env_sim/process.h"
#include "front/redis/redis_front.h"
#include "node/node.h"
#include "sim/recording_store.h"

namespace stator::sim {

inline constexpr std::uint16_t kRedisPort = 7379;
inline constexpr std::uint16_t kPeerPort = 7381;
inline constexpr const char* kDataDirectory = "/data";

/// What one simulated node process runs: the real node on the memory engine with its journal, and
/// the real Redis front door, with a RecordingStore between them.
class Server final : public Program {
 public:
  /// When the node does not start, error() says why and nothing runs.
  Server(env::Env& env, const node::NodeOptions& options, OperationLog& log,
         const Scheduler& scheduler);

  [[nodiscard]] const std::string& error() const { return error_; }
  [[nodiscard]] node::Node& node() { return *node_; }
  [[nodiscard]] node::Store& store() { return node_->store(0); }

 private:
  std::string open(env::Env& env, const node::NodeOptions& options, OperationLog& log,
                   const Scheduler& scheduler);

  std::unique_ptr<node::Node> node_;
  std::unique_ptr<RecordingStore> store_;
  std::unique_ptr<redis::RedisFront> front_;
  std::unique_ptr<env::Listener> listener_;
  std::string error_;
};

}  // namespace stator::sim

#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "cli/alarms.h"
#include "cli/settings.h"
#include "env_real/runtime.h"
#include "front/http/http_front.h"
#include "front/redis/redis_front.h"
#include "node/node.h"

namespace stator::cli {

/// One node with its doors on real sockets and files: the composition root of `serve`. Each shard
/// has its own two fronts on its own loop; the listening sockets are shared.
///
/// A signal stops it in order: no new connections, open requests are answered, the engine is synced
/// and closed. A second signal, or `stop_timeout`, ends the process at once (what was acknowledged
/// is safe as ever).
class Server {
 public:
  /// Opens the data directory and binds all addresses; nothing runs yet. Errors as Node::open and
  /// Node::start, with the flag that would mend them.
  [[nodiscard]] static Result<std::unique_ptr<Server>> open(const Settings& settings);
  ~Server();

  [[nodiscard]] const node::Node& node() const { return *node_; }
  [[nodiscard]] const env::Address& redis_address() const { return redis_listeners_[0]->address(); }
  [[nodiscard]] const env::Address& http_address() const { return http_listeners_[0]->address(); }

  /// Serves until a signal; `ready` runs once the node is settled.
  void run(const std::function<void()>& ready);

 private:
  explicit Server(const Settings& settings);
  [[nodiscard]] Result<void> try_addresses();
  [[nodiscard]] Result<void> bind();
  void await_settled(const std::function<void()>& ready);
  void watch_alarms();
  void stop();
  void drain_shard(unsigned shard);
  void await_doors(unsigned shard);
  void shard_drained();

  Settings settings_;
  std::unique_ptr<env::Runtime> runtime_;
  std::unique_ptr<node::Node> node_;
  std::vector<std::unique_ptr<redis::RedisFront>> redis_fronts_;
  std::vector<std::unique_ptr<http::HttpFront>> http_fronts_;
  std::vector<std::unique_ptr<env::Listener>> redis_listeners_;
  std::vector<std::unique_ptr<env::Listener>> http_listeners_;
  Alarms alarms_;
  int signals_ = 0;
  unsigned shards_serving_ = 0;  // while it stops; counted on shard 0
};

}  // namespace stator::cli

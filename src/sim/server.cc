#include "sim/server.h"

#include <utility>

namespace stator::sim {

Server::Server(env::Env& env, const node::NodeOptions& options, OperationLog& log,
               const Scheduler& scheduler)
    : error_(open(env, options, log, scheduler)) {}

std::string Server::open(env::Env& env, const node::NodeOptions& options, OperationLog& log,
                         const Scheduler& scheduler) {
  auto opened = node::Node::open({env}, options);
  if (!opened) return "does not open: " + opened.error().detail;
  node_ = std::move(*opened);
  store_ = std::make_unique<RecordingStore>(node_->store(0), log, scheduler, options.founding.r,
                                            options.founding.w);
  redis::RedisFrontOptions front_options;
  front_options.limits = options.limits;
  front_options.version = "sim";
  front_ = std::make_unique<redis::RedisFront>(*store_, env.executor, front_options);
  const std::string& host = options.peer_listen.host;
  auto listener = env.network.listen_streams({host, kRedisPort}, *front_);
  if (!listener) return "does not listen: " + listener.error().detail;
  listener_ = std::move(*listener);
  if (auto started = node_->start(); !started) return "does not start: " + started.error().detail;
  node_->announce(listener_->address(), {});
  return {};
}

}  // namespace stator::sim

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "env/executor.h"
#include "env/network.h"
#include "front/http/connection.h"
#include "front/http/process_facts.h"
#include "front/http/router.h"
#include "front/http/services.h"
#include "node/metrics.h"
#include "node/store.h"

namespace stator::http {

struct HttpFrontOptions {
  node::Limits limits;
  ConnectionLimits connection_limits;
  /// Names under which clients may address this node, besides numbers and "localhost": the hosts of
  /// its listening and announced HTTP addresses.
  std::vector<std::string> host_names;
  /// The shard's counters, if the front shall count into those that Store::metrics() sums; nullptr:
  /// it counts into its own, which only its own /metrics shows.
  node::Metrics* counters = nullptr;
  /// Called at a scrape. nullptr: not shown.
  ProcessFacts (*process_facts)() = nullptr;
  std::uint64_t (*heap_allocations)() = nullptr;
};

/// The HTTP door of one shard (design 2.3; docs/http.md): give it to Network::listen_streams.
/// Translates requests to calls of the store and back, and decides nothing.
///
/// On the shard's loop. Outlives its listener, its connections, and the store's open operations: to
/// stop, drain(), wait until connections() is 0 or patience ends, stop the node, then the network.
class HttpFront final : public env::StreamAcceptor, private ExchangeTable, private ConnectionOwner {
 public:
  HttpFront(node::Store& store, env::Executor& executor, HttpFrontOptions options);
  ~HttpFront() override;
  HttpFront(const HttpFront&) = delete;
  HttpFront& operator=(const HttpFront&) = delete;

  std::unique_ptr<env::StreamHandler> on_accept(env::Stream& stream) override;

  /// Takes no new connection, closes idle ones, and the others with their present answer; /readyz
  /// says no.
  void drain();
  [[nodiscard]] std::size_t connections() const { return services_.connections; }

 private:
  // ExchangeTable
  [[nodiscard]] Exchange* find(const Ticket& ticket) override;
  // ConnectionOwner
  void forget(std::uint32_t slot) override;

  [[nodiscard]] std::unique_ptr<env::StreamHandler> refuse(env::Stream& stream);
  void sweep();
  void sweep_later();

  node::Metrics own_counters_;
  Services services_;
  Router router_;
  std::size_t connections_max_ = 0;  // of this shard: those of the node are dealt out in turn
  std::vector<Connection*> slots_;
  std::vector<std::uint32_t> free_slots_;
  std::size_t refused_open_ = 0;
  env::TimerId sweep_timer_{};
};

}  // namespace stator::http

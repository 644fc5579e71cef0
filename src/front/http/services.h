#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.h"
#include "env/executor.h"
#include "front/http/exchange.h"
#include "front/http/origin_guard.h"
#include "front/http/process_facts.h"
#include "node/metrics.h"
#include "node/store.h"

namespace stator::http {

/// What one connection may take, in time and memory (failure modes P8, D33, D35). Fixed at start.
struct ConnectionLimits {
  /// Of a connection's first request: what a stranger costs (design 2.5).
  std::size_t first_header_bytes_max = 16 * 1024;
  /// Of later ones: a key, and the longest context, both in their text form.
  std::size_t header_bytes_max = 48 * 1024;
  /// A refused or unwanted body up to this size is read and thrown away, so that the connection
  /// stays usable; a larger one costs the connection.
  std::uint64_t discarded_body_bytes_max = 16 << 20;
  /// No request is taken up while the client has more than this to read.
  std::size_t unsent_bytes_max = 64 * 1024;
  /// Of bodies and answers, over all connections of the shard: beyond it new ones are refused.
  std::uint64_t buffered_bytes_max = 128 << 20;

  Duration header_time_max = seconds(30);
  /// A body must come at least so fast, after `header_time_max`.
  std::uint64_t body_bytes_per_second_min = 16 * 1024;
  /// Without a request; before the first one `header_time_max` counts.
  Duration idle_time_max = seconds(120);
  /// For a client that takes nothing of its answer.
  Duration stalled_time_max = seconds(30);
};

/// What connections and routes of one shard share. Used on the shard's loop only.
struct Services {
  node::Store& store;
  env::Executor& executor;
  node::Limits limits;
  ConnectionLimits connection_limits;
  OriginGuard guard;
  ExchangeTable& exchanges;
  /// The front's share of the shard's counters.
  node::Metrics& counters;
  /// `counters` is part of what Store::metrics() sums.
  bool counters_are_summed = false;
  ProcessFacts (*process_facts)() = nullptr;
  std::uint64_t (*heap_allocations)() = nullptr;

  bool draining = false;
  std::uint64_t next_serial = 1;
  std::size_t connections = 0;
  std::uint64_t buffered_bytes = 0;

  [[nodiscard]] bool overloaded() const {
    return buffered_bytes > connection_limits.buffered_bytes_max;
  }
  /// The value of a Date header, made once per second.
  [[nodiscard]] std::string_view date();

  std::int64_t date_second = -1;
  std::string date_text{};
};

}  // namespace stator::http

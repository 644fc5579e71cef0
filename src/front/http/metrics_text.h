#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "front/http/process_facts.h"
#include "front/http/readiness.h"
#include "node/metrics.h"
#include "node/store.h"

namespace stator::http {

/// What `/metrics` shows besides the counters of node/metrics.h.
struct MetricsInput {
  const node::Metrics& counters;
  const node::ClusterView& cluster;
  const node::NodeStatus& status;
  const Readiness& readiness;
  std::int64_t http_connections = 0;
  std::uint64_t http_buffered_bytes = 0;
  std::optional<ProcessFacts> process{};
  std::optional<std::uint64_t> heap_allocations{};
};

inline constexpr const char* kMetricsContentType = "text/plain; version=0.0.4; charset=utf-8";

/// Appends Prometheus text, version 0.0.4. Every name is explained in docs/ops/metrics.md.
void append_metrics(const MetricsInput& input, std::string& out);

}  // namespace stator::http

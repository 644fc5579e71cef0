#include "front/http/metrics_text.h"

#include <algorithm>
#include <string_view>

#include "front/http/text.h"

namespace stator::http {
namespace {

void append_metric(std::string& out, std::string_view name, std::string_view type,
                   std::string_view help, std::string_view value) {
  out.append("# HELP ").append(name).append(" ").append(help).append("\n");
  out.append("# TYPE ").append(name).append(" ").append(type).append("\n");
  out.append(name).append(" ").append(value).append("\n");
}

void append_metric(std::string& out, std::string_view name, std::string_view type,
                   std::string_view help, std::uint64_t value) {
  append_metric(out, name, type, help, std::to_string(value));
}

// Seconds with six decimals.
std::string seconds_text(std::int64_t us) {
  std::string micro = std::to_string(us % 1'000'000);
  micro.insert(0, 6 - micro.size(), '0');
  return std::to_string(us / 1'000'000) + "." + micro;
}

void append_cluster(const MetricsInput& input, std::string& out) {
  const auto healthy = std::count_if(input.cluster.members.begin(), input.cluster.members.end(),
                                     [](const node::MemberView& member) { return member.healthy; });
  append_metric(out, "stator_member", "gauge", "1 while this node is a member of its cluster",
                std::uint64_t{input.cluster.member});
  append_metric(out, "stator_ready", "gauge", "1 while /readyz says yes",
                std::uint64_t{input.readiness.ready});
  append_metric(out, "stator_members", "gauge", "members of the cluster as known here",
                input.cluster.members.size());
  append_metric(out, "stator_members_healthy", "gauge", "members that answer, as seen from here",
                static_cast<std::uint64_t>(healthy));
  append_metric(out, "stator_partitions_short", "gauge",
                "partitions with fewer reachable owners than R or W asks for",
                input.readiness.partitions_short);
  append_metric(out, "stator_clock_skewed", "gauge",
                "1 while this node's clock is corrected to the median of its peers",
                std::uint64_t{input.status.clock_skewed});
  append_metric(out, "stator_no_write", "gauge", "1 while this node takes no writes",
                std::uint64_t{input.status.no_write});
  append_metric(out, "stator_fenced", "gauge",
                "1 while peers refuse this node, since another process runs under its name",
                std::uint64_t{input.status.fenced});
  append_metric(out, "stator_disk_state", "gauge",
                "0 roomy, 1 low, 2 refusing, 3 read_only, 4 full, 5 failed",
                static_cast<std::uint64_t>(input.status.disk));
  append_metric(out, "stator_disk_free_bytes", "gauge",
                "space that writes may use, the reserve left out",
                input.status.disk_free.value_or(0));
  append_metric(out, "stator_keys", "gauge", "keys in the store of this node, tombstones included",
                input.status.keys);
  append_metric(out, "stator_bytes", "gauge", "bytes in the store of this node",
                input.status.bytes);
  append_metric(out, "stator_storage_syncs_total", "counter",
                "times that the engine synced its files", input.status.syncs);
  append_metric(out, "stator_uptime_seconds", "gauge", "since the start of this process",
                seconds_text(input.status.uptime_ms * 1000));
  append_metric(out, "stator_http_connections", "gauge", "open HTTP connections of this shard",
                static_cast<std::uint64_t>(input.http_connections));
  append_metric(out, "stator_http_buffered_bytes", "gauge",
                "bytes of bodies and answers that HTTP connections of this shard hold",
                input.http_buffered_bytes);
}

void append_process(const ProcessFacts& facts, std::string& out) {
  if (facts.resident_bytes >= 0) {
    append_metric(out, "process_resident_memory_bytes", "gauge", "resident memory",
                  static_cast<std::uint64_t>(facts.resident_bytes));
  }
  if (facts.cpu_us >= 0) {
    append_metric(out, "process_cpu_seconds_total", "counter", "user and system time",
                  seconds_text(facts.cpu_us));
  }
  if (facts.open_fds >= 0) {
    append_metric(out, "process_open_fds", "gauge", "open file descriptors",
                  static_cast<std::uint64_t>(facts.open_fds));
  }
}

}  // namespace

void append_metrics(const MetricsInput& input, std::string& out) {
#define STATOR_METRIC_TEXT(name, type, help) \
  append_metric(out, "stator_" #name, #type, help, input.counters.name);
  STATOR_METRICS(STATOR_METRIC_TEXT)
#undef STATOR_METRIC_TEXT
  append_cluster(input, out);
  if (input.process) append_process(*input.process, out);
  if (input.heap_allocations) {
    append_metric(out, "stator_heap_allocations_total", "counter",
                  "heap allocations of this process", *input.heap_allocations);
  }
}

}  // namespace stator::http

#include "front/redis/info.h"

#include <algorithm>
#include <cstdint>

#include "front/redis/cluster_replies.h"
#include "front/redis/redis_front.h"
#include "front/redis/text.h"

namespace stator::redis {
namespace {

constexpr std::size_t kNameBytesMax = 64;

// Not an overload: text would become a bool before it became a view.
void flag(std::string& out, std::string_view name, bool value) {
  append_line(out, name, std::uint64_t{value ? 1U : 0U});
}

void write_server(RedisFront& front, std::string& out) {
  const node::ClusterView& view = front.store().cluster();
  std::string name;
  append_node_name(name, view.self);
  const std::int64_t up_ms = std::max<std::int64_t>(front.store().status().uptime_ms, 0);
  append_line(out, "redis_version", kRedisVersion);
  append_line(out, "stator_version", front.options().version);
  append_line(out, "redis_mode", "cluster");
  append_line(out, "os", "Linux");
  append_line(out, "arch_bits", std::uint64_t{64});
  append_line(out, "run_id", name);
  env::Address address;
  for (const node::MemberView& member : view.members) {
    if (member.self && usable_address(member.redis_address, address)) break;
  }
  append_line(out, "tcp_port", std::uint64_t{address.port});
  append_line(out, "server_time_usec", static_cast<std::uint64_t>(front.store().guarded_now().us));
  append_line(out, "uptime_in_seconds", static_cast<std::uint64_t>(up_ms / 1'000));
  append_line(out, "uptime_in_days", static_cast<std::uint64_t>(up_ms / 86'400'000));
}

void write_clients(RedisFront& front, std::string& out) {
  append_line(out, "connected_clients", std::uint64_t{front.metrics().clients_connected});
  append_line(out, "maxclients", std::uint64_t{front.options().limits.clients_max});
  append_line(out, "blocked_clients", std::uint64_t{0});
}

void write_memory(RedisFront& front, std::string& out) {
  const auto resident_bytes = front.options().resident_bytes;
  if (const std::int64_t bytes = resident_bytes != nullptr ? resident_bytes() : -1; bytes >= 0) {
    append_line(out, "used_memory", static_cast<std::uint64_t>(bytes));
    append_line(out, "used_memory_rss", static_cast<std::uint64_t>(bytes));
  }
  append_line(out, "used_memory_dataset", front.store().status().bytes);
  append_line(out, "maxmemory", std::uint64_t{0});
  append_line(out, "maxmemory_policy", "noeviction");
}

void write_persistence(RedisFront& front, std::string& out) {
  const node::NodeStatus status = front.store().status();
  append_line(out, "loading", std::uint64_t{0});
  append_line(out, "async_loading", std::uint64_t{0});
  append_line(out, "rdb_bgsave_in_progress", std::uint64_t{0});
  append_line(out, "aof_enabled", std::uint64_t{0});
  append_line(out, "stator_engine", status.engine);
  flag(out, "stator_no_write", status.no_write);
}

void write_stats(RedisFront& front, std::string& out) {
  const node::Metrics metrics = front.metrics();
  append_line(out, "total_connections_received", metrics.clients_total);
  append_line(out, "total_commands_processed", metrics.commands_total);
  append_line(out, "total_net_input_bytes", metrics.client_bytes_in_total);
  append_line(out, "total_error_replies", metrics.commands_refused_total);
  append_line(out, "expired_keys", std::uint64_t{0});
  append_line(out, "evicted_keys", std::uint64_t{0});
  append_line(out, "keyspace_hits", metrics.keys_found_total);
  append_line(out, "keyspace_misses", metrics.keys_missing_total);
#define STATOR_INFO_METRIC(name, type, help) append_line(out, "stator_" #name, metrics.name);
  STATOR_METRICS(STATOR_INFO_METRIC)
#undef STATOR_INFO_METRIC
}

void write_replication(RedisFront&, std::string& out) {
  append_line(out, "role", "master");
  append_line(out, "connected_slaves", std::uint64_t{0});
}

void write_cluster(RedisFront&, std::string& out) {
  append_line(out, "cluster_enabled", std::uint64_t{1});
}

void write_keyspace(RedisFront& front, std::string& out) {
  // Those in this node's own store, for whichever node they are published; DBSIZE counts otherwise.
  const std::uint64_t keys = front.store().status().keys;
  if (keys == 0) return;
  out += "db0:keys=";
  append_number(out, keys);
  out += ",expires=0,avg_ttl=0\r\n";
}

void write_stator(RedisFront& front, std::string& out) {
  const node::ClusterView& view = front.store().cluster();
  const node::NodeStatus status = front.store().status();
  append_line(out, "stator_cluster_id", view.cluster_id);
  append_line(out, "stator_node", view.self_name);
  flag(out, "stator_member", view.member);
  append_line(out, "stator_members", std::uint64_t{view.members.size()});
  append_line(out, "stator_members_healthy",
              static_cast<std::uint64_t>(
                  std::ranges::count(view.members, true, &node::MemberView::healthy)));
  append_line(out, "stator_partitions", std::uint64_t{view.q});
  append_line(out, "stator_n", std::uint64_t{view.n});
  append_line(out, "stator_r", std::uint64_t{view.r});
  append_line(out, "stator_w", std::uint64_t{view.w});
  std::string history;
  append_hex(history, view.history.value);
  append_line(out, "stator_history", history);
  flag(out, "stator_clock_skewed", status.clock_skewed);
}

/// One section: lines `name:value`, in the names of Redis where it has one.
struct InfoSection {
  std::string_view name;
  std::string_view title;
  void (*write)(RedisFront& front, std::string& out);
};

constexpr InfoSection kSections[] = {
    {"server", "Server", write_server},    {"clients", "Clients", write_clients},
    {"memory", "Memory", write_memory},    {"persistence", "Persistence", write_persistence},
    {"stats", "Stats", write_stats},       {"replication", "Replication", write_replication},
    {"cluster", "Cluster", write_cluster}, {"keyspace", "Keyspace", write_keyspace},
    {"stator", "Stator", write_stator},
};

}  // namespace

void append_info(RedisFront& front, std::string_view name, std::string& out) {
  const bool all = equal_ignoring_case(name, "all") || equal_ignoring_case(name, "default") ||
                   equal_ignoring_case(name, "everything");
  for (const InfoSection& section : kSections) {
    if (!all && !equal_ignoring_case(name, section.name)) continue;
    if (!out.empty()) out += "\r\n";
    out += "# ";
    out += section.title;
    out += "\r\n";
    section.write(front, out);
  }
}

bool valid_name(std::string_view name) {
  return name.size() <= kNameBytesMax &&
         std::ranges::all_of(name, [](char c) { return c > ' ' && c <= '~'; });
}

}  // namespace stator::redis

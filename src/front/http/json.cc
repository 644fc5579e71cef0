#include "front/http/json.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "base/base64.h"
#include "core/ring/position.h"
#include "core/version/object_codec.h"
#include "front/http/text.h"

namespace stator::http {
namespace {

using Json = nlohmann::ordered_json;

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string base64(std::string_view bytes) {
  std::string out;
  append_base64(out, bytes, Base64::kStandard);
  return out;
}

Json clock_json(const Object& object) {
  Json clock = Json::array();
  for (const Dot& dot : object.clock.entries()) clock.push_back(dot_text(dot));
  return clock;
}

// What `explain` shows of a version: all but its bytes.
Json version_json(const Version& version, WallTime now) {
  Json json;
  json["dot"] = dot_text(version.dot);
  json["time"] = time_text(version.time.wall());
  json["write_id"] = write_id_text(version.write_id);
  json["tombstone"] = version.tombstone;
  json["expires"] = nullptr;
  if (version.expires_at.us != 0) json["expires"] = time_text(version.expires_at);
  json["living"] = !version.dead(now);
  json["content_type"] = version.content_type;
  json["bytes"] = version.value.size();
  return json;
}

// Adds what is known of an encoded object; empty bytes are an object of nothing.
bool add_object(Json& json, const std::string& bytes, WallTime now) {
  Object object;
  if (!bytes.empty() && !decode_object(bytes, object)) return false;
  json["digest"] = hex64(object.empty() ? 0 : digest(object));
  json["clock"] = clock_json(object);
  Json cloud = Json::array();
  for (const Dot& dot : object.cloud) cloud.push_back(dot_text(dot));
  json["cloud"] = std::move(cloud);
  Json versions = Json::array();
  for (const Version& version : object.versions) versions.push_back(version_json(version, now));
  json["versions"] = std::move(versions);
  return true;
}

Json member_json(const node::MemberView& member) {
  Json json;
  json["id"] = hex64(member.id.value);
  json["name"] = member.name;
  json["zone"] = member.zone;
  json["weight"] = member.weight;
  json["self"] = member.self;
  json["healthy"] = member.healthy;
  json["slow"] = member.slow;
  json["leaving"] = member.leaving;
  json["no_write"] = member.no_write;
  json["fenced"] = member.fenced;
  json["copy_refused"] = member.copy_refused;
  json["last_heard_ms"] = nullptr;
  if (member.last_heard_ms >= 0) json["last_heard_ms"] = member.last_heard_ms;
  json["clock_offset_ms"] = member.clock_offset_ms;
  json["incarnation"] = hex64(member.incarnation);
  json["redis"] = member.redis_address;
  json["http"] = member.http_address;
  json["peer"] = member.peer_address;
  return json;
}

Json alarm_json(const char* alarm, std::string message, const char* hint) {
  Json json;
  json["alarm"] = alarm;
  json["message"] = std::move(message);
  json["hint"] = hint;
  return json;
}

Json alarms_json(const node::ClusterView& cluster, const node::NodeStatus& status,
                 const Readiness& readiness) {
  Json alarms = Json::array();
  if (!cluster.member) {
    alarms.push_back(alarm_json("not_member", "this node is no member of a cluster",
                                "start it with --cluster-id and --found as the founders were"));
  }
  if (status.clock_skewed) {
    alarms.push_back(alarm_json(
        "clock_skewed", "this node's clock is more than 1 s from the median of its peers",
        "repair its time service; it stamps with its peers' time until then"));
  }
  if (status.fenced) {
    alarms.push_back(alarm_json("two_processes",
                                "its peers refuse this node: another process runs under its name",
                                "end the copy, then restart this node: docs/ops/two-processes.md"));
  }
  if (status.no_write) {
    const bool failed = status.disk == DiskState::kFailed;
    alarms.push_back(
        failed ? alarm_json("no_write", "this node takes no writes: its engine failed one",
                            "check the disk, then restart the node: docs/ops/disk-full.md")
               : alarm_json("no_write", "this node takes no writes: its disk is full",
                            "make room on its disk: docs/ops/disk-full.md"));
  }
  if (status.disk == DiskState::kLow) {
    alarms.push_back(alarm_json("disk_low", "the disk of this node is filling up",
                                "make room before it takes no writes: docs/ops/disk-full.md"));
  }
  for (const node::MemberView& member : cluster.members) {
    if (member.fenced) {
      alarms.push_back(alarm_json(
          "two_processes", "two processes run as " + member.name + ", and both are refused",
          "end the copy, then restart the other one: docs/ops/two-processes.md"));
      continue;
    }
    if (member.copy_refused) {
      alarms.push_back(alarm_json("two_processes",
                                  "another process runs as " + member.name +
                                      " elsewhere than at its address, and is refused",
                                  "end the copy: docs/ops/two-processes.md"));
    }
    if (member.healthy) continue;
    if (member.other_history) {
      alarms.push_back(
          alarm_json("history_mismatch", member.name + " goes by another membership history",
                     "compare the founding lines of both: docs/ops/history-mismatch.md"));
      continue;
    }
    alarms.push_back(alarm_json("member_down", "no answer from " + member.name,
                                "start it again, or mend the network between"));
  }
  if (readiness.partitions_short > 0) {
    alarms.push_back(alarm_json(
        "partitions_short", readiness.owners_short,
        readiness.ready ? "start the nodes that are away: stand-ins take their writes, and reads "
                          "may miss what they alone hold"
                        : "start the nodes that are away: requests for these keys fail"));
  }
  return alarms;
}

void add_cluster(Json& json, const node::ClusterView& cluster) {
  json["id"] = cluster.cluster_id;
  json["q"] = cluster.q;
  json["n"] = cluster.n;
  json["r"] = cluster.r;
  json["w"] = cluster.w;
  json["history"] = hex64(cluster.history.value);
}

std::size_t owner_at(const node::ClusterView& cluster, std::uint32_t partition,
                     std::uint32_t place) {
  return cluster.owners[std::size_t{partition} * cluster.owner_count + place];
}

bool same_owners(const node::ClusterView& cluster, std::uint32_t a, std::uint32_t b) {
  for (std::uint32_t place = 0; place < cluster.owner_count; ++place) {
    if (owner_at(cluster, a, place) != owner_at(cluster, b, place)) return false;
  }
  return true;
}

// Runs of partitions with the same owners in the same order.
Json ranges_json(const node::ClusterView& cluster) {
  Json ranges = Json::array();
  for (std::uint32_t first = 0; first < cluster.q;) {
    std::uint32_t last = first;
    while (last + 1 < cluster.q && same_owners(cluster, first, last + 1)) ++last;
    Json range;
    range["partitions"] = {first, last};
    range["slots"] = {slots_of({first}, cluster.q).first, slots_of({last}, cluster.q).last};
    Json owners = Json::array();
    for (std::uint32_t place = 0; place < cluster.owner_count; ++place)
      owners.push_back(cluster.members[owner_at(cluster, first, place)].name);
    range["owners"] = std::move(owners);
    ranges.push_back(std::move(range));
    first = last + 1;
  }
  return ranges;
}

}  // namespace

std::string siblings_json(std::string_view context_text, const Object& object, WallTime now) {
  Json json;
  json["context"] = context_text;
  Json siblings = Json::array();
  for (const Version& version : object.versions) {
    if (version.dead(now)) continue;
    Json sibling;
    sibling["value"] = base64(version.value);
    sibling["content_type"] =
        version.content_type.empty() ? kDefaultContentType : version.content_type;
    sibling["dot"] = dot_text(version.dot);
    sibling["time"] = time_text(version.time.wall());
    sibling["write_id"] = write_id_text(version.write_id);
    siblings.push_back(std::move(sibling));
  }
  json["siblings"] = std::move(siblings);
  return dump(json);
}

Result<std::string> explain_json(std::string_view bucket, std::string_view key,
                                 const node::Explanation& explanation, WallTime now) {
  Json json;
  json["bucket"] = bucket;
  json["bucket_base64"] = base64(bucket);
  json["key"] = key;
  json["key_base64"] = base64(key);
  json["partition"] = explanation.partition;
  json["slot"] = explanation.slot;
  json["verdict"] = explanation.verdict;
  bool readable = add_object(json["merged"], explanation.merged_bytes, now);
  Json replicas = Json::array();
  for (const node::ReplicaView& replica : explanation.replicas) {
    Json shown;
    shown["node"] = hex64(replica.node.value);
    shown["name"] = replica.name;
    shown["owner"] = replica.owner;
    shown["healthy"] = replica.healthy;
    shown["answered"] = replica.answered;
    shown["error"] = nullptr;
    if (!replica.error.empty()) shown["error"] = replica.error;
    readable = add_object(shown, replica.object_bytes, now) && readable;
    replicas.push_back(std::move(shown));
  }
  if (!readable) {
    return std::unexpected(Error{.code = ErrorCode::kCorrupt,
                                 .detail = "a replica sent an object that cannot be read"});
  }
  json["replicas"] = std::move(replicas);
  return dump(json);
}

std::string status_json(const node::ClusterView& cluster, const node::NodeStatus& status,
                        const Readiness& readiness, bool draining) {
  Json json;
  Json& node = json["node"];
  node["id"] = hex64(cluster.self.value);
  node["name"] = cluster.self_name;
  node["member"] = cluster.member;
  node["ready"] = readiness.ready;
  node["draining"] = draining;
  node["engine"] = status.engine;
  node["keys"] = status.keys;
  node["bytes"] = status.bytes;
  node["uptime_ms"] = status.uptime_ms;
  node["clock_skewed"] = status.clock_skewed;
  node["no_write"] = status.no_write;
  node["fenced"] = status.fenced;
  node["disk"] = std::string(to_string(status.disk));
  node["disk_free"] = nullptr;
  if (status.disk_free) node["disk_free"] = *status.disk_free;
  add_cluster(json["cluster"], cluster);
  Json members = Json::array();
  for (const node::MemberView& member : cluster.members) members.push_back(member_json(member));
  json["members"] = std::move(members);
  json["alarms"] = alarms_json(cluster, status, readiness);
  return dump(json);
}

std::string hints_json(const node::ClusterView& cluster, const node::NodeStatus& status) {
  Json json;
  std::uint64_t pending = 0;
  std::uint64_t bytes = 0;
  Json owners = Json::array();
  for (const node::HintsView& hints : status.hints) {
    pending += hints.pending;
    bytes += hints.bytes;
    Json owner;
    owner["id"] = hex64(hints.owner.value);
    owner["name"] = "";
    owner["healthy"] = false;
    for (const node::MemberView& member : cluster.members) {
      if (member.id != hints.owner) continue;
      owner["name"] = member.name;
      owner["healthy"] = member.healthy;
    }
    owner["pending"] = hints.pending;
    owner["bytes"] = hints.bytes;
    owner["oldest_ms"] = hints.oldest_ms;
    owner["delivered"] = hints.delivered;
    owner["delivered_total"] = hints.delivered_total;
    owner["per_second"] = hints.per_second;
    owner["settled"] = hints.settled;
    const auto all = static_cast<double>(hints.delivered + hints.pending);
    owner["progress"] = all > 0 ? static_cast<double>(hints.delivered) / all : 1.0;
    owners.push_back(std::move(owner));
  }
  json["node"] = cluster.self_name;
  json["pending"] = pending;
  json["bytes"] = bytes;
  json["counting"] = status.hints_counting;
  json["owners"] = std::move(owners);
  return dump(json);
}

std::string ring_json(const node::ClusterView& cluster) {
  std::vector<std::uint32_t> places(cluster.members.size());
  std::vector<std::uint32_t> first_places(cluster.members.size());
  std::vector<std::uint32_t> coordinated(cluster.members.size());
  for (std::size_t at = 0; at < cluster.owners.size(); ++at) {
    ++places[cluster.owners[at]];
    if (at % cluster.owner_count == 0) ++first_places[cluster.owners[at]];
  }
  for (const std::uint16_t member : cluster.first_healthy) ++coordinated[member];
  const double total = static_cast<double>(std::max<std::size_t>(cluster.owners.size(), 1));

  Json json;
  add_cluster(json, cluster);
  json["slots_per_partition"] = cluster.q == 0 ? 0 : kSlots / cluster.q;
  Json members = Json::array();
  for (std::size_t i = 0; i < cluster.members.size(); ++i) {
    const node::MemberView& member = cluster.members[i];
    Json shown;
    shown["id"] = hex64(member.id.value);
    shown["name"] = member.name;
    shown["zone"] = member.zone;
    shown["weight"] = member.weight;
    shown["healthy"] = member.healthy;
    shown["places"] = places[i];
    shown["first_places"] = first_places[i];
    shown["first_healthy"] = coordinated[i];
    shown["share"] = places[i] / total;
    members.push_back(std::move(shown));
  }
  json["members"] = std::move(members);
  json["ranges"] = ranges_json(cluster);
  return dump(json);
}

std::string partition_json(const node::ClusterView& cluster, std::uint32_t partition) {
  const SlotRange slots = slots_of({partition}, cluster.q);
  Json json;
  json["partition"] = partition;
  json["slots"] = {slots.first, slots.last};
  Json owners = Json::array();
  for (std::uint32_t place = 0; place < cluster.owner_count; ++place) {
    const node::MemberView& member = cluster.members[owner_at(cluster, partition, place)];
    Json owner;
    owner["id"] = hex64(member.id.value);
    owner["name"] = member.name;
    owner["zone"] = member.zone;
    owner["healthy"] = member.healthy;
    owners.push_back(std::move(owner));
  }
  json["owners"] = std::move(owners);
  json["first_healthy"] = cluster.members[cluster.first_healthy[partition]].name;
  return dump(json);
}

std::string readiness_json(const Readiness& readiness) {
  Json json;
  json["ready"] = readiness.ready;
  json["reason"] = nullptr;
  if (!readiness.ready) json["reason"] = readiness.reason;
  json["partitions_short"] = readiness.partitions_short;
  return dump(json);
}

}  // namespace stator::http

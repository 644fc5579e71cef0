#include "front/redis/cluster_replies.h"

#include "base/hash.h"
#include "core/ring/position.h"
#include "front/redis/resp_writer.h"
#include "front/redis/text.h"

namespace stator::redis {
namespace {

constexpr std::uint16_t kNone = 0xFFFF;
// As Redis counts it; nobody listens there, and no client connects to it.
constexpr std::uint16_t kBusPortOffset = 10'000;

std::uint16_t member_for(const node::ClusterView& view, std::uint16_t healthy,
                         const std::vector<bool>& usable, std::uint16_t self) {
  if (healthy < view.members.size() && usable[healthy]) return healthy;
  return self;
}

void write_endpoint(RespWriter& out, const node::MemberView& member) {
  env::Address address;
  static_cast<void>(usable_address(member.redis_address, address));
  std::string name;
  append_node_name(name, member.id);
  out.array(3);
  out.bulk(address.host);
  out.integer(address.port);
  out.bulk(name);
}

void append_run(std::string& out, const SlotRun& run) {
  append_number(out, std::uint64_t{run.first});
  if (run.last == run.first) return;
  out.push_back('-');
  append_number(out, std::uint64_t{run.last});
}

void append_node_line(std::string& out, const node::MemberView& member, std::uint16_t index,
                      const std::vector<SlotRun>& runs) {
  env::Address address;
  if (!usable_address(member.redis_address, address)) return;
  append_node_name(out, member.id);
  out += ' ';
  out += address.host;
  out += ':';
  append_number(out, std::uint64_t{address.port});
  out += '@';
  append_number(
      out, static_cast<std::uint64_t>(static_cast<std::uint16_t>(address.port + kBusPortOffset)));
  out += member.self ? " myself,master" : " master";
  if (!member.healthy) out += ",fail";
  // No master above it; pings and epochs are not what this cluster runs on.
  out += " - 0 0 1 ";
  out += member.healthy ? "connected" : "disconnected";
  for (const SlotRun& run : runs) {
    if (run.member != index) continue;
    out += ' ';
    append_run(out, run);
  }
  out += '\n';
}

void write_shard(RespWriter& out, const node::MemberView& member, std::uint16_t index,
                 const std::vector<SlotRun>& runs) {
  env::Address address;
  static_cast<void>(usable_address(member.redis_address, address));
  std::size_t mine = 0;
  for (const SlotRun& run : runs) mine += run.member == index;
  std::string name;
  append_node_name(name, member.id);
  out.map(2);
  out.bulk("slots");
  out.array(2 * mine);
  for (const SlotRun& run : runs) {
    if (run.member != index) continue;
    out.integer(run.first);
    out.integer(run.last);
  }
  out.bulk("nodes");
  out.array(1);
  out.map(7);
  out.bulk("id");
  out.bulk(name);
  out.bulk("port");
  out.integer(address.port);
  out.bulk("ip");
  out.bulk(address.host);
  out.bulk("endpoint");
  out.bulk(address.host);
  out.bulk("role");
  out.bulk("master");
  out.bulk("replication-offset");
  out.integer(0);
  out.bulk("health");
  out.bulk(member.healthy ? "online" : "fail");
}

std::uint64_t digest_of(const node::ClusterView& view) {
  std::uint64_t digest = mix64(view.version + 1);
  digest = mix64(digest ^ view.first_healthy.size() ^ (view.member ? 1U << 20 : 0U));
  for (const node::MemberView& member : view.members) {
    digest = hash64(member.redis_address, digest ^ member.id.value ^ (member.healthy ? 1U : 0U));
  }
  return digest == 0 ? 1 : digest;
}

}  // namespace

bool usable_address(std::string_view text, env::Address& out) {
  const auto parsed = env::parse_address(text);
  if (!parsed || parsed->host.empty() || parsed->port == 0) return false;
  out = *parsed;
  return true;
}

std::vector<SlotRun> slot_runs(const node::ClusterView& view) {
  std::vector<SlotRun> runs;
  if (!view.member || view.first_healthy.empty()) return runs;
  std::vector<bool> usable(view.members.size());
  std::uint16_t self = kNone;
  for (std::size_t i = 0; i < view.members.size(); ++i) {
    env::Address address;
    usable[i] = usable_address(view.members[i].redis_address, address);
    if (view.members[i].self && usable[i]) self = static_cast<std::uint16_t>(i);
  }
  for (std::uint32_t p = 0; p < view.first_healthy.size(); ++p) {
    const std::uint16_t member = member_for(view, view.first_healthy[p], usable, self);
    if (member == kNone) continue;
    const SlotRange range = slots_of({p}, view.q);
    if (!runs.empty() && runs.back().member == member && runs.back().last + 1 == range.first) {
      runs.back().last = range.last;
    } else {
      runs.push_back({range.first, range.last, member});
    }
  }
  return runs;
}

void ClusterReplies::refresh(const node::ClusterView& view) {
  const std::uint64_t digest = digest_of(view);
  if (digest == made_of_) return;
  made_of_ = digest;
  runs_ = slot_runs(view);
  slots_.clear();
  RespWriter slots(slots_, 2);
  slots.array(runs_.size());
  for (const SlotRun& run : runs_) {
    slots.array(3);
    slots.integer(run.first);
    slots.integer(run.last);
    write_endpoint(slots, view.members[run.member]);
  }
  std::size_t known = 0;
  nodes_.clear();
  for (std::uint16_t i = 0; i < view.members.size(); ++i) {
    env::Address address;
    known += usable_address(view.members[i].redis_address, address);
    append_node_line(nodes_, view.members[i], i, runs_);
  }
  for (const int protocol : {2, 3}) {
    std::string& bytes = shards_[protocol - 2];
    bytes.clear();
    RespWriter shards(bytes, protocol);
    shards.array(known);
    for (std::uint16_t i = 0; i < view.members.size(); ++i) {
      env::Address address;
      if (!usable_address(view.members[i].redis_address, address)) continue;
      write_shard(shards, view.members[i], i, runs_);
    }
  }
}

std::string_view ClusterReplies::slots(const node::ClusterView& view) {
  refresh(view);
  return slots_;
}

std::string_view ClusterReplies::shards(const node::ClusterView& view, int protocol) {
  refresh(view);
  return shards_[protocol >= 3 ? 1 : 0];
}

std::string_view ClusterReplies::nodes(const node::ClusterView& view) {
  refresh(view);
  return nodes_;
}

}  // namespace stator::redis

#include "node/peers.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "node/operation_table.h"

namespace stator::node {
namespace {

constexpr Duration kAwayMemory = seconds(3600);
constexpr Duration kMeetingTime = seconds(10);

}  // namespace

Peers::Peers(const env::Env& env, const NodeOptions& options, Incarnation incarnation,
             HybridClock& clock, Metrics& metrics, PeerEvents& events)
    : env_(env),
      options_(options),
      incarnation_(incarnation),
      clock_(clock),
      metrics_(metrics),
      events_(events),
      started_(env.executor.now()) {
  timer_ = env_.executor.after(milliseconds(1), [this] { tick(); });
}

Peers::~Peers() {
  env_.executor.cancel(timer_);
}

void Peers::set_topology(std::shared_ptr<const Topology> topology) {
  topology_ = std::move(topology);
  for (const Member& member : topology_->members) {
    if (member.id == topology_->self || find(member.id) != nullptr) continue;
    const auto address = env::parse_address(member.peer_address);
    STATOR_ASSERT(address.has_value());  // checked when the history was folded
    auto peer = std::make_unique<Peer>();
    peer->owner = this;
    peer->id = member.id;
    peer->zone = member.zone;
    peer->link = env_.network.open_link(*address, *peer);
    peers_.push_back(std::move(peer));
  }
  std::sort(peers_.begin(), peers_.end(),
            [](const auto& a, const auto& b) { return a->id < b->id; });
  ++version_;
}

void Peers::set_announcement(const wire::NodeInfo& info) {
  announcement_ = info;
}

Peers::Peer* Peers::find(NodeId id) const {
  for (const auto& peer : peers_) {
    if (peer->id == id) return peer.get();
  }
  return nullptr;
}

bool Peers::healthy(NodeId id) const {
  const Peer* peer = find(id);
  return peer != nullptr && peer->answering;
}

bool Peers::reachable(NodeId id) const {
  const Peer* peer = find(id);
  return peer != nullptr && peer->link->up();
}

bool Peers::all_healthy() const {
  return std::all_of(peers_.begin(), peers_.end(),
                     [](const auto& peer) { return peer->answering; });
}

Incarnation Peers::incarnation_of(NodeId id) const {
  const Peer* peer = find(id);
  return peer == nullptr ? Incarnation{} : peer->incarnation;
}

bool Peers::away_lately(std::span<const NodeId> ids) const {
  const MonoTime now = env_.executor.now();
  return std::any_of(ids.begin(), ids.end(), [&](NodeId id) {
    const Peer* peer = find(id);
    if (peer == nullptr) return false;
    return !peer->answering || (peer->was_away && now - peer->last_away < kAwayMemory);
  });
}

wire::FrameHeader Peers::header(const Peer& peer, std::uint64_t request_id, MonoTime deadline,
                                PartitionId partition) const {
  wire::FrameHeader header;
  header.request_id = request_id;
  header.history = topology_->version();
  header.sender = topology_->self;
  header.receiver = peer.id;
  header.cluster_tag = topology_->cluster_tag();
  header.incarnation = incarnation_;
  header.deadline_us = deadline.ns == 0 ? 0 : wire::remaining_us(env_.executor.now(), deadline);
  header.partition = static_cast<std::uint16_t>(partition.value);
  return header;
}

void Peers::note_sent(Peer& peer, bool request) {
  ++metrics_.frames_out_total;
  if (request && peer.asked_since.ns == 0) peer.asked_since = env_.executor.now();
}

void Peers::on_heard(const wire::FrameHeader& header) {
  Peer* peer = find(header.sender);
  if (peer == nullptr) return;
  peer->heard = true;
  const bool started = peer->incarnation != header.incarnation;
  peer->incarnation = header.incarnation;
  peer->last_heard = env_.executor.now();
  peer->asked_since = {};
  const bool other_history = header.history != topology_->version();
  const bool turned = std::exchange(peer->other_history, other_history) != other_history;
  if (turned) ++version_;
  if (started) {
    peer->shards_met.reset();
    events_.on_peer_started(peer->id);
  }
  if (peer->answering && !turned) return;
  peer->link->hurry();
  look_at(*peer);
}

void Peers::hurry(NodeId id) {
  if (Peer* peer = find(id)) peer->link->hurry();
}

void Peers::learn(Peer& peer, const wire::NodeInfo& info) {
  const bool changed =
      peer.redis_address != info.redis_address || peer.http_address != info.http_address;
  if (!changed) return;
  peer.redis_address = info.redis_address;
  peer.http_address = info.http_address;
  ++version_;
}

void Peers::on_ping(const wire::FrameHeader& header, const wire::Ping& ping) {
  Peer* peer = find(header.sender);
  if (peer == nullptr) return;
  learn(*peer, ping.info);
  wire::Pong pong;
  pong.echoed = ping.sent;
  pong.wall = env_.executor.wall_now();
  pong.info = announcement_;
  send(header.sender, header.request_id, {}, PartitionId{wire::kNoPartition}, pong);
  const unsigned shard = RequestId::unpack(header.request_id).shard;
  if (peer->shards_met.test(shard)) return;
  peer->shards_met.set(shard);
  events_.on_peer_shard_up(peer->id);
}

void Peers::on_pong(const wire::FrameHeader& header, const wire::Pong& pong) {
  Peer* peer = find(header.sender);
  if (peer == nullptr) return;
  learn(*peer, pong.info);
  const MonoTime sent{static_cast<std::int64_t>(pong.echoed)};
  const Duration round_trip = env_.executor.now() - sent;
  // A delayed, repeated or forged pong measures nothing.
  if (round_trip.ns < 0 || round_trip > seconds(1)) return;
  // Not as an offset from our own wall clock: that may have jumped before it is used.
  peer->clock_base = pong.wall + (round_trip / 2 - (env_.executor.now() - MonoTime{}));
  peer->clock_known = true;
  compare_clocks();
}

Duration Peers::clock_offset(const Peer& peer) const {
  if (!peer.clock_known) return {};
  return (peer.clock_base + (env_.executor.now() - MonoTime{})) - env_.executor.wall_now();
}

void Peers::compare_clocks() {
  SmallVector<Duration, 16> offsets;
  for (const auto& peer : peers_) {
    if (peer->clock_known && peer->answering) offsets.push_back(clock_offset(*peer));
  }
  clock_.set_peer_offsets(offsets.view(), {.local = env_.executor.wall_now(),
                                           .now = env_.executor.now(),
                                           .members = topology_->members.size()});
}

void Peers::look_at(Peer& peer) {
  const MonoTime now = env_.executor.now();
  const bool silent = peer.asked_since.ns != 0 && now - peer.asked_since > options_.silence_max;
  const bool answering = peer.link->up() && peer.heard && !silent && !peer.other_history;
  if (!answering) {
    peer.last_away = now;
    // While everybody starts, nobody is away yet: what a peer misses from here is noted range by
    // range. One that is met later than that may have missed what others wrote.
    peer.was_away = peer.was_away || peer.answering || now - started_ > kMeetingTime;
  }
  if (answering == peer.answering) return;
  peer.answering = answering;
  ++version_;
  if (answering) events_.on_peer_up(peer.id);
}

void Peers::Peer::on_link_up() {
  // What was sent on the former link says nothing about this one.
  asked_since = {};
  owner->look_at(*this);
  owner->ping(*this);
}

void Peers::Peer::on_link_down() {
  heard = false;
  was_away = true;  // what was under way may be lost
  owner->look_at(*this);
  owner->events_.on_peer_down(id);
}

void Peers::tick() {
  timer_ = env_.executor.after(options_.ping_interval, [this] { tick(); });
  if (topology_ == nullptr) return;
  for (const auto& peer : peers_) {
    look_at(*peer);
    ping(*peer);
  }
  compare_clocks();
}

void Peers::ping(const Peer& peer) {
  wire::Ping message;
  message.wall = env_.executor.wall_now();
  message.sent = static_cast<std::uint64_t>(env_.executor.now().ns);
  message.info = announcement_;
  // The pong comes back on a connection of any shard; the id brings it to the one that asked.
  const RequestId id{.shard = static_cast<std::uint8_t>(env_.executor.shard())};
  send(peer.id, id.pack(), {}, PartitionId{wire::kNoPartition}, message);
}

Peers::View Peers::view(NodeId id) const {
  View view;
  const Peer* peer = find(id);
  if (peer == nullptr) return view;
  view.redis_address = peer->redis_address;
  view.http_address = peer->http_address;
  view.zone = peer->zone;
  view.healthy = peer->answering;
  view.other_history = peer->heard && peer->other_history;
  if (peer->last_heard.ns != 0) view.last_heard_ms = (env_.executor.now() - peer->last_heard).ms();
  view.clock_offset = clock_offset(*peer);
  view.incarnation = peer->incarnation;
  return view;
}

}  // namespace stator::node

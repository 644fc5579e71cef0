#pragma once

#include <bitset>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/quorum/candidates.h"
#include "core/version/hlc.h"
#include "env/env.h"
#include "node/metrics.h"
#include "node/options.h"
#include "node/topology.h"
#include "wire/messages.h"

namespace stator::node {

/// What the rest of the shard wants to know of a peer.
class PeerEvents {
 public:
  virtual ~PeerEvents() = default;
  /// Its link has ended, so that frames sent to it may be lost: whoever waits for its answers asks
  /// somebody else. Not for one that is only silent: its answers may still come.
  virtual void on_peer_down(NodeId peer) = 0;
  /// It answers from now on. What it was asked just before may have found it without a way back to
  /// us: whoever still waits asks again.
  virtual void on_peer_up(NodeId peer) = 0;
  /// One more shard of the peer's process has found the way to this node. Its answers came to
  /// nothing until now, whichever of our shards they were for.
  virtual void on_peer_shard_up(NodeId peer) = 0;
  /// A new process of the peer was heard: the other shards may not know yet that it runs.
  virtual void on_peer_started(NodeId peer) = 0;
};

/// The other members as one shard sees them: a link to each, what it announced, and whether it
/// answers. Failure detection is local and changes nothing but the order of asking (paper 4.8.3): a
/// peer is healthy while its link is up, it goes by the same membership history, and it is not
/// silent, that is, unless something was sent to it `silence_max` ago and nothing came back since.
/// Pings make sure that something is sent. One per shard, on its loop only.
class Peers {
 public:
  Peers(const env::Env& env, const NodeOptions& options, Incarnation incarnation,
        HybridClock& clock, Metrics& metrics, PeerEvents& events);
  ~Peers();
  Peers(const Peers&) = delete;
  Peers& operator=(const Peers&) = delete;

  /// Opens links to the members that are new.
  void set_topology(std::shared_ptr<const Topology> topology);
  /// What this node announces in pings.
  void set_announcement(const wire::NodeInfo& info);

  [[nodiscard]] bool healthy(NodeId peer) const;
  /// A frame sent now would leave. False means: certainly never sent (D8).
  [[nodiscard]] bool reachable(NodeId peer) const;
  /// Every other member is healthy.
  [[nodiscard]] bool all_healthy() const;
  /// Of the peer's present process, as far as it was heard from.
  [[nodiscard]] Incarnation incarnation_of(NodeId peer) const;
  /// Any of these peers was unhealthy within the last hour (design 4.4: late digests).
  [[nodiscard]] bool away_lately(std::span<const NodeId> peers) const;
  /// Rises whenever a peer's health or announcement changes.
  [[nodiscard]] std::uint64_t version() const { return version_; }

  /// False when it was certainly not sent.
  template <typename Message>
  bool send(NodeId to, std::uint64_t request_id, MonoTime deadline, PartitionId partition,
            const Message& message) {
    Peer* peer = find(to);
    if (peer == nullptr || !peer->link->up()) return false;
    // An object that outgrew every frame is not sent; the empty frame that leaves instead is
    // dropped there.
    const bool fits = wire::encode_frame(header(*peer, request_id, deadline, partition), message,
                                         peer->link->begin_frame());
    peer->link->end_frame();
    if (!fits) return false;
    note_sent(*peer, wire::message_info(Message::kType)->direction == wire::Direction::kRequest);
    return true;
  }

  /// Every frame that passed its checks comes by here first.
  void on_heard(const wire::FrameHeader& header);
  /// The peer runs, as another shard says: see FrameLink::hurry.
  void hurry(NodeId peer);
  void on_ping(const wire::FrameHeader& header, const wire::Ping& ping);
  void on_pong(const wire::FrameHeader& header, const wire::Pong& pong);

  struct View {
    std::string redis_address;
    std::string http_address;
    std::string zone;
    bool healthy = false;
    bool other_history = false;
    std::int64_t last_heard_ms = -1;
    Duration clock_offset{};
    Incarnation incarnation{};
  };
  [[nodiscard]] View view(NodeId peer) const;

 private:
  struct Peer final : env::LinkEvents {
    Peers* owner = nullptr;
    NodeId id{};
    std::unique_ptr<env::FrameLink> link;
    bool answering = false;  // the verdict of the last look
    bool heard = false;
    bool other_history =
        false;  // as of the last frame: it refuses what we ask, and we what it asks
    MonoTime last_heard{};
    MonoTime asked_since{};  // of the oldest request sent since it was last heard; 0: none
    MonoTime last_away{};
    bool was_away = false;  // and so may have missed what others have
    WallTime clock_base{};  // what its clock showed when our monotonic clock showed 0
    bool clock_known = false;
    Incarnation incarnation{};
    std::bitset<256> shards_met;  // of that process: which have pinged this shard
    std::string redis_address;
    std::string http_address;
    std::string zone;

    void on_link_up() override;
    void on_link_down() override;
  };

  [[nodiscard]] Peer* find(NodeId id) const;
  [[nodiscard]] wire::FrameHeader header(const Peer& peer, std::uint64_t request_id,
                                         MonoTime deadline, PartitionId partition) const;
  void note_sent(Peer& peer, bool request);
  void learn(Peer& peer, const wire::NodeInfo& info);
  void look_at(Peer& peer);
  void compare_clocks();
  [[nodiscard]] Duration clock_offset(const Peer& peer) const;
  void tick();
  void ping(const Peer& peer);

  const env::Env env_;
  const NodeOptions& options_;
  const Incarnation incarnation_;
  HybridClock& clock_;
  Metrics& metrics_;
  PeerEvents& events_;
  std::shared_ptr<const Topology> topology_;
  std::vector<std::unique_ptr<Peer>> peers_;  // sorted by id
  wire::NodeInfo announcement_;
  const MonoTime started_;
  std::uint64_t version_ = 1;
  env::TimerId timer_{};
};

}  // namespace stator::node

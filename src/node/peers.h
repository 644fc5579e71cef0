#pragma once

#include <bitset>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/health/claimants.h"
#include "core/health/peer_health.h"
#include "core/health/self_doubt.h"
#include "core/quorum/candidates.h"
#include "core/version/hlc.h"
#include "env/env.h"
#include "node/metrics.h"
#include "node/options.h"
#include "node/topology.h"
#include "wire/messages.h"

namespace stator::node {

enum class Purpose : std::uint8_t { kRead, kWrite };

/// What a peer is good for now.
enum class Fitness : std::uint8_t {
  kFit,    // new work
  kSpare,  // it answers, but is slow or about to leave: asked when too few others are fit
  kUnfit,  // it does not answer, or takes no writes (D29): written to when nobody else is left
};

/// What the rest of the shard wants to know of a peer.
class PeerEvents {
 public:
  virtual ~PeerEvents() = default;
  /// Its link has ended, so that frames sent to it may be lost: whoever waits for its answers asks
  /// somebody else. Not for one that is only silent: its answers may still come.
  virtual void on_peer_down(NodeId peer) = 0;
  /// It is silent, or not to be understood: whoever waits for it alone better asks somebody else,
  /// too.
  virtual void on_peer_silent(NodeId peer) = 0;
  /// It answers from now on. What it was asked just before may have found it without a way back to
  /// us: whoever still waits asks again.
  virtual void on_peer_up(NodeId peer) = 0;
  /// One more shard of the peer's process has found the way to this node. Its answers came to
  /// nothing until now, whichever of our shards they were for.
  virtual void on_peer_shard_up(NodeId peer) = 0;
  /// A new process of the peer was heard: the other shards may not know yet that it runs.
  virtual void on_peer_started(NodeId peer) = 0;
  /// A ping of it came: what all shards see of its processes is put together in one place.
  virtual void on_sighting(NodeId peer, const Sighting& sighting) = 0;
  /// This process of it has answered what it was asked at its address at `asked`: the same.
  virtual void on_answer_of(NodeId peer, Incarnation process, MonoTime asked) = 0;
  /// Two processes run under its name: all shards refuse these from now on (D2, D3). Said again
  /// every now and then while one of them is heard.
  virtual void on_claimants(NodeId peer, const std::vector<Incarnation>& refused) = 0;
};

/// The other members as one shard sees them: a link to each, what it announced, and what is thought
/// of it. Failure detection is local and changes nothing but the order of asking (paper 4.8.3). A
/// peer *answers* while its link is up, it goes by the same membership history, and it is not
/// silent, that is, unless it was asked something `silence_max` ago and has answered nothing since.
/// It is *healthy*, and gets new work, if it also is not much slower than the others (core/health)
/// and has not announced that it is leaving. Pings make sure that something is asked; about a peer
/// that is becoming silent up to three others are asked, too. One per shard, on its loop only.
class Peers {
 public:
  Peers(const env::Env& env, const NodeOptions& options, Incarnation incarnation,
        HybridClock& clock, Metrics& metrics, PeerEvents& events);
  ~Peers();
  Peers(const Peers&) = delete;
  Peers& operator=(const Peers&) = delete;

  /// Opens links to the members that are new.
  void set_topology(std::shared_ptr<const Topology> topology);
  /// What this node announces in pings; at once where it is about to leave, or takes no writes any
  /// more, or again.
  void set_announcement(const wire::NodeInfo& info);

  /// May be given new work.
  [[nodiscard]] bool healthy(NodeId peer) const { return fitness(peer) == Fitness::kFit; }
  [[nodiscard]] Fitness fitness(NodeId peer, Purpose purpose = Purpose::kRead) const;
  /// Slow until a moment ago: fit, and yet no first choice.
  [[nodiscard]] bool doubted(NodeId peer) const;
  /// True now and then for a slow peer: one piece of work, for which nobody should have to wait, by
  /// which it can prove itself well.
  [[nodiscard]] bool worth_a_try(NodeId peer, Purpose purpose);
  /// Fewer nodes are fit, this one included, than a key has owners: no time to be choosy. For a
  /// write this node is fit unless it has announced that it takes none (D29).
  [[nodiscard]] bool few_are_fit(Purpose purpose) const {
    return purpose == Purpose::kWrite ? few_fit_to_write_ : few_fit_;
  }
  /// What is thought of it.
  [[nodiscard]] Verdict verdict(NodeId peer) const;
  /// After how long an answer of it is overdue, between 10 ms and `most`.
  [[nodiscard]] Duration patience(NodeId peer, AnswerKind kind, Duration most) const;
  /// How long an answer took; or, where `code` says why there is none, a refusal.
  void on_answer(NodeId peer, AnswerKind kind, Duration took);
  void on_refused(NodeId peer, ErrorCode code);
  /// A frame sent now would leave. False means: certainly never sent (D8).
  [[nodiscard]] bool reachable(NodeId peer) const;
  /// This node heard nobody, or few since a moment ago, and hears others again: so it was cut off
  /// or stood still itself, and those that it does not hear yet are probably well.
  [[nodiscard]] bool comes_back() const;
  /// Every other member answers.
  [[nodiscard]] bool all_answer() const;
  /// What this process says counts for nothing, since another one runs under the same name (D2,
  /// D3).
  [[nodiscard]] bool refuses(const wire::FrameHeader& header) const {
    return any_refused_ && refuses(find(header.sender), header.incarnation);
  }
  /// More than half of the other members refuse this process for that reason: it is of no use to
  /// clients, and mints nothing. One alone may be wrong, and is not believed where it is half.
  [[nodiscard]] bool refused_by_others() const { return refused_by_others_; }
  /// Of the peer's present process, as far as it was heard from.
  [[nodiscard]] Incarnation incarnation_of(NodeId peer) const;
  /// Any of these peers did not answer some time within the last hour (design 4.4: late digests).
  [[nodiscard]] bool away_lately(std::span<const NodeId> peers) const;
  /// Rises whenever a peer's health or announcement changes.
  [[nodiscard]] std::uint64_t version() const { return version_; }

  /// False when it was certainly not sent.
  template <typename Message>
  bool send(NodeId to, std::uint64_t request_id, MonoTime deadline, PartitionId partition,
            const Message& message) {
    Peer* peer = find(to);
    if (peer == nullptr || !peer->link->up()) return false;
    if (!peer->health.healthy() && peer->link->unsent() > kUnhealthyUnsentMax) return false;
    if (env_.buggified("peers: a frame is not sent")) return false;
    // An object that outgrew every frame is not sent; the empty frame that leaves instead is
    // dropped there.
    const bool fits = wire::encode_frame(header(*peer, request_id, deadline, partition), message,
                                         peer->link->begin_frame());
    peer->link->end_frame();
    if (!fits) return false;
    // Without an id nobody answers, but for pings, whose id may be 0.
    note_sent(*peer, wire::message_info(Message::kType)->direction == wire::Direction::kRequest &&
                         (request_id != 0 || Message::kType == wire::MessageType::kPing));
    return true;
  }

  /// Every frame that passed its checks comes by here first. `answers_us`: it is a reply to what
  /// this shard asked.
  void on_heard(const wire::FrameHeader& header, bool answers_us);
  /// The peer runs, as another shard says: see FrameLink::hurry.
  void hurry(NodeId peer);
  void on_ping(const wire::FrameHeader& header, const wire::Ping& ping);
  void on_pong(const wire::FrameHeader& header, const wire::Pong& pong);
  /// A sighting by any shard; on shard 0.
  void note_sighting(NodeId peer, const Sighting& sighting);
  void note_answer_of(NodeId peer, Incarnation process, MonoTime asked);
  /// As PeerEvents::on_claimants said, on each shard.
  void refuse(NodeId peer, const std::vector<Incarnation>& processes);

  struct View {
    std::string redis_address;
    std::string http_address;
    std::string zone;
    Verdict verdict = Verdict::kDown;
    bool leaving = false;
    bool no_write = false;
    bool other_history = false;
    bool fenced = false;  // its present process is refused
    /// It is not, but another one under its name is, and was heard just now.
    bool copy_refused = false;
    std::size_t refused = 0;  // processes under its name, whether they still run or not
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
    PeerHealth health;
    bool heard = false;
    bool leaving = false;   // as it announced
    bool no_write = false;  // as it announced
    bool other_history =
        false;  // as of the last frame: it refuses what we ask, and we what it asks
    MonoTime last_heard{};
    MonoTime last_away{};
    MonoTime fell_silent_at{};
    bool was_away = false;  // and so may have missed what others have
    WallTime clock_base{};  // what its clock showed when our monotonic clock showed 0
    bool clock_known = false;
    Incarnation incarnation{};
    std::bitset<256> shards_met;  // of that process: which have pinged this shard
    std::uint64_t link_id = 0;    // wire::Ping::link
    Claimants claimants;          // shard 0's
    std::vector<Incarnation> refused;
    MonoTime refused_heard{};  // one of them; as of the last word of shard 0
    bool refuses_us = false;   // as its last pong said
    std::string redis_address;
    std::string http_address;
    std::string zone;

    void on_link_up() override;
    void on_link_down() override;
  };

  /// Where it stands among the peers, or would.
  [[nodiscard]] std::vector<std::unique_ptr<Peer>>::const_iterator place_of(NodeId id) const;
  [[nodiscard]] Peer* find(NodeId id) const;
  [[nodiscard]] static bool refuses(const Peer* peer, Incarnation process);
  [[nodiscard]] wire::FrameHeader header(const Peer& peer, std::uint64_t request_id,
                                         MonoTime deadline, PartitionId partition) const;
  /// What may wait for a peer that gets no new work anyway: what more is owed to it comes with
  /// repairs, and is not kept in memory here (P8).
  static constexpr std::size_t kUnhealthyUnsentMax = 4 << 20;

  /// For how long after the first of them others are expected to be heard, too: a dialling that the
  /// cut has silenced is begun anew after a second (FrameLink::kDialDoubtful).
  static constexpr Duration kComingBack = milliseconds(1500);
  /// A short cut ends before all have been found silent; who has been silent for longer than this
  /// is rather dead.
  static constexpr Duration kSilentLately = seconds(5);
  /// How often the shards are told that a refused process is still heard, and for how long one is
  /// taken to run.
  static constexpr Duration kRefusedToldEvery = seconds(5);
  static constexpr Duration kRefusedRuns = seconds(15);

  void note_sent(Peer& peer, bool request);
  void learn(Peer& peer, const wire::NodeInfo& info);
  /// Judges anew; `paces`: its answer times, too.
  void look_at(Peer& peer, bool paces);
  void judged(Peer& peer, Verdict before);
  void note_return(const Peer& back, MonoTime now);
  /// Something changed that others see.
  void changed();
  [[nodiscard]] Surroundings surroundings() const;
  void ask_about(const Peer& peer);
  void compare_clocks();
  [[nodiscard]] Duration clock_offset(const Peer& peer) const;
  void tick();
  void ping(const Peer& peer, NodeId about = {});

  const env::Env env_;
  const NodeOptions& options_;
  const Incarnation incarnation_;
  HybridClock& clock_;
  Metrics& metrics_;
  PeerEvents& events_;
  std::shared_ptr<const Topology> topology_;
  std::vector<std::unique_ptr<Peer>> peers_;  // sorted by id
  std::vector<const PeerHealth*> healths_;    // of all of them
  SelfDoubt doubt_;
  wire::NodeInfo announcement_;
  const MonoTime started_;
  MonoTime came_back_at_{};  // 0: never was away
  std::uint64_t version_ = 1;
  bool few_fit_ = true;
  bool few_fit_to_write_ = true;
  bool any_refused_ = false;
  bool refused_by_others_ = false;
  env::TimerId timer_{};
  MonoTime tick_due_{};  // 0: the first one, which may have to wait until the engine is open
  MonoTime ping_due_{};
  std::size_t next_witness_ = 0;
};

}  // namespace stator::node

#include "node/peers.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/probe.h"
#include "node/operation_table.h"

namespace stator::node {
namespace {

constexpr Duration kAwayMemory = seconds(3600);
constexpr Duration kMeetingTime = seconds(10);
// Looks per ping: how fine time is in what is thought of peers.
constexpr std::int64_t kLooksPerPing = 4;
// However fine that is: two whose paths are long and whose histories differ ask each other again
// with each first word after a silence.
constexpr Duration kAskBackMin = milliseconds(125);
constexpr std::size_t kWitnessesMax = 3;
// Older knowledge of a peer that somebody asks about is renewed.
constexpr Duration kFreshKnowledge = milliseconds(100);
// No request is overdue earlier than the next look at open operations.
constexpr Duration kPatienceMin = milliseconds(10);

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
    peers_.insert(place_of(member.id), std::move(peer));
  }
  healths_.clear();
  for (const auto& peer : peers_) healths_.push_back(&peer->health);
  changed();
}

void Peers::set_announcement(const wire::NodeInfo& info) {
  const bool urgent =
      announcement_.stopping != info.stopping || announcement_.no_write != info.no_write;
  announcement_ = info;
  if (!urgent) return;
  changed();  // this node counts among those that are fit
  for (const auto& peer : peers_) ping(*peer);
}

std::vector<std::unique_ptr<Peers::Peer>>::const_iterator Peers::place_of(NodeId id) const {
  return std::lower_bound(peers_.begin(), peers_.end(), id,
                          [](const auto& peer, NodeId wanted) { return peer->id < wanted; });
}

Peers::Peer* Peers::find(NodeId id) const {
  const auto place = place_of(id);
  return place != peers_.end() && (*place)->id == id ? place->get() : nullptr;
}

Fitness Peers::fitness(NodeId id, Purpose purpose) const {
  const Peer* peer = find(id);
  if (peer == nullptr || !peer->health.answers()) return Fitness::kUnfit;
  if (purpose == Purpose::kWrite && peer->no_write) return Fitness::kUnfit;
  return peer->health.healthy() && !peer->leaving ? Fitness::kFit : Fitness::kSpare;
}

bool Peers::doubted(NodeId id) const {
  const Peer* peer = find(id);
  return peer != nullptr && peer->health.doubted(env_.executor.now());
}

bool Peers::worth_a_try(NodeId id, Purpose purpose) {
  Peer* peer = find(id);
  if (peer == nullptr || peer->leaving) return false;
  if (purpose == Purpose::kWrite && peer->no_write) return false;
  return peer->health.try_it(env_.executor.now());
}

void Peers::changed() {
  ++version_;
  std::size_t fit = 1;
  std::size_t fit_to_write = announcement_.no_write ? 0 : 1;
  for (const auto& peer : peers_) {
    if (!peer->health.healthy() || peer->leaving) continue;
    ++fit;
    if (!peer->no_write) ++fit_to_write;
  }
  few_fit_ = fit < topology_->history.founding().n;
  few_fit_to_write_ = fit_to_write < topology_->history.founding().n;
  const auto refusing =
      static_cast<std::size_t>(std::count_if(peers_.begin(), peers_.end(), [](const auto& peer) {
        return peer->refuses_us && peer->health.answers();
      }));
  refused_by_others_ = 2 * refusing > peers_.size();
}

Verdict Peers::verdict(NodeId id) const {
  const Peer* peer = find(id);
  return peer == nullptr ? Verdict::kDown : peer->health.verdict();
}

Duration Peers::patience(NodeId id, AnswerKind kind, Duration most) const {
  const Peer* peer = find(id);
  if (peer == nullptr) return most;
  return std::clamp(peer->health.p95(kind, most), std::min(kPatienceMin, most), most);
}

void Peers::on_answer(NodeId id, AnswerKind kind, Duration took) {
  if (Peer* peer = find(id)) peer->health.on_answer(kind, took);
}

void Peers::on_refused(NodeId id, ErrorCode code) {
  if (code != ErrorCode::kOverloaded) return;
  if (Peer* peer = find(id)) peer->health.on_overloaded();
}

bool Peers::reachable(NodeId id) const {
  const Peer* peer = find(id);
  return peer != nullptr && peer->link->up();
}

bool Peers::refuses(const Peer* peer, Incarnation process) {
  return peer != nullptr && std::ranges::find(peer->refused, process) != peer->refused.end();
}

void Peers::note_sighting(NodeId id, const Sighting& sighting) {
  Peer* peer = find(id);
  if (peer == nullptr) return;
  const MonoTime now = env_.executor.now();
  const std::size_t news = peer->claimants.see(sighting, now);
  metrics_.peers_fenced_total += news;
  const bool again =
      refuses(peer, sighting.incarnation) && now - peer->refused_heard >= kRefusedToldEvery;
  if (news > 0 || again) events_.on_claimants(id, peer->claimants.refused());
}

void Peers::note_answer_of(NodeId id, Incarnation process, MonoTime asked) {
  if (Peer* peer = find(id)) peer->claimants.answered(process, asked);
}

void Peers::refuse(NodeId id, const std::vector<Incarnation>& processes) {
  Peer* peer = find(id);
  if (peer == nullptr) return;
  peer->refused_heard = env_.executor.now();
  if (peer->refused == processes) return;
  STATOR_PROBE("peer: its processes are refused");
  peer->refused = processes;
  any_refused_ = true;
  changed();
}

bool Peers::all_answer() const {
  return std::all_of(peers_.begin(), peers_.end(),
                     [](const auto& peer) { return peer->health.answers(); });
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
    return !peer->health.answers() || (peer->was_away && now - peer->last_away < kAwayMemory);
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
  if (request) peer.health.on_asked(env_.executor.now());
}

void Peers::on_heard(const wire::FrameHeader& header, bool answers_us) {
  Peer* peer = find(header.sender);
  if (peer == nullptr || refuses(peer, header.incarnation)) return;
  const MonoTime now = env_.executor.now();
  const bool after_silence =
      now - peer->last_heard >= std::max(kAskBackMin, options_.ping_interval / kLooksPerPing);
  peer->heard = true;
  const bool started = peer->incarnation != header.incarnation;
  peer->incarnation = header.incarnation;
  peer->last_heard = now;
  const bool other_history = header.history != topology_->version();
  const bool turned = std::exchange(peer->other_history, other_history) != other_history;
  peer->health.on_heard(!other_history);
  if (answers_us) peer->health.on_replied();
  if (started) {
    STATOR_PROBE("peer: another process than before");
    peer->shards_met.reset();
    peer->leaving = false;
    events_.on_peer_started(peer->id);
  }
  if (started || turned) changed();
  if (peer->health.answers() && !turned) return;
  peer->link->hurry();
  look_at(*peer, false);
  // What it was asked may have come before it had a way back to us. It is not left to the next
  // look, so that both ends of a mended path trust it at once. Two who do not understand each other
  // would ask and ask: hence only the first word after a silence.
  if (after_silence && !peer->health.answers()) ping(*peer);
}

void Peers::hurry(NodeId id) {
  if (Peer* peer = find(id)) peer->link->hurry();
}

void Peers::learn(Peer& peer, const wire::NodeInfo& info) {
  const bool news = peer.redis_address != info.redis_address ||
                    peer.http_address != info.http_address || peer.leaving != info.stopping ||
                    peer.no_write != info.no_write;
  if (!news) return;
  if (info.stopping && !peer.leaving) STATOR_PROBE("peer: says that it ends");
  peer.leaving = info.stopping;
  peer.no_write = info.no_write;
  peer.redis_address = info.redis_address;
  peer.http_address = info.http_address;
  changed();
}

void Peers::on_ping(const wire::FrameHeader& header, const wire::Ping& ping) {
  Peer* peer = find(header.sender);
  if (peer == nullptr) return;
  const unsigned shard = RequestId::unpack(header.request_id).shard;
  events_.on_sighting(peer->id, {.incarnation = header.incarnation,
                                 .link = ping.link,
                                 .sent = ping.sent,
                                 .shard = shard,
                                 .stopping = ping.info.stopping});
  wire::Pong pong;
  pong.echoed = ping.sent;
  pong.wall = env_.executor.wall_now();
  pong.info = announcement_;
  if (refuses(peer, header.incarnation)) {
    pong.fenced = header.incarnation;
    send(header.sender, header.request_id, {}, PartitionId{wire::kNoPartition}, pong);
    return;
  }
  learn(*peer, ping.info);
  if (const Peer* other = find(ping.about)) {
    STATOR_PROBE("peer: asks about another one");
    pong.about = ping.about;
    const Duration ago = env_.executor.now() - other->last_heard;
    if (other->last_heard.ns != 0 && ago < kAwayMemory) {
      pong.heard_ms = static_cast<std::uint32_t>(ago.ms() + 1);
    }
    if (other->last_heard.ns == 0 || ago > kFreshKnowledge) this->ping(*other);
  }
  send(header.sender, header.request_id, {}, PartitionId{wire::kNoPartition}, pong);
  if (peer->shards_met.test(shard)) return;
  peer->shards_met.set(shard);
  events_.on_peer_shard_up(peer->id);
}

void Peers::on_pong(const wire::FrameHeader& header, const wire::Pong& pong) {
  Peer* peer = find(header.sender);
  if (peer == nullptr) return;
  const bool refuses_one = pong.fenced.value != 0;
  if (refuses_one && pong.fenced != incarnation_) {
    STATOR_PROBE("peer: refuses another process under our name");
    return;
  }
  if (std::exchange(peer->refuses_us, refuses_one) != refuses_one) changed();
  learn(*peer, pong.info);
  if (Peer* other = find(pong.about); other != nullptr && pong.heard_ms != 0) {
    STATOR_PROBE("peer: says that it hears the one asked about");
    other->health.on_witness(milliseconds(pong.heard_ms), env_.executor.now());
  }
  const MonoTime sent{static_cast<std::int64_t>(pong.echoed)};
  const Duration round_trip = env_.executor.now() - sent;
  if (round_trip.ns > 0 && round_trip < seconds(60)) peer->health.on_round_trip(round_trip);
  // A delayed, repeated or forged pong measures nothing.
  if (round_trip.ns < 0 || round_trip > seconds(1)) {
    STATOR_PROBE("peer: a pong of long ago");
    return;
  }
  events_.on_answer_of(peer->id, header.incarnation, sent);
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
    if (peer->clock_known && peer->health.answers()) offsets.push_back(clock_offset(*peer));
  }
  clock_.set_peer_offsets(offsets.view(), {.local = env_.executor.wall_now(),
                                           .now = env_.executor.now(),
                                           .members = topology_->members.size()});
}

Surroundings Peers::surroundings() const {
  return {.silence_max = options_.silence_max, .stretch = doubt_.stretch()};
}

void Peers::look_at(Peer& peer, bool paces) {
  const MonoTime now = env_.executor.now();
  const Verdict before = peer.health.verdict();
  if (paces) {
    peer.health.on_backlog(peer.link->unsent(), now);
    peer.health.look(surroundings(), healths_, now);
  } else {
    peer.health.judge(surroundings(), now);
  }
  judged(peer, before);
}

void Peers::judged(Peer& peer, Verdict before) {
  const MonoTime now = env_.executor.now();
  const bool answered = before <= Verdict::kSlow;
  const bool answers = peer.health.answers();
  if (!answers) {
    peer.last_away = now;
    // While everybody starts, nobody is away yet: what a peer misses from here is noted range by
    // range. One that is met later than that may have missed what others wrote.
    peer.was_away = peer.was_away || answered || now - started_ > kMeetingTime;
  }
  if (peer.health.verdict() == before) return;
  changed();
  if (peer.health.verdict() == Verdict::kSlow) {
    STATOR_PROBE("peer: slow");
    ++metrics_.peers_slow_total;
  }
  if (!answers && answered) {
    if (peer.link->up()) STATOR_PROBE("peer: silent although the link is up");
    ++metrics_.peers_silent_total;
    events_.on_peer_silent(peer.id);
  }
  if (!answers || answered) return;
  if (peer.was_away) STATOR_PROBE("peer: answers again");
  note_return(peer, now);
  events_.on_peer_up(peer.id);
}

// `back` answers again.
void Peers::note_return(const Peer& back, MonoTime now) {
  if (all_answer()) {
    came_back_at_ = {};  // who falls silent now is away
    return;
  }
  std::size_t answering = 0;
  std::size_t silent_lately = 0;  // as `back` was, and so perhaps for the same reason
  for (const auto& peer : peers_) {
    if (peer.get() == &back) continue;
    if (peer->health.answers()) {
      ++answering;
    } else if (now - peer->fell_silent_at < kSilentLately) {
      ++silent_lately;
    }
  }
  // This node counts as one that it hears.
  const bool heard_few = 2 * (answering + 1) <= peers_.size() + 1;
  if (comes_back() || !(answering == 0 || (heard_few && silent_lately > 0))) return;
  STATOR_PROBE("peers: this node comes back");
  came_back_at_ = now;
}

bool Peers::comes_back() const {
  return came_back_at_ != MonoTime{} && env_.executor.now() - came_back_at_ < kComingBack;
}

void Peers::Peer::on_link_up() {
  // The time, too: in the copy of a running machine the numbers that were fetched before are
  // copied, and both connect anew.
  env::Executor& executor = owner->env_.executor;
  const auto time = static_cast<std::uint64_t>(executor.now().ns);
  link_id = std::max<std::uint64_t>(executor.random() + time, 1);
  health.on_link(true);
  owner->look_at(*this, false);
  owner->ping(*this);
}

void Peers::Peer::on_link_down() {
  STATOR_PROBE("peer: the link goes down");
  heard = false;
  was_away = true;  // what was under way may be lost
  health.on_link(false);
  owner->look_at(*this, false);
  owner->events_.on_peer_down(id);
}

void Peers::tick() {
  const MonoTime now = env_.executor.now();
  const Duration interval = options_.ping_interval / kLooksPerPing;
  if (tick_due_.ns != 0) doubt_.on_timer(now - tick_due_, now);
  tick_due_ = now + interval;
  timer_ = env_.executor.after(interval, [this] { tick(); });
  if (topology_ == nullptr) return;
  const bool pings = now >= ping_due_;
  if (pings) ping_due_ = now + options_.ping_interval;
  std::size_t becoming_silent = 0;
  for (const auto& peer : peers_) {
    look_at(*peer, true);
    const bool doubtful = peer->health.worth_asking_about(surroundings(), now);
    if (pings || doubtful) ping(*peer);
    if (!doubtful) continue;
    ++becoming_silent;
    ask_about(*peer);
  }
  doubt_.on_look(becoming_silent, peers_.size(), now);
  if (pings) compare_clocks();
}

// SWIM's indirect probe: whether others hear it tells its silence from that of the path between us.
void Peers::ask_about(const Peer& peer) {
  std::size_t asked = 0;
  for (std::size_t i = 0; i < peers_.size() && asked < kWitnessesMax; ++i) {
    const Peer& witness = *peers_[next_witness_++ % peers_.size()];
    if (witness.id == peer.id || !witness.health.answers()) continue;
    if (witness.health.worth_asking_about(surroundings(), env_.executor.now())) continue;
    ping(witness, peer.id);
    ++asked;
  }
}

void Peers::ping(const Peer& peer, NodeId about) {
  wire::Ping message;
  message.about = about;
  message.link = peer.link_id;
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
  view.verdict = peer->health.verdict();
  view.leaving = peer->leaving;
  view.no_write = peer->no_write;
  view.other_history = peer->heard && peer->other_history;
  view.fenced = refuses(peer, peer->incarnation);
  view.refused = peer->refused.size();
  view.copy_refused =
      !view.fenced && view.refused > 0 && env_.executor.now() - peer->refused_heard < kRefusedRuns;
  if (peer->last_heard.ns != 0) view.last_heard_ms = (env_.executor.now() - peer->last_heard).ms();
  view.clock_offset = clock_offset(*peer);
  view.incarnation = peer->incarnation;
  return view;
}

}  // namespace stator::node

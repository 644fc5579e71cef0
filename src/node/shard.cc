#include "node/shard.h"

#include <string>
#include <utility>

#include "base/probe.h"
#include "node/frame_check.h"
#include "wire/peek.h"

namespace stator::node {
namespace {

constexpr Duration kTick = milliseconds(10);

}  // namespace

Shard::Shard(const env::Env& env, const NodeOptions& options, Incarnation incarnation,
             std::unique_ptr<storage::Engine> engine, ShardHost& host)
    : engine_(std::move(engine)),
      host_(host),
      context_{.env = env,
               .options = options,
               .clock = {},
               .metrics = {},
               .topology = nullptr,
               .admission = Admission(options.operations_max),
               .background = BackgroundBudget(options.background_bytes_per_second /
                                              env.executor.shard_count())},
      records_(
          env, *engine_, context_.metrics,
          options.durability == Durability::kAll ? Syncing::kWithBatch : Syncing::kBehindBatch),
      mint_(incarnation, kMaxPartitions),
      quarantine_(env.disk, options.data_directory + "/quarantine"),
      peers_(env, options, incarnation, context_.clock, context_.metrics, *this),
      replica_(context_),
      reads_(context_, replica_),
      writes_(context_, replica_),
      forwarder_(context_, writes_),
      explainer_(context_, replica_),
      scanner_(context_,
               [&host](unsigned index) -> Scanner& { return host.shard(index).scanner(); }),
      hints_(context_) {
  context_.peers = &peers_;
  context_.records = &records_;
  context_.mint = &mint_;
  context_.quarantine = &quarantine_;
  context_.restore = [this](PartitionId partition, std::string_view storage_key) {
    reads_.restore(partition, storage_key);
  };
  env.executor.at_turn_end([this] { return on_turn_end(); });
}

Shard::~Shard() {
  context_.env.executor.cancel(tick_timer_);
}

void Shard::set_topology(std::shared_ptr<const Topology> topology) {
  context_.topology = topology;
  peers_.set_topology(std::move(topology));
}

void Shard::close() {
  closed_ = true;
  hints_.stop();
  scanner_.close();
  records_.close();
}

bool Shard::on_turn_end() {
  ++context_.metrics.turns_total;
  const env::TurnTimes turns = context_.env.executor.turn_times();
  context_.metrics.turns_us_total = static_cast<std::uint64_t>(turns.sum().us());
  context_.metrics.turn_us_longest = static_cast<std::uint64_t>(turns.longest().us());
  const MonoTime now = context_.now();
  context_.admission.look(now);
  context_.background.look(context_.admission.pressed(), now);
  context_.metrics.operations_open = open_operations();
  context_.metrics.hints_pending = context_.hints.keys();
  context_.metrics.hints_pending_bytes = context_.hints.bytes();
  // Deadlines and hedges are looked at only while somebody waits: an idle node sleeps.
  if (tick_timer_ || open_operations() + explainer_.open() + scanner_.open() == 0) return false;
  tick();
  return true;
}

void Shard::tick() {
  tick_timer_ = {};
  reads_.tick();
  writes_.tick();
  forwarder_.tick();
  explainer_.tick();
  scanner_.tick();
  if (open_operations() + explainer_.open() + scanner_.open() > 0) {
    const Duration wait = context_.env.buggified("shard: a late tick") ? kTick * 20 : kTick;
    tick_timer_ = context_.env.executor.after(wait, [this] { tick(); });
  }
}

void Shard::on_peer_down(NodeId peer) {
  reads_.on_peer_down(peer);
  writes_.on_peer_down(peer);
  forwarder_.on_peer_down(peer);
  explainer_.on_peer_down(peer);
  scanner_.on_peer_down(peer);
  hints_.on_peer_down(peer);
}

void Shard::on_peer_silent(NodeId peer) {
  reads_.on_peer_silent(peer);
  forwarder_.on_peer_silent(peer);
}

void Shard::on_peer_up(NodeId peer) {
  reads_.on_peer_up(peer);
  writes_.on_peer_up(peer);
  hints_.on_peer_up();
}

void Shard::on_peer_shard_up(NodeId peer) {
  on_peer_up(peer);
  for (unsigned i = 0; i < context_.env.executor.shard_count(); ++i) {
    if (i == context_.env.executor.shard()) continue;
    context_.env.executor.post_to(i, [&host = host_, i, peer] { host.shard(i).on_peer_up(peer); });
  }
}

void Shard::on_peer_started(NodeId peer) {
  for (unsigned i = 0; i < context_.env.executor.shard_count(); ++i) {
    if (i == context_.env.executor.shard()) continue;
    context_.env.executor.post_to(i,
                                  [&host = host_, i, peer] { host.shard(i).peers().hurry(peer); });
  }
}

void Shard::on_sighting(NodeId peer, const Sighting& sighting) {
  if (context_.env.executor.shard() == 0) {
    peers_.note_sighting(peer, sighting);
    return;
  }
  context_.env.executor.post_to(
      0, [&host = host_, peer, sighting] { host.shard(0).peers().note_sighting(peer, sighting); });
}

void Shard::on_answer_of(NodeId peer, Incarnation process, MonoTime asked) {
  if (context_.env.executor.shard() == 0) {
    peers_.note_answer_of(peer, process, asked);
    return;
  }
  context_.env.executor.post_to(0, [&host = host_, peer, process, asked] {
    host.shard(0).peers().note_answer_of(peer, process, asked);
  });
}

void Shard::on_claimants(NodeId peer, const std::vector<Incarnation>& refused) {
  peers_.refuse(peer, refused);
  for (unsigned i = 0; i < context_.env.executor.shard_count(); ++i) {
    if (i == context_.env.executor.shard()) continue;
    auto copy = std::make_unique<std::vector<Incarnation>>(refused);
    context_.env.executor.post_to(i, [&host = host_, i, peer, copy = std::move(copy)] {
      host.shard(i).peers().refuse(peer, *copy);
    });
  }
}

void Shard::on_frame(std::string_view bytes) {
  expect_next();
  ++context_.metrics.frames_in_total;
  const auto frame = wire::decode_frame(bytes);
  const Topology& topology = *context_.topology;
  if (!frame || frame->header.cluster_tag != topology.cluster_tag() ||
      frame->header.receiver != topology.self) {
    STATOR_PROBE("frame: damaged, or not for us");
    ++context_.metrics.frames_bad_total;
    return;
  }
  const wire::MessageInfo* info = wire::message_info(frame->header.type);
  const unsigned shards = context_.env.executor.shard_count();
  unsigned target = context_.env.executor.shard();
  if (info != nullptr && info->direction == wire::Direction::kReply) {
    target = RequestId::unpack(frame->header.request_id).shard % shards;
  } else if (frame->header.partition != wire::kNoPartition) {
    target = shard_of(PartitionId{frame->header.partition}, shards);
  }
  if (target == context_.env.executor.shard()) {
    serve(*frame);
    return;
  }
  STATOR_PROBE("frame: for another shard");
  peers_.on_heard(frame->header, false);
  auto copy = std::make_unique<std::string>(bytes);
  context_.env.executor.post_to(
      target, [&host = host_, target, copy = std::move(copy), came = context_.now()] {
        // Its checksum was found right a moment ago.
        auto again = wire::decode_frame(*copy);
        if (!again) return;
        Shard& shard = host.shard(target);
        if (std::uint32_t& left = again->header.deadline_us; left != 0) {
          left = wire::remaining_us(shard.context_.now(), came + microseconds(left));
        }
        shard.serve(*again);
      });
}

void Shard::on_frames_ahead(std::span<const std::string_view> frames) {
  struct End {
    PartitionId partition;
    std::size_t key_end;  // in keys_ahead_, which may still move
  };
  SmallVector<End, 16> ends;
  const std::uint32_t partitions =
      context_.topology->ring ? context_.topology->ring->partitions() : 0;
  keys_ahead_.clear();
  for (const std::string_view frame : frames) {
    if (const auto answered = wire::peek_answered(frame)) {
      const RequestId id = RequestId::unpack(*answered);
      if (id.shard == context_.env.executor.shard() && id.kind == RequestKind::kWrite) {
        writes_.expect(id.slot);
      }
      continue;
    }
    const auto place = wire::peek_record(frame);
    if (!place || place->bucket.size() > storage::kBucketSizeMax ||
        place->key.size() > kKeyBytesHardMax) {
      continue;
    }
    // Nothing of the frame was checked yet: a number beyond the partitions may name a place of
    // hints, which another shard's thread is changing.
    if (place->partition.value >= partitions) continue;
    const unsigned target = shard_of(place->partition, context_.env.executor.shard_count());
    if (target != context_.env.executor.shard()) continue;
    storage::append_storage_key(place->bucket, place->key, keys_ahead_);
    ends.push_back({place->partition, keys_ahead_.size()});
  }
  places_ahead_.clear();
  std::size_t begin = 0;
  for (const End& end : ends) {
    const std::string_view key = std::string_view(keys_ahead_).substr(begin, end.key_end - begin);
    places_ahead_.push_back({end.partition, key});
    begin = end.key_end;
  }
  records_.expect(places_ahead_, storage::Ahead::kLater);
  next_ahead_ = 0;
  expect_next();
}

/// While one frame is served the record of the one behind it comes.
void Shard::expect_next() {
  if (next_ahead_ == places_ahead_.size()) return;
  records_.expect({&places_ahead_[next_ahead_++], 1}, storage::Ahead::kNext);
}

void Shard::serve(const wire::Frame& frame) {
  const wire::MessageInfo* info = wire::message_info(frame.header.type);
  if (closed_) {
    STATOR_PROBE("frame: comes after the shard has closed");
    // Said, not left to silence: whoever asks turns to another node at once (D8: nothing was done).
    const bool reply = info != nullptr && info->direction == wire::Direction::kReply;
    // Not a second copy of what was served before: that one's answer is on its way.
    const bool again = frame.header.type == wire::MessageType::kForwardWrite &&
                       !forwarder_.first_arrival(frame.header);
    if (!reply && !again) refuse(frame.header, ErrorCode::kClosed);
    return;
  }
  if (peers_.refuses(frame.header)) {
    serve_refused(frame);
    return;
  }
  // A reply is served by the shard that asked.
  peers_.on_heard(frame.header, info != nullptr && info->direction == wire::Direction::kReply);
  if (info == nullptr) {
    // From a later version. A reply of a type unknown here cannot belong to a request of ours.
    refuse(frame.header, ErrorCode::kNotSupported);
  } else if (info->direction == wire::Direction::kReply) {
    serve_reply(frame);
  } else {
    serve_request(frame);
  }
}

void Shard::refuse(const wire::FrameHeader& header, ErrorCode code) {
  if (header.request_id == 0) return;
  wire::Refusal refusal;
  refusal.code = code;
  refusal.history = context_.topology->version();
  peers_.send(header.sender, header.request_id, {}, PartitionId{header.partition}, refusal);
}

bool Shard::refused_for_history(const wire::Frame& frame) {
  const HistoryVersion mine = context_.topology->version();
  if (frame.header.history == mine) return false;
  ++context_.metrics.history_refusals_total;
  refuse(frame.header, ErrorCode::kHistoryMismatch);
  // The one who knows less learns by asking; both ask, since a digest does not tell who that is.
  fetch_history(frame.header.sender);
  return true;
}

bool Shard::refused_as_late(const wire::FrameHeader& header) {
  if (header.deadline_us != wire::kDeadlineOver) return false;
  STATOR_PROBE("request: its time is over when it arrives");
  ++context_.metrics.requests_late_total;
  // Nobody waits for the answer; that there is one tells that this node is not silent.
  refuse(header, ErrorCode::kTimeout);
  return true;
}

void Shard::fetch_history(NodeId from) {
  wire::HistoryFetch message;
  message.have = context_.topology->version();
  peers_.send(from, 0, {}, PartitionId{wire::kNoPartition}, message);
}

template <typename Message, typename Handle>
static bool decoded(const wire::Frame& frame, Metrics& metrics, Handle handle) {
  Message message;
  if (!wire::decode_body(frame.body, message)) {
    ++metrics.frames_bad_total;
    return false;
  }
  handle(message);
  return true;
}

// Of a process that is not alone under its node's name (D2, D3): nobody knows which of them has
// what it says, so that it counts for nothing.
void Shard::serve_refused(const wire::Frame& frame) {
  const wire::FrameHeader& header = frame.header;
  Metrics& metrics = context_.metrics;
  ++metrics.frames_fenced_total;
  const wire::MessageInfo* info = wire::message_info(header.type);
  if (header.type == wire::MessageType::kPing) {
    decoded<wire::Ping>(frame, metrics, [&](const auto& m) { peers_.on_ping(header, m); });
    return;
  }
  if (info != nullptr && info->direction == wire::Direction::kReply) return;
  // As after the end: not a second copy of what was served before.
  const bool again =
      header.type == wire::MessageType::kForwardWrite && !forwarder_.first_arrival(header);
  if (!again) refuse(header, ErrorCode::kNotMember);
}

void Shard::serve_request(const wire::Frame& frame) {
  const wire::FrameHeader& header = frame.header;
  Metrics& metrics = context_.metrics;
  switch (header.type) {
    case wire::MessageType::kPing:
      decoded<wire::Ping>(frame, metrics, [&](const auto& m) { peers_.on_ping(header, m); });
      return;
    case wire::MessageType::kHistoryFetch: serve_history(frame); return;
    default: break;
  }
  last_request_ = context_.now();
  // Before any refusal: what was refused once must not be applied by a second copy.
  if (header.type == wire::MessageType::kForwardWrite && !forwarder_.first_arrival(header)) {
    STATOR_PROBE("forward: a frame comes twice");
    return;
  }
  if (refused_for_history(frame)) return;
  // Equal histories, yet the sender is none of the members: nobody counts what it would do (D22).
  if (context_.topology->index_of(header.sender) < 0) {
    refuse(header, ErrorCode::kNotMember);
    return;
  }
  if (header.partition >= context_.topology->ring->partitions()) {
    ++metrics.frames_bad_total;
    refuse(header, ErrorCode::kBadRequest);
    return;
  }
  // What a stand-in is asked is about a range that it does not own: is_sound() looks at the rest.
  const bool for_stand_ins = header.type == wire::MessageType::kReplicaPut ||
                             header.type == wire::MessageType::kReplicaGet ||
                             header.type == wire::MessageType::kForwardWrite;
  if (!for_stand_ins &&
      !context_.topology->ring->owns(context_.self(), PartitionId{header.partition})) {
    refuse(header, ErrorCode::kNotMember);
    return;
  }
  if (context_.env.buggified("shard: refuses a request")) {
    refuse(header, ErrorCode::kOverloaded);
    return;
  }
  switch (header.type) {
    case wire::MessageType::kReplicaPut:
      serve_sound<wire::ReplicaPut>(frame, [&](const auto& m) { replica_.on_put(header, m); });
      break;
    case wire::MessageType::kReplicaGet:
      if (refused_as_late(header)) return;
      serve_sound<wire::ReplicaGet>(frame, [&](const auto& m) { replica_.on_get(header, m); });
      break;
    case wire::MessageType::kForwardWrite:
      if (refused_as_late(header)) return;
      serve_sound<wire::ForwardWrite>(frame,
                                      [&](const auto& m) { forwarder_.on_forward(header, m); });
      break;
    case wire::MessageType::kScan:
      if (refused_as_late(header)) return;
      serve_sound<wire::Scan>(frame, [&](const auto& m) { scanner_.on_scan(header, m); });
      break;
    default: refuse(header, ErrorCode::kNotSupported); break;
  }
}

template <typename Message, typename Serve>
void Shard::serve_sound(const wire::Frame& frame, Serve serve) {
  bool sound = true;
  const bool readable = decoded<Message>(frame, context_.metrics, [&](const Message& message) {
    sound = is_sound(context_, frame.header, message);
    if (sound) serve(message);
  });
  if (readable && sound) return;
  if (readable) ++context_.metrics.frames_bad_total;
  refuse(frame.header, readable ? ErrorCode::kBadRequest : ErrorCode::kCorrupt);
}

void Shard::serve_reply(const wire::Frame& frame) {
  const wire::FrameHeader& header = frame.header;
  Metrics& metrics = context_.metrics;
  switch (header.type) {
    case wire::MessageType::kPong:
      decoded<wire::Pong>(frame, metrics, [&](const auto& m) { peers_.on_pong(header, m); });
      break;
    case wire::MessageType::kReplicaPutReply:
      decoded<wire::ReplicaPutReply>(frame, metrics, [&](const auto& m) {
        if (RequestId::unpack(header.request_id).kind == RequestKind::kHint) {
          hints_.on_reply(header, m);
        } else {
          writes_.on_reply(header, m);
        }
      });
      break;
    case wire::MessageType::kReplicaGetReply:
      decoded<wire::ReplicaGetReply>(frame, metrics, [&](const auto& m) {
        if (RequestId::unpack(header.request_id).kind == RequestKind::kExplain) {
          explainer_.on_reply(header, m);
        } else {
          reads_.on_reply(header, m);
        }
      });
      break;
    case wire::MessageType::kForwardWriteReply:
      decoded<wire::ForwardWriteReply>(frame, metrics,
                                       [&](const auto& m) { forwarder_.on_reply(header, m); });
      break;
    case wire::MessageType::kScanReply:
      decoded<wire::ScanReply>(frame, metrics,
                               [&](const auto& m) { scanner_.on_reply(header, m); });
      break;
    case wire::MessageType::kHistoryReply: serve_history(frame); break;
    case wire::MessageType::kRefusal: serve_refusal(frame); break;
    default: break;
  }
}

void Shard::serve_refusal(const wire::Frame& frame) {
  const wire::FrameHeader& header = frame.header;
  decoded<wire::Refusal>(frame, context_.metrics, [&](const wire::Refusal& refusal) {
    if (refusal.code == ErrorCode::kHistoryMismatch) fetch_history(header.sender);
    switch (RequestId::unpack(header.request_id).kind) {
      case RequestKind::kRead: reads_.on_refusal(header, refusal.code); break;
      case RequestKind::kWrite: writes_.on_refusal(header, refusal.code); break;
      case RequestKind::kForward: forwarder_.on_refusal(header, refusal.code); break;
      case RequestKind::kExplain: explainer_.on_refusal(header, refusal.code); break;
      case RequestKind::kScan: scanner_.on_refusal(header); break;
      case RequestKind::kHint: hints_.on_refusal(header, refusal.code); break;
      case RequestKind::kNone: break;
    }
  });
}

void Shard::serve_history(const wire::Frame& frame) {
  if (frame.header.type == wire::MessageType::kHistoryFetch) {
    decoded<wire::HistoryFetch>(frame, context_.metrics, [&](const wire::HistoryFetch& fetch) {
      std::string bytes;
      wire::HistoryReply reply;
      reply.version = context_.topology->version();
      if (fetch.have != reply.version) {
        context_.topology->history.encode(bytes);
        reply.entries.push_back(bytes);
      }
      peers_.send(frame.header.sender, frame.header.request_id, {}, PartitionId{wire::kNoPartition},
                  reply);
    });
    return;
  }
  decoded<wire::HistoryReply>(frame, context_.metrics, [&](const wire::HistoryReply& reply) {
    for (const std::string_view entry : reply.entries) {
      auto history = History::decode(entry);
      if (history) host_.on_history(context_.env.executor.shard(), std::move(*history));
    }
  });
}

}  // namespace stator::node

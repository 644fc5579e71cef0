#include "node/testing/lone_shard.h"

#include <utility>

#include "core/ring/position.h"
#include "core/version/context.h"
#include "core/version/object_codec.h"

namespace stator::node::testing {
namespace {

constexpr std::uint16_t kPort = 7381;
constexpr Incarnation kIncarnation{0x1001};  // of the lone shard's process

std::string name_of(unsigned node) {
  return "n" + std::to_string(node);
}

}  // namespace

/// Of a peer that the test plays.
struct LoneShard::Inbox final : env::FrameSink {
  std::vector<Received> frames;
  std::vector<Received> pings;
  std::vector<Received> fetches;
  void on_frame(std::string_view bytes) override {
    const auto frame = wire::decode_frame(bytes);
    STATOR_ASSERT(frame.has_value());
    const wire::MessageType type = frame->header.type;
    auto& kept = type == wire::MessageType::kPing           ? pings
                 : type == wire::MessageType::kHistoryFetch ? fetches
                                                            : frames;
    kept.push_back({std::string(bytes), frame->header});
  }
};

class LoneShard::Peer final : public sim::Program {
 public:
  Peer(env::Env& env, const std::string& name, Inbox& inbox)
      : listener_(*env.network.listen_frames({name, kPort}, inbox)) {}

 private:
  std::unique_ptr<env::Listener> listener_;
};

class LoneShard::Program final : public sim::Program, public ShardHost {
 public:
  Program(LoneShard& test, env::Env& env)
      : test_(test),
        shard_(env, test.options_, kIncarnation, std::make_unique<ScriptedEngine>(test.script_),
               *this) {
    shard_.set_topology(test.topology_);
    test_.shard_ = &shard_;
  }
  ~Program() override { test_.shard_ = nullptr; }
  Shard& shard(unsigned) override { return shard_; }
  void on_history(unsigned, History&& other) override {
    test_.histories_.push_back(std::move(other));
  }

 private:
  LoneShard& test_;
  Shard shard_;
};

LoneShard::LoneShard(Tune tune, unsigned members) {
  options_.name = name_of(1);
  if (tune) tune(options_);
  founding_.cluster_id = "lone";
  founding_.q = kPartitions;
  for (unsigned node = 1; node <= members; ++node) {
    founding_.founders.push_back(
        {.name = name_of(node), .peer_address = name_of(node) + ":" + std::to_string(kPort)});
    world_.add_host(name_of(node));
  }
  const auto complete = complete_founding(founding_);
  STATOR_ASSERT(complete.has_value());
  topology_ = make_topology(History::found(founding_), id(1));
  for (unsigned node = 2; node <= members; ++node) {
    inboxes_.push_back(std::make_unique<Inbox>());
    world_.host(node - 1).start([inbox = inboxes_.back().get(), node](env::Env& env) {
      return std::make_unique<Peer>(env, name_of(node), *inbox);
    });
  }
  world_.host(0).start([this](env::Env& env) { return std::make_unique<Program>(*this, env); });
  run(milliseconds(100));  // its links to the others are up now
}

LoneShard::~LoneShard() = default;

void LoneShard::in_turn(std::function<void(Shard&)> use) {
  world_.host(0).process()->loop().post([this, use = std::move(use)] { use(*shard_); });
  run(milliseconds(5));
}

NodeId LoneShard::id(unsigned node) const {
  for (const Member& member : founding_.founders) {
    if (member.name == name_of(node)) return member.id;
  }
  return {};
}

PartitionId LoneShard::partition_of(std::string_view key) const {
  return stator::partition_of(position_of(kDefaultBucket, key), kPartitions);
}

wire::FrameHeader LoneShard::header(PartitionId partition, std::uint64_t request_id,
                                    unsigned from) const {
  wire::FrameHeader header;
  header.request_id = request_id;
  header.history = topology_->version();
  header.sender = id(from);
  header.receiver = id(1);
  header.cluster_tag = topology_->cluster_tag();
  header.incarnation = {0x2000 + from};
  header.partition = static_cast<std::uint16_t>(partition.value);
  return header;
}

void LoneShard::deliver(std::string frame) {
  in_turn([bytes = std::move(frame)](Shard& shard) {
    const std::string_view ahead[] = {bytes};
    shard.on_frames_ahead(ahead);
    shard.on_frame(bytes);
  });
}

void LoneShard::hear_both() {
  for (const unsigned node : {2U, 3U}) {
    deliver(frame(header(PartitionId{wire::kNoPartition}, 0, node), wire::Ping{}));
  }
  for (const unsigned node : {2U, 3U}) take_received(node);
}

std::vector<LoneShard::Received> LoneShard::take_received(unsigned node) {
  return std::exchange(inboxes_[node - 2]->frames, {});
}

std::vector<LoneShard::Received> LoneShard::take_pings(unsigned node) {
  return std::exchange(inboxes_[node - 2]->pings, {});
}

std::vector<LoneShard::Received> LoneShard::take_fetches(unsigned node) {
  return std::exchange(inboxes_[node - 2]->fetches, {});
}

const Metrics& LoneShard::metrics() const {
  return shard_->context().metrics;
}

wire::ForwardWrite forwarded_write(std::string_view key, WriteId id) {
  wire::ForwardWrite write{.bucket = kDefaultBucket, .key = key};
  write.write_id = id;
  write.value = "v";
  write.receiver_incarnation = kIncarnation;
  return write;
}

WriteRequest write_request(std::string_view key, std::string_view value, WriteId id,
                           WriteKind kind) {
  WriteRequest request;
  request.bucket = kDefaultBucket;
  request.key = key;
  request.value = value;
  request.id = id;
  request.kind = kind;
  return request;
}

std::string one_version(std::string_view value, std::uint64_t writer) {
  Object object;
  Write write;
  write.id = {writer << 16 | WriteId::kRetryable << 12, writer};
  write.value = value;
  write.time = Hlc::from_wall({1'767'225'600'000'000});
  put(object, write, Context{}, {{Incarnation{writer}, 1}, 1}, WallTime{});
  std::string bytes;
  encode_object(object, bytes);
  return bytes;
}

}  // namespace stator::node::testing

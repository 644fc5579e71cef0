// Hostile frames from peers, at a real shard over an engine in memory, in simulated time. It has
// one read, write, forwarded write, scan and explain of its clients under way, so that answers of
// peers find somebody who waits. Nothing that comes may end the process, leave a record where
// nobody looks for it or that cannot be read, or keep a client from its one answer; what the shard
// sends can be read.
//
// First byte: 1: five members instead of three, so that others' ranges come, too; 2, 4: reads and
// writes of the engine wait until all frames have come. Then frames, each: its type; how it comes
// (see How); which of the requests that the shard has sent it names, 0 none of them, 1 no id; the
// size of its body, a varint; the body. Type 0: the body is a stream of whole frames. Where it can
// be read the header is made to fit, so that nobody has to guess a checksum or a partition.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/bytes.h"
#include "core/ring/position.h"
#include "core/version/object_codec.h"
#include "node/hint_place.h"
#include "node/testing/lone_shard.h"
#include "storage/record.h"
#include "wire/messages.h"

namespace {

using namespace stator;
using namespace stator::node;
using stator::node::testing::forwarded_write;
using stator::node::testing::LoneShard;
using stator::node::testing::write_request;

constexpr std::size_t kInputMax = 4096;
constexpr int kFramesMax = 32;
constexpr std::size_t kAskedMax = 64;
constexpr int kClients = 5;
constexpr std::uint64_t kOwnIds = 1000;
constexpr std::uint64_t kBornMs = 1'767'225'600'000;  // when simulated time begins

// Bits of a frame's second byte.
enum How : std::uint8_t {
  kFromThird = 1,         // from node n3, not n2
  kOtherHistory = 2,      // under another membership history
  kAnyPartition = 4,      // about partition 0, not the one of its key
  kOver = 8,              // its time is over
  kSecond = 16,           // it has one second
  kOtherProcess = 32,     // of the sender, another one than before
  kOtherReceiver = 64,    // for node n3
  kEarlierProcess = 128,  // a forwarded write: left for whatever process its body says
};

class Conversation {
 public:
  explicit Conversation(std::uint8_t mode)
      : members_((mode & 1) != 0 ? 5 : 3), lone_({}, members_) {
    for (unsigned node = 2; node <= members_; ++node) {
      lone_.deliver(LoneShard::frame(lone_.header({0}, 0, node), wire::Ping{}));
    }
    lone_.script().hold_reads = (mode & 2) != 0;
    lone_.script().hold_writes = (mode & 4) != 0;
    lone_.in_turn([this](Shard& shard) { begin(shard); });
    listen();
  }

  void tell(wire::MessageType type, std::uint8_t how, std::uint8_t which, std::string_view body) {
    std::string fitting;
    wire::FrameHeader header = header_for(how, which);
    if (type == wire::MessageType::kForwardWrite && (how & kEarlierProcess) == 0) {
      fit_forward(body, fitting);
    } else {
      fitting = body;
    }
    const auto partition = partition_in(type, fitting);
    if (partition) header.partition = static_cast<std::uint16_t>(partition->value);
    if ((how & kAnyPartition) != 0) header.partition = 0;
    std::string frame;
    const std::size_t at = wire::internal::begin_frame(frame);
    frame += fitting;
    const bool fits = wire::internal::end_frame(frame, at, header, type);
    STATOR_ASSERT(fits);
    lone_.deliver(std::move(frame));
    listen();
  }
  void tell_stream(std::string_view stream) {
    for (;;) {
      const auto size = wire::frame_size(stream);
      if (!size || *size == 0 || *size > stream.size()) return;
      lone_.deliver(std::string(stream.substr(0, *size)));
      listen();
      stream.remove_prefix(*size);
    }
  }

  void end() {
    auto& script = lone_.script();
    script.hold_reads = script.hold_writes = false;
    lone_.in_turn([&script](Shard&) {
      script.engine->release_reads();
      script.engine->release();
    });
    lone_.run(seconds(8));  // a request has two seconds
    listen();
    STATOR_ASSERT(answers_ == kClients);
    lone_.in_turn([](Shard& shard) {
      STATOR_ASSERT(shard.open_operations() == 0 && shard.merges_under_way() == 0);
      STATOR_ASSERT(shard.explainer().open() == 0 && shard.scanner().open() == 0);
    });
    check_records();
  }

 private:
  struct Asked {
    unsigned node = 0;
    std::uint64_t request_id = 0;
    std::uint16_t partition = 0;
  };

  void begin(Shard& shard) {
    const auto answered = [this](const auto&) { ++answers_; };
    shard.reads().read(kDefaultBucket, "k", {}, answered);
    shard.explainer().explain(kDefaultBucket, "k", answered);
    shard.scanner().scan({.cursor = 0, .count = 10}, answered);
    shard.writes().write(
        write_request("k", "v", WriteId::make(kBornMs, WriteId::kMintedOnce, 1, 1)),
        lone_.partition_of("k"), false, answered);
    shard.forwarder().forward(
        write_request("other", "v", WriteId::make(kBornMs, WriteId::kMintedOnce, 2, 2)),
        lone_.partition_of("other"), false, answered);
  }

  [[nodiscard]] wire::FrameHeader header_for(std::uint8_t how, std::uint8_t which) {
    const unsigned from = (how & kFromThird) != 0 ? 3 : 2;
    wire::FrameHeader header = lone_.header({0}, kOwnIds + told_++, from);
    if (which == 1) header.request_id = 0;
    if (which > 1 && !asked_.empty()) {
      const Asked& asked = asked_[(which - 2U) % asked_.size()];
      header = lone_.header({asked.partition}, asked.request_id, asked.node);
    }
    if ((how & kOtherHistory) != 0) header.history = {1};
    if ((how & kOver) != 0) header.deadline_us = wire::kDeadlineOver;
    if ((how & kSecond) != 0) header.deadline_us = 1'000'000;
    if ((how & kOtherProcess) != 0) header.incarnation = {0x3000};
    if ((how & kOtherReceiver) != 0) header.receiver = lone_.id(3);
    return header;
  }

  static void fit_forward(std::string_view body, std::string& out) {
    wire::ForwardWrite message;
    if (!wire::decode_body(body, message)) {
      out = body;
      return;
    }
    message.receiver_incarnation = forwarded_write({}, {}).receiver_incarnation;
    wire::encode_body(message, out);
  }

  template <typename Message>
  static std::optional<PartitionId> partition_of_key(std::string_view body) {
    Message message;
    if (!wire::decode_body(body, message)) return std::nullopt;
    if (message.bucket.size() > storage::kBucketSizeMax) return std::nullopt;
    return partition_of(position_of(message.bucket, message.key), LoneShard::kPartitions);
  }
  static std::optional<PartitionId> partition_in(wire::MessageType type, std::string_view body) {
    switch (type) {
      case wire::MessageType::kReplicaPut: return partition_of_key<wire::ReplicaPut>(body);
      case wire::MessageType::kReplicaGet: return partition_of_key<wire::ReplicaGet>(body);
      case wire::MessageType::kForwardWrite: return partition_of_key<wire::ForwardWrite>(body);
      case wire::MessageType::kScan: {
        wire::Scan message;
        if (!wire::decode_body(body, message)) return std::nullopt;
        return PartitionId{message.partition};
      }
      default: return std::nullopt;
    }
  }

  // What the shard has sent meanwhile.
  void listen() {
    for (unsigned node = 2; node <= members_; ++node) {
      for (const auto& received : lone_.take_received(node)) {
        expect_readable(received, std::make_index_sequence<std::tuple_size_v<wire::Messages>>{});
        const wire::MessageInfo* info = wire::message_info(received.header.type);
        const bool request = info != nullptr && info->direction == wire::Direction::kRequest;
        if (!request || received.header.request_id == 0 || asked_.size() == kAskedMax) continue;
        asked_.push_back({node, received.header.request_id, received.header.partition});
      }
    }
  }
  template <typename Message>
  static bool readable(const LoneShard::Received& received) {
    const auto frame = wire::decode_frame(received.bytes);
    Message message;
    return frame && wire::decode_body(frame->body, message).has_value();
  }
  template <std::size_t... I>
  static void expect_readable(const LoneShard::Received& received, std::index_sequence<I...>) {
    const bool right = ((received.header.type == std::tuple_element_t<I, wire::Messages>::kType &&
                         readable<std::tuple_element_t<I, wire::Messages>>(received)) ||
                        ...);
    STATOR_ASSERT(right);
  }

  // D30, and nothing where nobody looks for it.
  class Records final : public storage::ScanVisitor {
   public:
    explicit Records(PartitionId place) : place_(place) {}
    void visit(std::string_view key, std::string_view value) override {
      std::string_view storage_key = key;
      PartitionId range = place_;
      if (is_hint_partition(place_)) {
        const auto hint = parse_hint_key(key);
        STATOR_ASSERT(hint.has_value());
        storage_key = hint->storage_key;
        range = range_of_hints(place_);
      }
      const auto parsed = storage::parse_storage_key(storage_key);
      STATOR_ASSERT(parsed.has_value());
      const Position position = position_of(parsed->bucket, parsed->key);
      STATOR_ASSERT(partition_of(position, LoneShard::kPartitions) == range);
      storage::RecordHeader header;
      std::string_view payload;
      const auto opened = storage::open_record(place_, key, value, header, payload);
      STATOR_ASSERT(opened.has_value());
      Object object;
      const auto decoded = decode_object(payload, object);
      STATOR_ASSERT(decoded.has_value());
    }

   private:
    PartitionId place_;
  };
  void check_records() {
    for (std::uint32_t range = 0; range < LoneShard::kPartitions; ++range) {
      for (const PartitionId place : {PartitionId{range}, hint_partition({range})}) {
        Records records(place);
        const auto scanned =
            lone_.script().engine->scan(place, {}, {.keys_max = kInputMax}, records);
        STATOR_ASSERT(scanned.has_value() && scanned->empty());
      }
    }
  }

  const unsigned members_;
  int answers_ = 0;
  std::uint64_t told_ = 0;
  std::vector<Asked> asked_;
  LoneShard lone_;  // last: it ends first
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > kInputMax) return 0;
  ByteReader reader({reinterpret_cast<const char*>(data), size});
  Conversation conversation(reader.u8());
  for (int frames = 0; frames < kFramesMax; ++frames) {
    const std::uint8_t type = reader.u8();
    const std::uint8_t how = reader.u8();
    const std::uint8_t which = reader.u8();
    const std::uint64_t length = reader.varint();
    if (!reader.ok()) break;
    const std::string_view body = reader.bytes(std::min<std::size_t>(length, reader.rest().size()));
    if (type == 0) {
      conversation.tell_stream(body);
    } else {
      conversation.tell(static_cast<wire::MessageType>(type), how, which, body);
    }
  }
  conversation.end();
  return 0;
}

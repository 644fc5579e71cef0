#include "node/frame_check.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "node/testing/lone_shard.h"

namespace stator::node::testing {
namespace {

constexpr std::uint64_t kAsked = 77;

struct BadFrame {
  const char* name;
  std::string bytes;
};

std::uint16_t beside(PartitionId partition) {
  return static_cast<std::uint16_t>((partition.value + 1) % LoneShard::kPartitions);
}

// Of a request about a key, each in a way that no sound peer sends it.
template <typename Message>
void add_bad_keys(const LoneShard& lone, const char* name, Message good,
                  std::vector<BadFrame>& out) {
  static const std::string kLongBucket(256, 'b');
  static const std::string kLongKey(kKeyBytesHardMax + 1, 'k');
  wire::FrameHeader header = lone.header(lone.partition_of("k"), kAsked);
  good.bucket = "default";
  good.key = "k";
  for (const std::string_view bucket : {std::string_view(), std::string_view(kLongBucket)}) {
    Message message = good;
    message.bucket = bucket;
    out.push_back({name, LoneShard::frame(header, message)});
  }
  Message message = good;
  message.key = kLongKey;
  header.partition = static_cast<std::uint16_t>(lone.partition_of(kLongKey).value);
  out.push_back({name, LoneShard::frame(header, message)});
  header.partition = beside(lone.partition_of("k"));
  out.push_back({name, LoneShard::frame(header, good)});
  header.partition = LoneShard::kPartitions;
  out.push_back({name, LoneShard::frame(header, good)});
}

void add_bad_forwards(const LoneShard& lone, std::vector<BadFrame>& out) {
  static const std::string kLongType(256, 't');
  const wire::FrameHeader header = lone.header(lone.partition_of("k"), kAsked);
  wire::ForwardWrite good;
  good.bucket = "default";
  good.key = "k";
  good.write_id = WriteId::make(1, WriteId::kRetryable, 1, 1);
  good.receiver_incarnation = {0x1001};
  wire::ForwardWrite message = good;
  message.write_id = {};
  out.push_back({"a forward without id", LoneShard::frame(header, message)});
  message = good;
  message.kind = wire::WriteKind::kPlainPut;
  out.push_back({"a plain write that may be retried", LoneShard::frame(header, message)});
  message = good;
  message.w = 4;
  out.push_back({"W over N", LoneShard::frame(header, message)});
  message = good;
  message.content_type = kLongType;
  out.push_back({"a long content type", LoneShard::frame(header, message)});
}

// All nodes own every range here, so that nobody keeps anything for somebody else.
void add_bad_hints(const LoneShard& lone, std::string_view object, std::vector<BadFrame>& out) {
  const wire::FrameHeader header = lone.header(lone.partition_of("k"), kAsked);
  for (const NodeId intended : {lone.id(2), NodeId{4711}}) {
    out.push_back(
        {"a hint for an owner", LoneShard::frame(header, wire::ReplicaPut{.bucket = "default",
                                                                          .key = "k",
                                                                          .object = object,
                                                                          .intended = intended})});
  }
}

void add_bad_scans(const LoneShard& lone, std::vector<BadFrame>& out) {
  constexpr std::uint64_t kPlaces = (std::uint64_t{1} << kPlaceBits) / LoneShard::kPartitions;
  const wire::FrameHeader header = lone.header({3}, kAsked);
  for (const wire::Scan& message : {wire::Scan{.partition = 4, .from = 4 * kPlaces},
                                    wire::Scan{.partition = 70'000, .from = 3 * kPlaces},
                                    wire::Scan{.partition = UINT32_MAX, .from = 3 * kPlaces},
                                    wire::Scan{.partition = 3, .from = 3 * kPlaces - 1},
                                    wire::Scan{.partition = 3, .from = 4 * kPlaces},
                                    wire::Scan{.partition = 3, .from = UINT64_MAX}}) {
    out.push_back({"scan", LoneShard::frame(header, message)});
  }
}

std::vector<BadFrame> bad_frames(const LoneShard& lone, std::string_view object) {
  std::vector<BadFrame> frames;
  add_bad_keys(lone, "replica_put", wire::ReplicaPut{.object = object}, frames);
  add_bad_keys(lone, "replica_get", wire::ReplicaGet{.value = true}, frames);
  add_bad_keys(lone, "forward_write",
               wire::ForwardWrite{.write_id = WriteId::make(1, WriteId::kRetryable, 1, 1),
                                  .receiver_incarnation = {0x1001}},
               frames);
  add_bad_forwards(lone, frames);
  add_bad_hints(lone, object, frames);
  add_bad_scans(lone, frames);
  return frames;
}

TEST(FrameCheck, EveryBadRequestOfAPeerIsCountedAndRefusedAndDoesNothing) {
  const std::string object = one_version("v");
  for (const BadFrame& bad : bad_frames(LoneShard(), object)) {
    LoneShard lone;              // that has not seen a request of this id
    lone.run(milliseconds(10));  // until it has counted its hints
    const std::uint64_t before = lone.metrics().frames_bad_total;
    const std::size_t scans = lone.script().scans;
    lone.deliver(bad.bytes);
    EXPECT_EQ(lone.metrics().frames_bad_total, before + 1) << bad.name;
    const auto received = lone.take_received();
    ASSERT_EQ(received.size(), 1U) << bad.name;
    ASSERT_EQ(received[0].header.type, wire::MessageType::kRefusal) << bad.name;
    EXPECT_EQ(received[0].as<wire::Refusal>().code, ErrorCode::kBadRequest) << bad.name;
    EXPECT_EQ(received[0].header.request_id, kAsked) << bad.name;
    EXPECT_EQ(lone.script().engine->records(), 0U);
    EXPECT_EQ(lone.script().scans, scans);
  }
}

// What is looked at before its checksum was: a number beyond the partitions may name a place of
// hints, which is another shard's where the number of shards is no power of two.
TEST(FrameCheck, ALookAheadAnnouncesNothingOutsideOfThePartitions) {
  LoneShard lone;
  lone.run(milliseconds(10));
  for (const unsigned place :
       {LoneShard::kPartitions - 1U, LoneShard::kPartitions + 0U, 32'768U, 32'769U, 65'535U}) {
    wire::FrameHeader header = lone.header({1}, kAsked);
    header.partition = static_cast<std::uint16_t>(place);
    lone.deliver(
        LoneShard::frame(header, wire::ReplicaGet{.bucket = "default", .key = "k", .value = true}));
  }
  EXPECT_EQ(lone.script().highest_expected, LoneShard::kPartitions - 1U);
}

TEST(FrameCheck, ABodyThatCannotBeReadIsCountedAndRefused) {
  LoneShard lone;
  std::string bytes;
  const std::size_t at = wire::internal::begin_frame(bytes);
  bytes += "\x01\xFF";
  ASSERT_TRUE(wire::internal::end_frame(bytes, at, lone.header({1}, kAsked),
                                        wire::MessageType::kReplicaPut));
  lone.deliver(bytes);
  EXPECT_EQ(lone.metrics().frames_bad_total, 1U);
  const auto received = lone.take_received();
  ASSERT_EQ(received.size(), 1U);
  EXPECT_EQ(received[0].as<wire::Refusal>().code, ErrorCode::kCorrupt);
}

TEST(FrameCheck, WhatIsAtTheLimitIsServed) {
  LoneShard lone;
  const std::string object = one_version("v");
  const std::string bucket(255, 'b');
  for (const std::string& key : {std::string(), std::string(kKeyBytesHardMax, 'k')}) {
    const PartitionId partition =
        stator::partition_of(position_of(bucket, key), LoneShard::kPartitions);
    wire::ReplicaPut put{.bucket = bucket, .key = key, .object = object};
    lone.deliver(LoneShard::frame(lone.header(partition, kAsked), put));
    const auto received = lone.take_received();
    ASSERT_EQ(received.size(), 1U);
    EXPECT_EQ(received[0].as<wire::ReplicaPutReply>().status, wire::ReplyStatus::kOk);
  }
  EXPECT_EQ(lone.metrics().frames_bad_total, 0U);
}

// What a peer answers to SCAN decides where the walk goes on.
TEST(FrameCheck, AScanAnswerOutOfPlaceCountsAsRefused) {
  LoneShard lone;
  int answers = 0;
  bool ok = true;
  lone.hear_both();
  constexpr std::uint64_t kLast =
      (std::uint64_t{1} << kPlaceBits) / LoneShard::kPartitions * (LoneShard::kPartitions - 1);
  lone.in_turn([&](Shard& shard) {
    shard.scanner().scan({.cursor = kLast, .count = 10}, [&](const Result<ScanResult>& result) {
      ++answers;
      ok = result.has_value();
    });
  });
  // One other owner is asked; when its answer is no good the next one; then nobody is left.
  for (int peers = 0; peers < 2; ++peers) {
    std::vector<LoneShard::Received> asked;
    unsigned who = 2;
    for (; who <= 3; ++who) {
      asked = lone.take_received(who);
      if (!asked.empty()) break;
    }
    ASSERT_EQ(asked.size(), 1U);
    ASSERT_EQ(asked[0].header.type, wire::MessageType::kScan);
    wire::ScanReply reply;
    reply.keys.push_back({.bucket = "default", .key = "elsewhere"});
    ASSERT_NE(lone.partition_of("elsewhere").value, LoneShard::kPartitions - 1);
    const wire::FrameHeader header =
        lone.header({LoneShard::kPartitions - 1}, asked[0].header.request_id, who);
    lone.deliver(LoneShard::frame(header, reply));
  }
  EXPECT_EQ(lone.metrics().frames_bad_total, 2U);
  EXPECT_EQ(answers, 1);
  EXPECT_FALSE(ok);
}

// --- whose request it is (D22) ---------------------------------------------------------------

/// Of each message, one that a sound peer sends, about `partition`. Texts must outlive it.
std::vector<BadFrame> sound_frames(const LoneShard& lone, const wire::FrameHeader& header,
                                   std::string_view object, std::string_view history) {
  const wire::ForwardWrite forward =
      forwarded_write("k", WriteId::make(1'767'225'600'000, WriteId::kRetryable, 1, 1));
  wire::HistoryReply learned;
  learned.entries.push_back(history);
  const std::uint64_t place =
      (std::uint64_t{1} << kPlaceBits) / LoneShard::kPartitions * header.partition;
  return {
      {"replica_put",
       LoneShard::frame(header,
                        wire::ReplicaPut{.bucket = "default", .key = "k", .object = object})},
      {"replica_get",
       LoneShard::frame(header, wire::ReplicaGet{.bucket = "default", .key = "k", .value = true})},
      {"forward_write", LoneShard::frame(header, forward)},
      {"scan", LoneShard::frame(header, wire::Scan{.partition = header.partition, .from = place})},
      {"history_fetch", LoneShard::frame(header, wire::HistoryFetch{.have = {1}})},
      {"history_reply", LoneShard::frame(header, learned)},
      {"ping", LoneShard::frame(header, wire::Ping{.about = lone.id(3)})}};
}

bool is_request_for_data(std::string_view name) {
  return name != "history_fetch" && name != "history_reply" && name != "ping";
}

std::string encoded(const History& history) {
  std::string bytes;
  history.encode(bytes);
  return bytes;
}

History another_history() {
  Founding founding;
  founding.cluster_id = "another";
  founding.founders.push_back({.name = "a", .peer_address = "a:1"});
  const auto complete = complete_founding(founding);
  STATOR_ASSERT(complete.has_value());
  return History::found(founding);
}

// Otherwise the test of what is refused would pass with frames that nobody serves.
TEST(FrameCheck, ARequestUnderTheSameHistoryIsServed) {
  const std::string object = one_version("v");
  const std::string history = encoded(another_history());
  const LoneShard any;
  const auto frames = sound_frames(any, any.header(any.partition_of("k"), kAsked), object, history);
  for (const BadFrame& sound : frames) {
    if (!is_request_for_data(sound.name)) continue;
    LoneShard lone;
    lone.deliver(sound.bytes);
    EXPECT_EQ(lone.metrics().history_refusals_total, 0U) << sound.name;
    EXPECT_EQ(lone.metrics().frames_bad_total, 0U) << sound.name;
    EXPECT_TRUE(lone.take_fetches().empty()) << sound.name;
    const auto received = lone.take_received();
    EXPECT_FALSE(received.empty()) << sound.name;
    for (const auto& answer : received) {
      EXPECT_NE(answer.header.type, wire::MessageType::kRefusal) << sound.name;
    }
  }
}

// Design 4.3 rule 4: who goes by other members may have been removed, or know of a removal.
TEST(FrameCheck, ARequestUnderAnotherHistoryIsRefusedAndTheOtherHistoryAskedFor) {
  const std::string object = one_version("v");
  const std::string history = encoded(another_history());
  const LoneShard any;
  wire::FrameHeader header = any.header(any.partition_of("k"), kAsked);
  header.history = {header.history.value + 1};
  for (const BadFrame& foreign : sound_frames(any, header, object, history)) {
    if (!is_request_for_data(foreign.name)) continue;
    LoneShard lone;
    lone.run(milliseconds(10));  // until it has counted its hints
    const std::size_t scans = lone.script().scans;
    lone.deliver(foreign.bytes);
    EXPECT_EQ(lone.metrics().history_refusals_total, 1U) << foreign.name;
    const auto received = lone.take_received();
    ASSERT_EQ(received.size(), 1U) << foreign.name;
    ASSERT_EQ(received[0].header.type, wire::MessageType::kRefusal) << foreign.name;
    EXPECT_EQ(received[0].header.request_id, kAsked) << foreign.name;
    const auto refusal = received[0].as<wire::Refusal>();
    EXPECT_EQ(refusal.code, ErrorCode::kHistoryMismatch) << foreign.name;
    EXPECT_EQ(refusal.history, lone.history().version()) << foreign.name;
    const auto fetches = lone.take_fetches();
    ASSERT_EQ(fetches.size(), 1U) << foreign.name;
    EXPECT_EQ(fetches[0].as<wire::HistoryFetch>().have, lone.history().version()) << foreign.name;
    EXPECT_TRUE(lone.take_received(3).empty()) << foreign.name;
    EXPECT_TRUE(lone.take_fetches(3).empty()) << foreign.name;
    EXPECT_EQ(lone.script().engine->records(), 0U) << foreign.name;
    EXPECT_EQ(lone.script().submits, 0U) << foreign.name;
    EXPECT_EQ(lone.script().scans, scans) << foreign.name;
  }
}

TEST(FrameCheck, WhoIsRefusedForItsHistoryAsksForTheOther) {
  LoneShard lone;
  wire::Refusal refusal;
  refusal.code = ErrorCode::kOverloaded;
  lone.deliver(LoneShard::frame(lone.header({1}, 0), refusal));
  EXPECT_TRUE(lone.take_fetches().empty());
  refusal.code = ErrorCode::kHistoryMismatch;
  lone.deliver(LoneShard::frame(lone.header({1}, 0), refusal));
  const auto fetches = lone.take_fetches();
  ASSERT_EQ(fetches.size(), 1U);
  EXPECT_EQ(fetches[0].as<wire::HistoryFetch>().have, lone.history().version());
}

TEST(FrameCheck, TheHistoryIsToldToWhoeverHasAnother) {
  LoneShard lone;
  wire::FrameHeader header = lone.header({wire::kNoPartition}, kAsked);
  header.history = {4711};  // as of one that asks because its own is another
  lone.deliver(LoneShard::frame(header, wire::HistoryFetch{.have = header.history}));
  auto received = lone.take_received();
  ASSERT_EQ(received.size(), 1U);
  EXPECT_EQ(received[0].header.request_id, kAsked);
  const auto told = received[0].as<wire::HistoryReply>();
  EXPECT_EQ(told.version, lone.history().version());
  ASSERT_EQ(told.entries.size(), 1U);
  EXPECT_EQ(told.entries[0], encoded(lone.history()));

  lone.deliver(LoneShard::frame(header, wire::HistoryFetch{.have = lone.history().version()}));
  received = lone.take_received();
  ASSERT_EQ(received.size(), 1U);
  EXPECT_TRUE(received[0].as<wire::HistoryReply>().entries.empty());
}

TEST(FrameCheck, AHistoryThatIsToldReachesTheNodeUnlessItCannotBeRead) {
  LoneShard lone;
  const std::string bytes = encoded(another_history());
  wire::HistoryReply reply;
  reply.entries = {std::string_view(bytes).substr(0, bytes.size() - 1), bytes};
  wire::FrameHeader header = lone.header({wire::kNoPartition}, 0);
  header.history = another_history().version();
  lone.deliver(LoneShard::frame(header, reply));
  ASSERT_EQ(lone.histories().size(), 1U);
  EXPECT_EQ(lone.histories()[0].version(), another_history().version());
}

// Of another cluster at the same address, or for another node that had this address.
TEST(FrameCheck, AFrameOfAnotherClusterOrForAnotherNodeIsCountedAndDoesNothing) {
  const std::string object = one_version("v");
  const std::string history = encoded(another_history());
  const LoneShard any;
  const wire::FrameHeader right = any.header(any.partition_of("k"), kAsked);
  wire::FrameHeader of_another_cluster = right;
  of_another_cluster.cluster_tag = cluster_tag("another");
  wire::FrameHeader for_another_node = right;
  for_another_node.receiver = any.id(3);
  for (const wire::FrameHeader& header : {of_another_cluster, for_another_node}) {
    for (const BadFrame& stray : sound_frames(any, header, object, history)) {
      LoneShard lone;
      lone.run(milliseconds(10));
      const std::size_t scans = lone.script().scans;
      lone.deliver(stray.bytes);
      EXPECT_EQ(lone.metrics().frames_bad_total, 1U) << stray.name;
      EXPECT_EQ(lone.metrics().history_refusals_total, 0U) << stray.name;
      for (const unsigned node : {2U, 3U}) {
        EXPECT_TRUE(lone.take_received(node).empty()) << stray.name;
        EXPECT_TRUE(lone.take_fetches(node).empty()) << stray.name;
      }
      EXPECT_TRUE(lone.histories().empty()) << stray.name;
      EXPECT_EQ(lone.script().engine->records(), 0U) << stray.name;
      EXPECT_EQ(lone.script().scans, scans) << stray.name;
    }
  }
}

}  // namespace
}  // namespace stator::node::testing

#include "node/scanner.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "core/version/object_codec.h"
#include "node/frame_check.h"
#include "node/testing/lone_shard.h"
#include "storage/testing/sealed_record.h"

namespace stator::node::testing {
namespace {

// More than a walk takes in one step.
constexpr int kKeys = 3000;

void fill(LoneShard& lone, PartitionId partition) {
  const std::string object = one_version("v");
  for (int i = 0; i < kKeys; ++i) {
    std::string key;
    storage::append_storage_key(kDefaultBucket, "k" + std::to_string(i), key);
    lone.script().engine->put(partition, key,
                              storage::testing::sealed_record(partition, key, {}, object));
  }
}

TEST(Scanner, WhatIsUnderWayWhenTheNodeStopsEndsAndLeavesTheEngineAlone) {
  LoneShard lone;
  fill(lone, {0});
  std::optional<Result<ScanResult>> scanned;
  std::optional<Result<std::uint64_t>> counted;
  const std::string asked =
      LoneShard::frame(lone.header({0}, 77), wire::Scan{.partition = 0, .keys_max = kKeys});
  lone.in_turn([&](Shard& shard) {
    shard.scanner().scan({.cursor = 0, .count = kKeys},
                         [&](const Result<ScanResult>& result) { scanned = result; });
    shard.on_frame(asked);
    shard.scanner().count({{0}}, [&](const Result<std::uint64_t>& keys) { counted = keys; });
    // The count begins in a turn of its own.
    shard.context().env.executor.post([&] {
      EXPECT_GT(lone.script().scans, 0U);
      EXPECT_FALSE(scanned || counted);
      shard.close();
      shard.engine().close([](const Result<void>&) {});
    });
  });
  EXPECT_EQ(lone.script().asked_when_closed, 0U);
  ASSERT_TRUE(scanned && counted);
  ASSERT_FALSE(*scanned);
  EXPECT_EQ(scanned->error().code, ErrorCode::kClosed);
  ASSERT_FALSE(*counted);
  EXPECT_EQ(counted->error().code, ErrorCode::kClosed);
  bool told = false;
  for (const auto& received : lone.take_received()) {
    if (received.header.request_id != 77) continue;
    EXPECT_EQ(received.as<wire::Refusal>().code, ErrorCode::kClosed);
    told = true;
  }
  EXPECT_TRUE(told);
}

TEST(Scanner, WhatComesAfterTheEndFindsNoEngine) {
  LoneShard lone;
  fill(lone, {0});
  int answers = 0;
  lone.in_turn([&](Shard& shard) {
    shard.close();
    shard.engine().close([](const Result<void>&) {});
    shard.scanner().scan({}, [&](const Result<ScanResult>& result) {
      ++answers;
      EXPECT_EQ(result.error().code, ErrorCode::kClosed);
    });
    shard.scanner().count({{0}}, [&](const Result<std::uint64_t>& keys) {
      ++answers;
      EXPECT_EQ(keys.error().code, ErrorCode::kClosed);
    });
    // As it was posted by another shard before that one stopped, too.
    shard.reads().read(kDefaultBucket, "k1", {.r = 1}, [&](const Result<ReadResult>& result) {
      ++answers;
      EXPECT_FALSE(result);
    });
    shard.explainer().explain(kDefaultBucket, "k1", [&](const Result<Explanation>&) { ++answers; });
  });
  lone.run(seconds(3));
  EXPECT_EQ(answers, 4);
  EXPECT_EQ(lone.script().asked_when_closed, 0U);
}

TEST(Scanner, CountsLivingKeys) {
  LoneShard lone;
  fill(lone, {3});
  std::optional<Result<std::uint64_t>> counted;
  lone.in_turn([&](Shard& shard) {
    shard.scanner().count({{2}, {3}}, [&](const Result<std::uint64_t>& keys) { counted = keys; });
  });
  ASSERT_TRUE(counted && *counted);
  EXPECT_EQ(**counted, std::uint64_t{kKeys});
}

std::string storage_key_of(std::string_view key) {
  std::string storage_key;
  storage::append_storage_key(kDefaultBucket, key, storage_key);
  return storage_key;
}

TEST(Scanner, AWalkThatFailsHalfWayIsNotOneThatHasCome) {  // D30
  LoneShard lone;
  fill(lone, {0});
  lone.script().lost.emplace(PartitionId{0}, storage_key_of("k1"));  // behind k0
  std::optional<Result<std::uint64_t>> counted;
  lone.in_turn([&](Shard& shard) {
    shard.scanner().count({{0}}, [&](const Result<std::uint64_t>& keys) { counted = keys; });
  });
  ASSERT_TRUE(counted);
  ASSERT_FALSE(*counted);
  EXPECT_EQ(counted->error().code, ErrorCode::kUnreadable);
  lone.take_received();
  lone.deliver(LoneShard::frame(lone.header({0}, 77), wire::Scan{.partition = 0, .keys_max = 10}));
  const auto received = lone.take_received();
  ASSERT_EQ(received.size(), 1U);
  ASSERT_EQ(received[0].header.type, wire::MessageType::kRefusal);
  EXPECT_EQ(received[0].as<wire::Refusal>().code, ErrorCode::kUnreadable);
  EXPECT_EQ(lone.metrics().scans_failed_total, 2U);
}

/// A version as a replica holds it and as another one tells it.
struct Held {
  std::uint64_t time = 0;  // 0: this replica does not know the key
  WallTime expires_at{};
  bool tombstone = false;
  std::uint64_t writer = 7;
};

void hold(LoneShard& lone, PartitionId partition, const std::string& key, const Held& held) {
  if (held.time == 0) return;
  Object object;
  Write write;
  write.id = {WriteId::kRetryable << 12, held.writer};
  write.time = {held.time};
  write.expires_at = held.expires_at;
  write.tombstone = held.tombstone;
  stator::put(object, write, Context{}, {{Incarnation{held.writer}, 1}, 1}, WallTime{});
  std::string bytes;
  encode_object(object, bytes);
  std::string storage_key;
  storage::append_storage_key(kDefaultBucket, key, storage_key);
  lone.script().engine->put(partition, storage_key,
                            storage::testing::sealed_record(partition, storage_key, {}, bytes));
}

wire::ScannedKey told(const std::string& key, const Held& held) {
  return {.bucket = kDefaultBucket,
          .key = key,
          .time = {held.time},
          .event = {{Incarnation{held.writer}, 1}, 1},
          .expires_at = held.expires_at,
          .tombstone = held.tombstone};
}

WallTime guarded_now(LoneShard& lone) {
  WallTime now;
  lone.in_turn([&](Shard& shard) { now = shard.context().guarded_now(); });
  return now;
}

constexpr PartitionId kLastPartition{LoneShard::kPartitions - 1};
constexpr std::uint64_t kLastPlaces =
    (std::uint64_t{1} << kPlaceBits) / LoneShard::kPartitions * (LoneShard::kPartitions - 1);

/// So many keys of the last partition, in ring order.
std::vector<std::string> last_keys(const LoneShard& lone, std::size_t count) {
  std::vector<std::string> keys;
  for (int i = 0; keys.size() < count; ++i) {
    const std::string key = "k" + std::to_string(i);
    if (lone.partition_of(key) == kLastPartition) keys.push_back(key);
  }
  std::sort(keys.begin(), keys.end(), [](const std::string& a, const std::string& b) {
    return place_of(kDefaultBucket, a) < place_of(kDefaultBucket, b);
  });
  return keys;
}

/// What a SCAN of the last partition shows when the other replica that is asked says `reply`.
std::vector<std::string> scan_with(LoneShard& lone, const wire::ScanReply& reply) {
  lone.hear_both();
  std::optional<Result<ScanResult>> scanned;
  lone.in_turn([&](Shard& shard) {
    shard.scanner().scan({.cursor = kLastPlaces, .count = 100},
                         [&](const Result<ScanResult>& result) { scanned = result; });
  });
  for (const unsigned peer : {2U, 3U}) {
    for (const auto& asked : lone.take<wire::Scan>(peer)) {
      lone.deliver(
          LoneShard::frame(lone.header(kLastPartition, asked.header.request_id, peer), reply));
    }
  }
  std::vector<std::string> keys;
  EXPECT_TRUE(scanned && *scanned);
  if (scanned && *scanned) {
    for (const ScannedKey& found : (*scanned)->keys) keys.push_back(found.key);
  }
  return keys;
}

// Design 4.2: expiry is judged by the coordinator alone. What replicas know is merged as in a plain
// read: the latest version counts, of equal times the one of the later event.
TEST(Scanner, OfSeveralAnswersTheLatestVersionCountsAndTheAskersTimeJudgesIt) {
  LoneShard lone;
  const WallTime past = guarded_now(lone);
  const WallTime future = past + seconds(3600);
  lone.run(seconds(1));
  struct Case {
    const char* name;
    Held own;
    Held other;
    bool shown;
  };
  const std::vector<Case> cases = {
      {"both know it", {.time = 5}, {.time = 5}, true},
      {"only the other knows it, not expired yet", {}, {.time = 5, .expires_at = future}, true},
      {"only the other knows it, expired", {}, {.time = 5, .expires_at = past}, false},
      {"only here, not expired yet", {.time = 5, .expires_at = future}, {}, true},
      {"only here, expired", {.time = 5, .expires_at = past}, {}, false},
      {"the later one has expired", {.time = 5}, {.time = 6, .expires_at = past}, false},
      {"the earlier one has expired", {.time = 5, .expires_at = past}, {.time = 6}, true},
      {"deleted later", {.time = 5}, {.time = 6, .tombstone = true}, false},
      {"deleted earlier", {.time = 5}, {.time = 4, .tombstone = true}, true},
      {"written again here", {.time = 6}, {.time = 5, .expires_at = past}, true},
      {"at one time, the later event lives",
       {.time = 5, .tombstone = true, .writer = 7},
       {.time = 5, .writer = 8},
       true},
      {"at one time, the later event is here and deletes",
       {.time = 5, .tombstone = true, .writer = 9},
       {.time = 5, .writer = 8},
       false},
  };
  const std::vector<std::string> keys = last_keys(lone, cases.size());
  wire::ScanReply reply;
  reply.done = true;
  std::vector<std::string> expected;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    hold(lone, kLastPartition, keys[i], cases[i].own);
    if (cases[i].other.time != 0) reply.keys.push_back(told(keys[i], cases[i].other));
    if (cases[i].shown) expected.push_back(keys[i]);
  }
  const std::vector<std::string> shown = scan_with(lone, reply);
  for (std::size_t i = 0; i < cases.size(); ++i) {
    EXPECT_EQ(std::count(shown.begin(), shown.end(), keys[i]), cases[i].shown) << cases[i].name;
  }
  EXPECT_EQ(shown, expected);
}

// D30: neither a block that cannot be read nor a record that fails its checksum is "not there".
TEST(Scanner, WhatThisNodeCannotReadTheOtherOwnersAreAskedFor) {
  for (const bool block : {true, false}) {
    LoneShard lone;
    const std::vector<std::string> keys = last_keys(lone, 2);
    for (const std::string& key : keys) hold(lone, kLastPartition, key, {.time = 5});
    const std::string storage_key = storage_key_of(keys[1]);
    if (block) {
      lone.script().lost.emplace(kLastPartition, storage_key);
    } else {
      lone.script().engine->put(kLastPartition, storage_key, "rotten");
    }
    wire::ScanReply reply;
    reply.done = true;
    for (const std::string& key : keys) reply.keys.push_back(told(key, {.time = 5}));
    EXPECT_EQ(scan_with(lone, reply), keys) << block;
    EXPECT_EQ(lone.metrics().scans_failed_total, block ? 1U : 0U);
    EXPECT_GE(lone.metrics().records_unreadable_total, block ? 0U : 1U);
    if (block) continue;
    std::optional<Result<std::uint64_t>> counted;
    lone.in_turn([&](Shard& shard) {
      shard.scanner().count({kLastPartition},
                            [&](const Result<std::uint64_t>& count) { counted = count; });
    });
    ASSERT_TRUE(counted && *counted);
    EXPECT_EQ(**counted, 2U) << "it is there";
  }
}

TEST(Scanner, AReplicaTellsWhatItKnowsAndJudgesNothing) {
  LoneShard lone;
  const WallTime past = guarded_now(lone);
  lone.run(seconds(1));
  const std::vector<std::string> keys = last_keys(lone, 3);
  const std::vector<Held> held = {{.time = 5, .expires_at = past, .writer = 11},
                                  {.time = 6, .expires_at = past + seconds(3600), .writer = 12},
                                  {.time = 7, .tombstone = true, .writer = 13}};
  for (std::size_t i = 0; i < keys.size(); ++i) hold(lone, kLastPartition, keys[i], held[i]);
  lone.deliver(LoneShard::frame(
      lone.header(kLastPartition, 77),
      wire::Scan{.partition = kLastPartition.value, .from = kLastPlaces, .keys_max = 10}));
  const auto received = lone.take_received();
  ASSERT_EQ(received.size(), 1U);
  const auto reply = received[0].as<wire::ScanReply>();
  ASSERT_EQ(reply.keys.size(), keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) EXPECT_EQ(reply.keys[i], told(keys[i], held[i]));
}

// Whoever asks goes on until an answer says that it was the last (D35).
TEST(Scanner, AnAnswerMayHaveOneKeyAlthoughThereAreMore) {
  LoneShard lone;
  const std::vector<std::string> keys = last_keys(lone, 3);
  for (const std::string& key : keys) hold(lone, kLastPartition, key, {.time = 5});
  lone.world().buggify().force("scan: one key at a time");
  std::vector<std::string> found;
  std::uint64_t from = kLastPlaces;
  bool done = false;
  for (int step = 0; step < 5 && !done; ++step) {
    lone.deliver(LoneShard::frame(
        lone.header(kLastPartition, 77),
        wire::Scan{.partition = kLastPartition.value, .from = from, .keys_max = 10}));
    const auto received = lone.take<wire::ScanReply>();
    ASSERT_EQ(received.size(), 1U);
    const auto reply = received[0].as<wire::ScanReply>();
    done = reply.done;
    ASSERT_EQ(reply.keys.size(), 1U);
    found.emplace_back(reply.keys[0].key);
    from = place_of(reply.keys[0].bucket, reply.keys[0].key) + 1;
  }
  EXPECT_TRUE(done);
  EXPECT_EQ(found, keys);
}

// DBSIZE counts this node's own copies by this node's own time.
TEST(Scanner, CountsWhatHasNotExpiredNorIsDeleted) {
  LoneShard lone;
  const WallTime past = guarded_now(lone);
  lone.run(seconds(1));
  const std::vector<std::string> keys = last_keys(lone, 4);
  hold(lone, kLastPartition, keys[0], {.time = 5});
  hold(lone, kLastPartition, keys[1], {.time = 5, .expires_at = past});
  hold(lone, kLastPartition, keys[2], {.time = 5, .expires_at = past + seconds(3600)});
  hold(lone, kLastPartition, keys[3], {.time = 5, .tombstone = true});
  std::optional<Result<std::uint64_t>> counted;
  lone.in_turn([&](Shard& shard) {
    shard.scanner().count({kLastPartition},
                          [&](const Result<std::uint64_t>& count) { counted = count; });
  });
  ASSERT_TRUE(counted && *counted);
  EXPECT_EQ(**counted, 2U);
}

}  // namespace
}  // namespace stator::node::testing

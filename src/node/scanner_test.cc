#include "node/scanner.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "node/testing/lone_shard.h"

namespace stator::node::testing {
namespace {

// More than a walk takes in one step.
constexpr int kKeys = 3000;

void fill(LoneShard& lone, PartitionId partition) {
  const std::string object = one_version("v");
  for (int i = 0; i < kKeys; ++i) {
    std::string key;
    storage::append_storage_key(kDefaultBucket, "k" + std::to_string(i), key);
    std::string record;
    storage::seal_record(partition, key, {}, object, record);
    lone.script().engine->put(partition, key, record);
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

}  // namespace
}  // namespace stator::node::testing

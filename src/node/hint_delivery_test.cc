#include "node/hint_delivery.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/version/object_codec.h"
#include "node/hint_place.h"
#include "node/testing/lone_shard.h"
#include "storage/testing/sealed_record.h"

namespace stator::node::testing {
namespace {

/// One shard that keeps hints for n2, which the test plays.
class HintDeliveryTest : public ::testing::Test {
 protected:
  void SetUp() override { hear(); }

  // Both answer, so that they count as healthy.
  void hear() {
    for (const unsigned node : {2U, 3U}) {
      lone.deliver(LoneShard::frame(lone.header({wire::kNoPartition}, 0, node), wire::Pong{}));
    }
  }
  void run(Duration time) {
    for (const MonoTime end = lone.world().now() + time; lone.world().now() < end;) {
      hear();
      lone.run(milliseconds(100));
    }
  }
  void keep(std::string_view key, std::string_view object) {
    lone.in_turn([&](Shard& shard) { keep_in(shard, key, object); });
  }
  void keep_in(Shard& shard, std::string_view key, std::string_view object) {
    ShardContext& context = shard.context();
    const PartitionId place = hint_partition(lone.partition_of(key));
    const std::string hint_key = hint_key_of(key);
    context.records->load(place, hint_key, [&](const RecordStore::Loaded& loaded) {
      context.hints.stored(place, hint_key, loaded.payload.size(), object.size(),
                           {.wall = context.guarded_now(), .batch = context.records->staging()});
      context.records->begin_store(place, hint_key).append(object);
      context.records->finish_store({}, true, [](const Result<void>&) {});
    });
  }
  [[nodiscard]] std::string hint_key_of(std::string_view key) const {
    std::string storage_key;
    storage::append_storage_key(kDefaultBucket, key, storage_key);
    std::string hint_key;
    append_hint_key(lone.id(2), storage_key, hint_key);
    return hint_key;
  }
  /// So many keys of a range, in the order in which their hints stand.
  [[nodiscard]] std::vector<std::string> keys_in(PartitionId range, std::size_t count) const {
    std::vector<std::string> keys;
    for (int i = 0; keys.size() < count; ++i) {
      if (lone.partition_of(std::to_string(i)) == range) keys.push_back(std::to_string(i));
    }
    std::sort(keys.begin(), keys.end());
    return keys;
  }
  std::uint64_t pending() {
    std::uint64_t keys = 0;
    lone.in_turn([&](Shard& shard) { keys = shard.context().hints.keys(); });
    return keys;
  }
  std::vector<LoneShard::Received> take_puts() { return lone.take<wire::ReplicaPut>(); }
  /// `pause`: how long the owner wants nothing more (D15).
  void answer(const LoneShard::Received& put, wire::ReplyStatus status, Duration pause = {}) {
    Object object;
    ASSERT_TRUE(decode_object(put.as<wire::ReplicaPut>().object, object));
    wire::ReplicaPutReply reply;
    reply.status = status;
    reply.digest = digest(object);
    reply.durable = true;
    reply.pause_us = static_cast<std::uint32_t>(pause.us());
    lone.deliver(
        LoneShard::frame(lone.header({put.header.partition}, put.header.request_id), reply));
  }
  struct Served {
    std::uint64_t hints = 0;
    std::uint64_t pace = 0;  // the highest that they asked for
    std::uint64_t last_pace = 0;
  };
  /// The owner takes what comes, for so long.
  Served serve(Duration time) {
    Served served;
    for (const MonoTime end = lone.world().now() + time; lone.world().now() < end;) {
      hear();
      for (const auto& put : take_puts()) {
        ++served.hints;
        served.last_pace = put.as<wire::ReplicaPut>().pace;
        served.pace = std::max(served.pace, served.last_pace);
        answer(put, wire::ReplyStatus::kOk);
      }
    }
    return served;
  }
  /// The owner is not heard, for so long.
  void silence(Duration time) {
    for (const MonoTime end = lone.world().now() + time; lone.world().now() < end;) {
      lone.deliver(LoneShard::frame(lone.header({wire::kNoPartition}, 0, 3), wire::Pong{}));
      lone.run(milliseconds(90));
    }
    lone.in_turn([&](Shard& shard) {
      EXPECT_EQ(shard.peers().fitness(lone.id(2), Purpose::kWrite), Fitness::kUnfit);
    });
  }
  /// All at once, so that one walk meets them.
  void keep_large(int hints) {
    const std::string object = one_version(std::string(300'000, 'v'));
    lone.in_turn([&](Shard& shard) {
      for (int i = 0; i < hints; ++i) keep_in(shard, "large" + std::to_string(i), object);
    });
  }
  /// The owner takes all that comes; the keys of that.
  std::set<std::string> deliver_for(Duration time) {
    std::set<std::string> keys;
    for (const MonoTime end = lone.world().now() + time; lone.world().now() < end;) {
      run(milliseconds(100));
      for (const auto& put : take_puts()) {
        keys.emplace(put.as<wire::ReplicaPut>().key);
        answer(put, wire::ReplyStatus::kOk);
      }
    }
    return keys;
  }
  [[nodiscard]] std::size_t stored() { return lone.script().engine->records(); }

  LoneShard lone;
};

TEST_F(HintDeliveryTest, AHintIsDeletedWhenItsOwnerSaysThatItHasIt) {  // D14
  const std::string object = one_version("v");
  keep("k", object);
  run(milliseconds(100));
  auto puts = take_puts();
  ASSERT_EQ(puts.size(), 1U);
  const auto put = puts[0].as<wire::ReplicaPut>();
  EXPECT_EQ(put.object, object);
  EXPECT_EQ(put.durability, wire::Durability::kDurable);
  EXPECT_TRUE(put.repair) << "it counts for nobody";
  EXPECT_GE(put.pace, DrainPace::kTrickle) << "what it may ask for and still get all in time";
  EXPECT_FALSE(put.intended) << "for the receiver itself";
  answer(puts[0], wire::ReplyStatus::kFailed);
  EXPECT_EQ(pending(), 1U);
  EXPECT_EQ(stored(), 1U);
  run(seconds(3));
  puts = take_puts();
  ASSERT_EQ(puts.size(), 1U) << "again, and not in a hurry";
  answer(puts[0], wire::ReplyStatus::kOk);
  EXPECT_EQ(pending(), 0U);
  EXPECT_EQ(stored(), 0U);
  EXPECT_EQ(lone.metrics().hints_delivered_total, 1U);
}

TEST_F(HintDeliveryTest, NoAnswerToAnotherObjectDeletesAHint) {
  keep("k", one_version("v"));
  run(milliseconds(100));
  const auto first = take_puts();
  ASSERT_EQ(first.size(), 1U);
  keep("k", one_version("w", 8));
  answer(first[0], wire::ReplyStatus::kOk);
  run(milliseconds(100));
  const auto second = take_puts();
  ASSERT_EQ(second.size(), 1U) << "it has changed: it goes out again";
  EXPECT_EQ(second[0].as<wire::ReplicaPut>().object, one_version("w", 8));
  answer(first[0], wire::ReplyStatus::kOk);  // comes twice
  EXPECT_EQ(pending(), 1U);
  EXPECT_EQ(stored(), 1U);
  answer(second[0], wire::ReplyStatus::kOk);
  EXPECT_EQ(pending(), 0U);
  EXPECT_EQ(stored(), 0U);
}

// D15, G22: an owner that has just come back is not flooded, and yet gets all of it (D14).
TEST_F(HintDeliveryTest, ABacklogLeavesSlowlyAtFirstAndNeverInABurst) {
  constexpr std::uint64_t kHints = 1'000;
  constexpr double kPerSecond =
      static_cast<double>(DrainPace::kSmall) / BackgroundBudget::kPieceCost;
  lone.in_turn([&](Shard& shard) {
    for (std::uint64_t i = 0; i < kHints; ++i) keep_in(shard, std::to_string(i), one_version("v"));
  });
  const MonoTime began = lone.world().now();
  MonoTime looked = began - milliseconds(10);  // the turn in which they came
  std::uint64_t sent = 0;
  std::uint64_t in_first_second = 0;
  while (pending() > 0) {
    hear();
    const auto puts = take_puts();
    const MonoTime now = lone.world().now();
    const double passed_s = static_cast<double>((now - looked + DrainPace::kBurst).ns) / 1e9;
    looked = now;
    EXPECT_LE(static_cast<double>(puts.size()), 2 + kPerSecond * passed_s);
    sent += puts.size();
    if (now - began < seconds(1)) in_first_second = sent;
    ASSERT_LT(now - began, seconds(60));
    for (const auto& put : puts) answer(put, wire::ReplyStatus::kOk);
  }
  EXPECT_EQ(sent, kHints);
  EXPECT_GT(in_first_second, 10U);
  EXPECT_LE(in_first_second, DrainPace::kStart / BackgroundBudget::kPieceCost + 2);
}

// D15: the receiver paces. What is under way when it asks for a pause is one window at most.
TEST_F(HintDeliveryTest, AnOwnerThatAsksForAPauseGetsNothingBeforeItIsOver) {
  constexpr std::size_t kHints = 3 * HintDelivery::kWindow;
  // All of one range: a walk goes through them one after the other.
  const PartitionId range = lone.partition_of("0");
  std::size_t kept = 0;
  for (int i = 0; kept < kHints; ++i) {
    const std::string key = std::to_string(i);
    if (lone.partition_of(key) != range) continue;
    keep(key, one_version("v"));
    ++kept;
  }
  run(milliseconds(100));
  const auto first = take_puts();  // what stood there when the walk began
  ASSERT_FALSE(first.empty());
  ASSERT_LE(first.size(), HintDelivery::kWindow);
  answer(first[0], wire::ReplyStatus::kOk, seconds(3));
  for (std::size_t i = 1; i < first.size(); ++i) answer(first[i], wire::ReplyStatus::kOk);
  run(milliseconds(2'500));
  EXPECT_TRUE(take_puts().empty()) << "no answer that asks for less ends the pause";
  EXPECT_EQ(pending(), kHints - first.size());
  run(seconds(1));
  const auto second = take_puts();
  ASSERT_EQ(second.size(), HintDelivery::kWindow);
  for (const auto& put : second) answer(put, wire::ReplyStatus::kOk);
  run(milliseconds(100));
  EXPECT_EQ(take_puts().size(), HintDelivery::kWindow) << "and no pause is kept";
}

// D14, in the two rare ways that the simulator has it take.
TEST_F(HintDeliveryTest, OneAtATimeAllOfThemLeave) {
  constexpr std::uint64_t kHints = 5;
  for (std::uint64_t i = 0; i < kHints; ++i) keep(std::to_string(i), one_version("v"));
  // What has left by now does so before.
  lone.world().buggify().force("hint: one at a time");
  run(milliseconds(100));
  for (const auto& put : take_puts()) answer(put, wire::ReplyStatus::kOk);
  for (int round = 0; round < 50 && pending() > 0; ++round) {
    run(milliseconds(200));
    const auto puts = take_puts();
    ASSERT_LE(puts.size(), 1U);
    for (const auto& put : puts) answer(put, wire::ReplyStatus::kOk);
  }
  EXPECT_EQ(pending(), 0U);
  EXPECT_EQ(stored(), 0U);
  EXPECT_EQ(lone.metrics().hints_delivered_total, kHints);
}

TEST_F(HintDeliveryTest, WhatIsGivenUpEarlyIsDeliveredAgainAndALateAnswerDeletesNothing) {
  lone.world().buggify().force("hint: given up early");
  keep("k", one_version("v"));
  run(milliseconds(100));
  const auto first = take_puts();
  ASSERT_EQ(first.size(), 1U);
  answer(first[0], wire::ReplyStatus::kOk);
  EXPECT_EQ(pending(), 1U);
  EXPECT_EQ(stored(), 1U);
  lone.world().buggify().on = false;
  run(seconds(3));
  const auto second = take_puts();
  ASSERT_EQ(second.size(), 1U);
  answer(second[0], wire::ReplyStatus::kOk);
  EXPECT_EQ(pending(), 0U);
  EXPECT_EQ(stored(), 0U);
}

TEST_F(HintDeliveryTest, WhatHasChangedMeanwhileWaitsForTheEndOfThePauseToo) {  // D14, D15
  keep("k", one_version("v"));
  run(milliseconds(100));
  const auto first = take_puts();
  ASSERT_EQ(first.size(), 1U);
  keep("k", one_version("w", 8));
  answer(first[0], wire::ReplyStatus::kOk, seconds(3));
  run(milliseconds(2'500));
  EXPECT_TRUE(take_puts().empty());
  EXPECT_EQ(pending(), 1U);
  run(seconds(1));
  const auto second = take_puts();
  ASSERT_EQ(second.size(), 1U);
  EXPECT_EQ(second[0].as<wire::ReplicaPut>().object, one_version("w", 8));
  answer(second[0], wire::ReplyStatus::kOk);
  EXPECT_EQ(pending(), 0U);
}

TEST_F(HintDeliveryTest, AHintWhoseDeletionFailedIsDeliveredOnceMore) {
  keep("k", one_version("v"));
  run(milliseconds(100));
  auto puts = take_puts();
  ASSERT_EQ(puts.size(), 1U);
  lone.script().forgets = true;
  lone.script().outcome = std::unexpected(Error{.code = ErrorCode::kDiskFull});
  answer(puts[0], wire::ReplyStatus::kOk);
  EXPECT_EQ(pending(), 1U);
  EXPECT_EQ(stored(), 1U);
  lone.script().outcome = {};
  run(seconds(4));
  puts = take_puts();
  ASSERT_EQ(puts.size(), 1U);
  answer(puts[0], wire::ReplyStatus::kOk);
  EXPECT_EQ(pending(), 0U);
  EXPECT_EQ(stored(), 0U);
}

TEST_F(HintDeliveryTest, WhatIsCountedAndIsNotThereIsCountedNoMore) {
  lone.script().forgets = true;
  lone.script().outcome = std::unexpected(Error{.code = ErrorCode::kDiskFull});
  keep("k", one_version("v"));
  EXPECT_EQ(stored(), 0U);
  run(seconds(4));
  EXPECT_EQ(pending(), 0U);
}

// D30: what cannot be read fails alone. It holds up no other range, and nobody takes it for gone.
TEST_F(HintDeliveryTest, ARangeThatCannotBeReadToItsEndIsNotOneThatHasNoMore) {  // D14
  const std::vector<std::string> keys = keys_in({3}, 3);
  const std::string other = keys_in({9}, 1).front();
  lone.in_turn([&](Shard& shard) {
    for (const std::string& key : keys) keep_in(shard, key, one_version("v"));
    keep_in(shard, other, one_version("v"));
  });
  lone.script().lost.emplace(hint_partition({3}), hint_key_of(keys[1]));
  EXPECT_EQ(deliver_for(seconds(20)), (std::set<std::string>{keys[0], other}));
  EXPECT_EQ(pending(), 2U);
  EXPECT_EQ(stored(), 2U);
  EXPECT_GE(lone.metrics().scans_failed_total, 2U);
  lone.script().lost.clear();
  EXPECT_EQ(deliver_for(seconds(20)), (std::set<std::string>{keys[1], keys[2]}));
  EXPECT_EQ(pending(), 0U);
  EXPECT_EQ(stored(), 0U);
}

TEST_F(HintDeliveryTest, WhatCannotBeCountedAtAStartHoldsUpNothingAndIsCountedWhenItCanBe) {  // D14
  const std::vector<std::string> keys = keys_in({3}, 3);
  const std::string other = keys_in({9}, 1).front();
  for (const std::string& key : {keys[0], keys[1], keys[2], other}) {
    const PartitionId place = hint_partition(lone.partition_of(key));
    const std::string hint_key = hint_key_of(key);
    lone.script().engine->put(
        place, hint_key, storage::testing::sealed_record(place, hint_key, {}, one_version("v")));
  }
  lone.script().lost.emplace(hint_partition({3}), hint_key_of(keys[1]));
  HintBacklog* hints = nullptr;
  std::unique_ptr<HintRecount> recount;
  int told = 0;
  lone.in_turn([&](Shard& shard) {
    hints = &shard.context().hints;
    *hints = HintBacklog();  // as after a start
    recount = std::make_unique<HintRecount>(shard.context());
    recount->start([&told] { ++told; });
  });
  lone.run(milliseconds(100));
  EXPECT_EQ(told, 1);
  EXPECT_TRUE(hints->walked());
  EXPECT_FALSE(hints->counted());
  EXPECT_EQ(hints->keys(), 2U) << "in front of it, and in another range";
  EXPECT_FALSE(hints->none_in({3}));
  EXPECT_TRUE(hints->none_in({5}));
  lone.run(seconds(25));
  EXPECT_EQ(told, 3);
  EXPECT_EQ(hints->keys(), 2U) << "and not again each time";
  lone.script().lost.clear();
  lone.run(seconds(10));
  EXPECT_TRUE(hints->counted());
  EXPECT_EQ(hints->keys(), 4U);
}

// A slow disk: for a long time no walk can meet what waits for it.
TEST_F(HintDeliveryTest, AHintThatWaitsForTheEngineStaysCounted) {
  lone.script().hold_writes = true;
  keep("under way", one_version("a"));
  keep("waits", one_version("b"));
  EXPECT_EQ(stored(), 1U);
  run(seconds(15));
  EXPECT_EQ(pending(), 2U);
  lone.script().hold_writes = false;
  lone.in_turn([&](Shard&) { lone.script().engine->release(); });
  EXPECT_EQ(stored(), 2U);
  take_puts();
  run(seconds(20));
  EXPECT_GE(take_puts().size(), 2U);
}

// It keeps the walk going for ever, and with it what was asked for at the worst moment.
TEST_F(HintDeliveryTest, ADamagedHintIsNoReasonToAskForMore) {  // D15, D30
  keep("damaged", "no object");
  keep_large(10);
  const Served served = serve(seconds(20));
  EXPECT_EQ(served.hints, 10U);
  ASSERT_GT(served.pace, DrainPace::kTrickle);
  ASSERT_EQ(pending(), 1U);
  keep("late", one_version("v"));
  const Served late = serve(seconds(3));
  EXPECT_EQ(late.hints, 1U);
  EXPECT_EQ(late.pace, DrainPace::kTrickle);
  EXPECT_EQ(pending(), 1U) << "damaged, and kept";
}

TEST_F(HintDeliveryTest, AHintThatFailedIsAskedForAsBeforeThoughItIsTheLast) {  // G22
  keep_large(10);
  run(milliseconds(100));
  const auto first = take_puts();
  ASSERT_EQ(first.size(), 1U);
  answer(first[0], wire::ReplyStatus::kFailed);
  const Served served = serve(seconds(20));
  EXPECT_EQ(served.hints, 10U);
  EXPECT_EQ(pending(), 0U);
  EXPECT_GT(served.pace, DrainPace::kTrickle);
  EXPECT_EQ(served.last_pace, served.pace) << "its time has not begun anew with the second walk";
}

TEST_F(HintDeliveryTest, AnOwnerThatComesAndGoesIsNotDeliveredToSlowlyEachTime) {  // D14, D15
  constexpr std::uint64_t kInFirstSecond = DrainPace::kStart / BackgroundBudget::kPieceCost + 2;
  constexpr std::uint64_t kInSecondSecond = 2 * kInFirstSecond;
  lone.in_turn([&](Shard& shard) {
    for (int i = 0; i < 3'000; ++i) keep_in(shard, std::to_string(i), one_version("v"));
  });
  serve(seconds(6));
  silence(seconds(3));
  serve(seconds(1));  // a second may pass until it is seen to be back
  EXPECT_GT(serve(seconds(1)).hints, kInSecondSecond + HintDelivery::kWindow);
  silence(seconds(12));
  take_puts();  // given up
  EXPECT_LE(serve(seconds(1)).hints, kInFirstSecond) << "it may have started anew";
  EXPECT_GT(serve(seconds(3)).hints, 0U);
  EXPECT_GT(pending(), 0U);
}

TEST_F(HintDeliveryTest, FewLargeObjectsAreUnderWayAtOnce) {
  const std::string value(300'000, 'v');
  for (int i = 0; i < 20; ++i) keep("k" + std::to_string(i), one_version(value));
  std::size_t delivered = 0;
  for (int round = 0; round < 200 && delivered < 20; ++round) {
    run(milliseconds(100));
    const auto puts = take_puts();
    EXPECT_LE(puts.size(), 4U);
    for (const auto& put : puts) answer(put, wire::ReplyStatus::kOk);
    delivered = lone.metrics().hints_delivered_total;
  }
  EXPECT_EQ(delivered, 20U);
  EXPECT_EQ(stored(), 0U);
}

}  // namespace
}  // namespace stator::node::testing

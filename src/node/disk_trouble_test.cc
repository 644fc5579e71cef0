// What one shard does while its disk is full or failing, and about records that it cannot read.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/version/object_codec.h"
#include "node/testing/lone_shard.h"

namespace stator::node::testing {
namespace {

constexpr std::uint64_t kAsked = 77;
constexpr std::string_view kKey = "k";
const WriteId kRetryable = WriteId::make(1'767'225'600'000, WriteId::kRetryable, 1, 1);
const WriteId kMintedOnce = WriteId::make(1'767'225'600'000, WriteId::kMintedOnce, 1, 1);

class DiskTrouble : public ::testing::Test {
 protected:
  [[nodiscard]] PartitionId place() const { return lone.partition_of(kKey); }
  void set_disk(DiskState state) {
    lone.in_turn([state](Shard& shard) { shard.context().disk = state; });
  }
  template <typename Message>
  std::vector<LoneShard::Received> ask(const Message& message, std::uint64_t request_id = kAsked) {
    lone.take_received();
    lone.deliver(LoneShard::frame(lone.header(place(), request_id), message));
    std::vector<LoneShard::Received> answers;
    for (auto& received : lone.take_received()) {
      const bool answers_it = received.header.request_id == request_id;
      (answers_it ? answers : asked_).push_back(std::move(received));
    }
    return answers;
  }
  wire::ReplicaPutReply put(const std::string& object, bool repair, bool restores = false) {
    wire::ReplicaPut message{.bucket = kDefaultBucket, .key = kKey, .object = object};
    message.repair = repair;
    message.restores = restores;
    answer_ = ask(message).at(0);
    return answer_.as<wire::ReplicaPutReply>();
  }
  wire::ReplicaGetReply get() {
    const wire::ReplicaGet message{.bucket = kDefaultBucket, .key = kKey, .value = true};
    answer_ = ask(message).at(0);
    return answer_.as<wire::ReplicaGetReply>();
  }
  [[nodiscard]] std::string storage_key() const {
    std::string key;
    storage::append_storage_key(kDefaultBucket, kKey, key);
    return key;
  }
  void damage() {
    lone.in_turn([this](Shard&) { lone.script().engine->put(place(), storage_key(), "rotten"); });
  }
  /// The other two owners hold `object`, and answer what they are asked.
  void others_answer(const std::string& object) {
    for (int step = 0; step < 6; ++step) {
      for (const unsigned node : {2U, 3U}) {
        auto came = lone.take_received(node);
        if (node == 2) came.insert(came.end(), asked_.begin(), asked_.end());
        if (node == 2) asked_.clear();
        for (const auto& received : came) {
          if (received.header.type != wire::MessageType::kReplicaGet) continue;
          wire::ReplicaGetReply reply;
          Object decoded;
          ASSERT_TRUE(decode_object(object, decoded));
          reply.digest = digest(decoded);
          if (received.as<wire::ReplicaGet>().value) reply.object = object;
          lone.deliver(
              LoneShard::frame(lone.header(place(), received.header.request_id, node), reply));
        }
      }
    }
  }

  LoneShard lone;
  LoneShard::Received answer_;
  std::vector<LoneShard::Received> asked_;  // what came to node 2 beside answers
};

TEST_F(DiskTrouble, ARefusingNodeTakesRepairsAndServesReadsOnly) {  // D29, D17
  const std::string object = one_version("v");
  set_disk(DiskState::kRefusing);
  const auto refused = put(object, /*repair=*/false);
  EXPECT_EQ(refused.status, wire::ReplyStatus::kFailed);
  EXPECT_EQ(refused.code, ErrorCode::kDiskFull);
  EXPECT_EQ(put(object, /*repair=*/true).status, wire::ReplyStatus::kOk);
  EXPECT_EQ(get().object, object);
}

TEST_F(DiskTrouble, AReadOnlyNodeStoresNothing) {  // D29
  const std::string object = one_version("v");
  for (const DiskState state : {DiskState::kReadOnly, DiskState::kFull, DiskState::kFailed}) {
    set_disk(state);
    EXPECT_EQ(put(object, /*repair=*/true).code, refusal_of(state));
    EXPECT_EQ(put(object, /*repair=*/false).code, refusal_of(state));
  }
  EXPECT_EQ(lone.script().submits, 0U);
  EXPECT_EQ(get().status, wire::ReplyStatus::kMissing);
}

TEST_F(DiskTrouble, AForwardedWriteIsRefusedBeforeAnythingIsDone) {  // D8, D29
  set_disk(DiskState::kRefusing);
  wire::ForwardWrite forward = forwarded_write(kKey, kRetryable);
  forward.w = 1;
  const auto answers = ask(forward);
  ASSERT_EQ(answers.size(), 1U);
  ASSERT_EQ(answers[0].header.type, wire::MessageType::kRefusal);
  EXPECT_EQ(answers[0].as<wire::Refusal>().code, ErrorCode::kDiskFull);
  EXPECT_EQ(lone.script().engine->records(), 0U);
}

TEST_F(DiskTrouble, AnOwnerThatTakesNoWritesHandsThemToAnotherOwner) {  // D29
  set_disk(DiskState::kRefusing);
  lone.take_received(2);
  lone.take_received(3);
  lone.in_turn([this](Shard& shard) {
    const WriteRequest request = write_request(kKey, "v", kRetryable, WriteKind::kWithContext);
    shard.forwarder().forward(request, place(), false, [](const WriteResult&) {});
  });
  std::size_t forwarded = 0;
  for (const unsigned node : {2U, 3U}) {
    forwarded += lone.take<wire::ForwardWrite>(node).size();
  }
  EXPECT_EQ(forwarded, 1U);
  EXPECT_EQ(lone.script().engine->records(), 0U);
}

TEST_F(DiskTrouble, WhenNoOwnerTakesWritesTheRefusalSaysWhy) {  // D8, D29
  set_disk(DiskState::kRefusing);
  lone.take_received(2);
  lone.take_received(3);
  WriteResult result;
  bool done = false;
  lone.in_turn([&](Shard& shard) {
    const WriteRequest request = write_request(kKey, "v", kMintedOnce);
    shard.forwarder().forward(request, place(), false, [&](const WriteResult& told) {
      done = true;
      result.outcome = told.outcome;
      result.error.code = told.error.code;
    });
  });
  for (int step = 0; step < 4; ++step) {
    for (const unsigned node : {2U, 3U}) {
      for (const auto& received : lone.take<wire::ForwardWrite>(node)) {
        const wire::Refusal refusal{.code = ErrorCode::kDiskFull};
        lone.deliver(
            LoneShard::frame(lone.header(place(), received.header.request_id, node), refusal));
      }
    }
  }
  ASSERT_TRUE(done);
  EXPECT_EQ(result.outcome, Outcome::kNotApplied);
  EXPECT_EQ(result.error.code, ErrorCode::kDiskFull);
}

TEST_F(DiskTrouble, AnUnreadableRecordIsNotMissingAndNoCopyTakesItsPlace) {  // D30
  damage();
  EXPECT_EQ(get().status, wire::ReplyStatus::kFailed);
  EXPECT_EQ(get().code, ErrorCode::kUnreadable);
  for (const bool repair : {false, true}) {
    EXPECT_EQ(put(one_version("v"), repair).code, ErrorCode::kUnreadable);
  }
  EXPECT_EQ(get().code, ErrorCode::kUnreadable);
  EXPECT_EQ(lone.metrics().records_restored_total, 0U);
}

TEST_F(DiskTrouble, WhatRestoresARecordReplacesItAndTheDamageIsKept) {  // D30, I17
  damage();
  const std::string object = one_version("v");
  EXPECT_EQ(put(object, /*repair=*/true, /*restores=*/true).status, wire::ReplyStatus::kOk);
  EXPECT_EQ(get().object, object);
  EXPECT_EQ(lone.metrics().records_restored_total, 1U);
  sim::DiskImage& disk = lone.world().host(0).disk();
  const auto kept = disk.list("/quarantine");
  ASSERT_TRUE(kept);
  ASSERT_EQ(kept->size(), 1U);
  const std::string file = disk.find("/quarantine/" + kept->front())->bytes();
  EXPECT_TRUE(file.starts_with("stator unreadable record\n"));
  EXPECT_TRUE(file.ends_with(storage_key() + "rotten"));
}

TEST_F(DiskTrouble, WhoMeetsAnUnreadableRecordAsksTheOtherOwnersForIt) {  // D30, I17
  damage();
  const std::string object = one_version("v");
  EXPECT_EQ(put(one_version("w", 8), /*repair=*/false).code, ErrorCode::kUnreadable);
  others_answer(object);
  EXPECT_EQ(lone.metrics().records_restored_total, 1U);
  EXPECT_EQ(get().object, object);
}

// A reader may have enough without this copy, or ask other owners first when it looks again.
TEST_F(DiskTrouble, WhoIsAskedForARecordThatItCannotReadHasItRestored) {  // D30, I17
  damage();
  EXPECT_EQ(get().code, ErrorCode::kUnreadable);
  const std::string object = one_version("v");
  others_answer(object);
  EXPECT_EQ(lone.metrics().records_restored_total, 1U);
  EXPECT_EQ(get().object, object);
}

TEST_F(DiskTrouble, AWriteThatMeetsAnUnreadableRecordIsNotAppliedAndHasItRestored) {  // D30, D8
  damage();
  Outcome outcome = Outcome::kOk;
  const auto write = [&] {
    lone.in_turn([&](Shard& shard) {
      WriteRequest request = write_request(kKey, "w", kMintedOnce);
      request.quorum = {.w = 1};
      shard.writes().write(request, place(), false,
                           [&](const WriteResult& result) { outcome = result.outcome; });
    });
  };
  write();
  EXPECT_EQ(outcome, Outcome::kNotApplied);
  others_answer(one_version("v"));
  EXPECT_EQ(lone.metrics().records_restored_total, 1U);
  write();
  EXPECT_EQ(outcome, Outcome::kOk);
}

}  // namespace
}  // namespace stator::node::testing

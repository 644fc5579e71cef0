#include "node/write_coordinator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/assert.h"
#include "core/version/object.h"
#include "core/version/object_codec.h"
#include "node/hint_place.h"
#include "node/testing/lone_shard.h"
#include "storage/record.h"

namespace stator::node::testing {
namespace {

constexpr std::string_view kKey = "k";

struct Answer {
  Outcome outcome = Outcome::kUnknown;
  ErrorCode code{};
};

class WriteCoordinatorTest : public ::testing::Test {
 protected:
  void SetUp() override { lone.hear_both(); }

  void write(WriteKind kind, const WriteId& id, std::uint8_t w = 2) {
    answer.reset();
    lone.in_turn([&](Shard& shard) {
      WriteRequest request = write_request(kKey, "written", id, kind);
      request.quorum = {.w = w, .timeout = milliseconds(500)};
      shard.writes().write(request, lone.partition_of(kKey), false, [&](const WriteResult& result) {
        answer = Answer{result.outcome, result.error.code};
      });
    });
  }
  // A plain write, as SET makes it.
  void write_over_all() {
    write(WriteKind::kOverAll, WriteId::make(1'767'225'600'000, WriteId::kMintedOnce, 1, 1));
  }

  static WriteId id_of(std::uint64_t number) {
    return WriteId::make(1'767'225'600'000, WriteId::kRetryable, 1, number);
  }
  // A put that saw nothing, as it was sent to the others.
  std::string sibling(std::uint64_t number) {
    write(WriteKind::kWithContext, id_of(number));
    const auto puts = take_puts(2);
    take_puts(3);
    STATOR_ASSERT(puts.size() == 1);
    return std::string(puts[0].as<wire::ReplicaPut>().object);
  }

  std::vector<LoneShard::Received> take_puts(unsigned peer) {
    return lone.take<wire::ReplicaPut>(peer);
  }
  // `peer` acknowledges the put that it got, and shows `object` as what it holds now.
  void acknowledge(unsigned peer, std::string_view object, std::uint64_t digest) {
    const auto puts = take_puts(peer);
    ASSERT_EQ(puts.size(), 1U);
    wire::ReplicaPutReply reply;
    reply.durable = true;
    reply.digest = digest;
    reply.object = object;
    lone.deliver(LoneShard::frame(
        lone.header(lone.partition_of(kKey), puts[0].header.request_id, peer), reply));
  }
  // `peer` holds what it was sent, and nothing else.
  void acknowledge(unsigned peer) {
    const auto puts = take_puts(peer);
    ASSERT_EQ(puts.size(), 1U);
    const auto put = puts[0].as<wire::ReplicaPut>();
    Object object;
    ASSERT_TRUE(decode_object(put.object, object));
    wire::ReplicaPutReply reply;
    reply.durable = true;
    reply.digest = digest(object);
    lone.deliver(LoneShard::frame(
        lone.header(lone.partition_of(kKey), puts[0].header.request_id, peer), reply));
  }
  // Of what the written version and `other` make together: anything but the digest that was sent.
  static constexpr std::uint64_t kOtherDigest = 4711;

  void overload() {
    lone.script().hold_writes = true;
    repair("first", 10);  // under way from now on
    repair("then", RecordStore::kStagedBytesMax);
    lone.in_turn([](Shard& shard) { EXPECT_TRUE(shard.context().records->overloaded()); });
  }
  void repair(std::string_view key, std::size_t bytes) {
    const std::string object = one_version(std::string(bytes, 'x'));
    const wire::ReplicaPut put{.bucket = kDefaultBucket, .key = key, .object = object};
    lone.deliver(LoneShard::frame(lone.header(lone.partition_of(key), 0), put));
  }

  LoneShard lone;
  std::optional<Answer> answer;
};

TEST_F(WriteCoordinatorTest, APlainWriteCoversWhatAnAcknowledgementShows) {
  write_over_all();
  acknowledge(2, one_version("other", 9), kOtherDigest);
  EXPECT_FALSE(answer);
  EXPECT_EQ(lone.metrics().writes_covered_again_total, 1U);
  acknowledge(2);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->outcome, Outcome::kOk);
}

TEST_F(WriteCoordinatorTest, WhatOverloadKeepsAPlainWriteFromCoveringIsNoAcknowledgement) {
  write_over_all();
  overload();
  acknowledge(2, one_version("other", 9), kOtherDigest);
  EXPECT_FALSE(answer);
  acknowledge(3, one_version("other", 9), kOtherDigest);
  lone.run(seconds(1));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->outcome, Outcome::kUnknown);
}

TEST_F(WriteCoordinatorTest, TheOthersAcknowledgementsStillCount) {
  write_over_all();
  overload();
  acknowledge(2, one_version("other", 9), kOtherDigest);
  EXPECT_FALSE(answer);
  acknowledge(3);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->outcome, Outcome::kOk);
}

// Of two answers the second brings no object (paper 6.1), and frames overtake each other.
TEST_F(WriteCoordinatorTest, ThatAReplicaKnowsMoreIsNoAcknowledgementBeforeItShowsWhat) {
  write_over_all();
  acknowledge(2, {}, kOtherDigest);
  EXPECT_FALSE(answer) << "a plain write covers what it is shown";
  acknowledge(3);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->outcome, Outcome::kOk);
}

TEST_F(WriteCoordinatorTest, AnAcknowledgementWhoseObjectCannotBeReadIsNone) {
  write_over_all();
  acknowledge(2, "no object", kOtherDigest);
  EXPECT_FALSE(answer);
  EXPECT_EQ(lone.metrics().frames_bad_total, 1U);
}

TEST_F(WriteCoordinatorTest, APlainWriteWhoseRecordIsUnreadableWhenItShouldCoverIsUnknown) {
  write_over_all();
  lone.script().hold_reads = true;
  acknowledge(2, one_version("other", 9), kOtherDigest);
  EXPECT_FALSE(answer);
  lone.in_turn([&](Shard&) {
    std::string key;
    storage::append_storage_key(kDefaultBucket, kKey, key);
    lone.script().engine->put(lone.partition_of(kKey), key, "rotten");
    lone.script().engine->release_reads();
  });
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->outcome, Outcome::kUnknown);
  EXPECT_EQ(answer->code, ErrorCode::kUnreadable);
}

// Durability `one` (paper 6.1).
class DurableOne : public ::testing::Test {
 protected:
  void SetUp() override { lone.hear_both(); }
  void write(std::uint64_t number) {
    answered = false;
    key = "k" + std::to_string(number);
    lone.in_turn([&](Shard& shard) {
      WriteRequest request =
          write_request(key, "v", WriteId::make(1'767'225'600'000, WriteId::kRetryable, 1, number),
                        WriteKind::kWithContext);
      request.quorum = {.w = 2, .timeout = seconds(2)};
      shard.writes().write(request, lone.partition_of(key), false, [&](const WriteResult& result) {
        answered = result.outcome == Outcome::kOk;
      });
    });
  }
  struct Put {
    unsigned peer = 0;
    std::uint64_t request = 0;
    wire::ReplicaPut message{};
    std::string bytes{};  // of its frame
  };
  std::vector<std::unique_ptr<Put>> take_puts() {
    std::vector<std::unique_ptr<Put>> puts;
    for (const unsigned peer : {2U, 3U}) {
      for (auto& frame : lone.take<wire::ReplicaPut>(peer)) {
        auto put = std::make_unique<Put>(
            Put{.peer = peer, .request = frame.header.request_id, .bytes = frame.bytes});
        const auto decoded = wire::decode_frame(put->bytes);
        STATOR_ASSERT(decoded.has_value());
        const auto read = wire::decode_body(decoded->body, put->message);
        STATOR_ASSERT(read.has_value());
        puts.push_back(std::move(put));
      }
    }
    return puts;
  }
  static bool asks_durable(const Put& put) {
    return put.message.durability == wire::Durability::kDurable && put.message.early;
  }
  void acknowledge(const Put& put, bool durable) {
    Object object;
    ASSERT_TRUE(decode_object(put.message.object, object));
    wire::ReplicaPutReply reply;
    reply.durable = durable;
    reply.digest = digest(object);
    lone.deliver(
        LoneShard::frame(lone.header(lone.partition_of(key), put.request, put.peer), reply));
  }
  std::size_t open() {
    std::size_t writes = 0;
    lone.in_turn([&](Shard& shard) { writes = shard.writes().open(); });
    return writes;
  }

  LoneShard lone{[](NodeOptions& options) { options.durability = Durability::kOne; }};
  bool answered = false;
  std::string key;
};

TEST_F(DurableOne, IsAskedOfOneOtherNodeAndTheAnswerDoesNotWaitForIt) {
  write(1);
  const auto puts = take_puts();
  ASSERT_EQ(puts.size(), 2U);
  ASSERT_NE(asks_durable(*puts[0]), asks_durable(*puts[1]));
  const Put& one = asks_durable(*puts[0]) ? *puts[0] : *puts[1];
  acknowledge(one, false);
  EXPECT_TRUE(answered) << "the coordinator's own and one that is on no disk yet";
  acknowledge(asks_durable(*puts[0]) ? *puts[1] : *puts[0], false);
  EXPECT_EQ(open(), 1U) << "until it is told that one is durable";
  acknowledge(one, true);
  EXPECT_EQ(open(), 0U);
  EXPECT_EQ(lone.script().syncs, 0U);
  EXPECT_EQ(lone.metrics().durable_unconfirmed_total, 0U);
}

TEST_F(DurableOne, IsAskedOfEveryNodeInTurnAndOfThisOneLast) {
  write(1);
  const auto puts = take_puts();
  ASSERT_EQ(puts.size(), 2U);
  for (const auto& put : puts) acknowledge(*put, false);
  EXPECT_TRUE(answered);
  lone.run(milliseconds(600));  // it does not come
  const auto again = take_puts();
  ASSERT_EQ(again.size(), 1U);
  EXPECT_TRUE(asks_durable(*again[0]));
  EXPECT_NE(again[0]->peer, asks_durable(*puts[0]) ? puts[0]->peer : puts[1]->peer);
  EXPECT_EQ(lone.script().syncs, 0U);
  lone.run(milliseconds(600));
  EXPECT_EQ(lone.script().syncs, 1U) << "its own";
  EXPECT_EQ(open(), 0U);
  EXPECT_EQ(lone.metrics().durable_copies_total, 1U);
  EXPECT_EQ(lone.metrics().durable_asked_again_total, 2U);
  EXPECT_EQ(lone.metrics().durable_unconfirmed_total, 0U);
}

TEST_F(DurableOne, IsAskedOnceWhereDisksAreSlow) {
  write(1);
  const auto puts = take_puts();
  ASSERT_EQ(puts.size(), 2U);
  for (const auto& put : puts) acknowledge(*put, false);
  lone.run(milliseconds(300));
  EXPECT_TRUE(take_puts().empty());
  acknowledge(asks_durable(*puts[0]) ? *puts[0] : *puts[1], true);
  EXPECT_EQ(open(), 0U);
  EXPECT_EQ(lone.metrics().durable_asked_again_total, 0U);
}

TEST_F(DurableOne, HoldsUpNothingElseThatIsOwed) {
  lone.script().hold_syncs = true;
  write(1);
  const auto puts = take_puts();
  ASSERT_EQ(puts.size(), 2U);
  const Put& one = asks_durable(*puts[0]) ? *puts[0] : *puts[1];
  acknowledge(one, false);
  EXPECT_TRUE(answered);
  lone.run(milliseconds(800));
  EXPECT_EQ(lone.metrics().hints_kept_total, 1U) << "the third node has said nothing";
  EXPECT_EQ(open(), 1U);
  acknowledge(one, true);
  EXPECT_EQ(open(), 0U);
  EXPECT_EQ(lone.metrics().hints_kept_total, 1U);
  EXPECT_EQ(lone.metrics().durable_unconfirmed_total, 0U);
  lone.in_turn([&](Shard&) { lone.script().engine->release_syncs(); });
}

TEST_F(DurableOne, IsAskedOfAnotherAtOnceWhereItsDiskFails) {
  write(1);
  const auto puts = take_puts();
  ASSERT_EQ(puts.size(), 2U);
  for (const auto& put : puts) acknowledge(*put, false);
  const Put& one = asks_durable(*puts[0]) ? *puts[0] : *puts[1];
  wire::ReplicaPutReply failed;
  failed.status = wire::ReplyStatus::kFailed;
  lone.deliver(
      LoneShard::frame(lone.header(lone.partition_of(key), one.request, one.peer), failed));
  const auto again = take_puts();
  ASSERT_EQ(again.size(), 1U);
  EXPECT_NE(again[0]->peer, one.peer);
  acknowledge(*again[0], true);
  EXPECT_EQ(open(), 0U);
}

TEST_F(DurableOne, IsAskedOfEachEquallyOftenAndOfTheSameForARetry) {
  int asked[4] = {};
  for (std::uint64_t number = 1; number <= 200; ++number) {
    write(number);
    unsigned first = 0;
    for (const auto& put : take_puts()) {
      if (asks_durable(*put)) first = put->peer;
      acknowledge(*put, true);
    }
    ++asked[first];
    write(number);
    for (const auto& put : take_puts()) {
      if (asks_durable(*put)) {
        EXPECT_EQ(put->peer, first);
      }
      acknowledge(*put, true);
    }
  }
  EXPECT_GT(asked[2], 60);
  EXPECT_GT(asked[3], 60);
}

// `failed` is what the others hold of a batch that failed here, `next` what was minted after it.
void expect_three_siblings(const std::string& failed, const std::string& next) {
  Object there;
  Object arriving;
  ASSERT_TRUE(decode_object(failed, there));
  ASSERT_TRUE(decode_object(next, arriving));
  EXPECT_EQ(arriving.versions.size(), 2U) << "this node has lost the second";
  merge(there, arriving);
  EXPECT_EQ(there.versions.size(), 3U);
}

// Acknowledged by the others, and on this node's disk it never was: what is written here next did
// not see it, and must not say that it did (D1).
TEST_F(WriteCoordinatorTest, AWriteAfterAFailedBatchDoesNotReplaceWhatThatBatchHeld) {
  sibling(1);
  lone.script().forgets = true;
  lone.script().outcome = std::unexpected(Error{.code = ErrorCode::kDiskFull});
  const std::string failed = sibling(2);
  lone.script().outcome = {};
  const std::string next = sibling(3);
  expect_three_siblings(failed, next);
}

// Nor when another node has brought its older copy meanwhile, which is stored as if nothing had
// been lost: the key is in doubt no longer, and the events of its life are gone all the same (D1).
TEST_F(WriteCoordinatorTest, AWriteAfterARefillDoesNotReplaceWhatAFailedBatchHeld) {
  sibling(1);
  lone.script().forgets = true;
  lone.script().outcome = std::unexpected(Error{.code = ErrorCode::kDiskFull});
  const std::string failed = sibling(2);
  lone.script().outcome = {};
  lone.in_turn([](Shard& shard) { shard.context().records->probe(); });
  const std::string older = one_version("of another node", 9);
  const wire::ReplicaPut refill{.bucket = kDefaultBucket, .key = kKey, .object = older};
  lone.deliver(LoneShard::frame(lone.header(lone.partition_of(kKey), 0), refill));
  const std::string next = sibling(3);
  Object there;
  Object arriving;
  ASSERT_TRUE(decode_object(failed, there));
  ASSERT_TRUE(decode_object(next, arriving));
  EXPECT_EQ(arriving.versions.size(), 3U) << "the refill is here, and the second is not";
  merge(there, arriving);
  EXPECT_EQ(there.versions.size(), 4U);
}

// A plain write is covered again under a later counter of its life: not where a mint between the
// two was lost.
TEST_F(WriteCoordinatorTest, CoveringAgainDoesNotReplaceWhatAFailedBatchHeld) {
  write_over_all();
  const auto put = take_puts(2);
  ASSERT_EQ(put.size(), 1U);
  take_puts(3);
  lone.script().forgets = true;
  lone.script().outcome = std::unexpected(Error{.code = ErrorCode::kDiskFull});
  const std::string failed = sibling(2);
  lone.script().outcome = {};
  lone.in_turn([](Shard& shard) { shard.context().records->probe(); });
  wire::ReplicaPutReply reply;
  reply.durable = true;
  reply.digest = kOtherDigest;
  const std::string other = one_version("other", 9);
  reply.object = other;
  lone.deliver(
      LoneShard::frame(lone.header(lone.partition_of(kKey), put[0].header.request_id, 2), reply));
  const WriteId lost = id_of(2);
  for (const auto& sent : take_puts(3)) {
    const auto covered = sent.as<wire::ReplicaPut>();
    Object there;
    Object arriving;
    ASSERT_TRUE(decode_object(failed, there));
    ASSERT_TRUE(decode_object(covered.object, arriving));
    ASSERT_NE(there.find(lost), nullptr);
    merge(there, arriving);
    EXPECT_NE(there.find(lost), nullptr) << "it is gone where it was acknowledged";
  }
}

// So in a hint, which a stand-in mints into.
TEST(StandIn, AWriteAfterAFailedBatchDoesNotReplaceWhatThatBatchHeld) {
  LoneShard lone({}, 4);
  std::string key = "k";
  const auto owned = [&] {
    bool owns = false;
    lone.in_turn([&](Shard& shard) {
      owns = shard.context().topology->ring->owns(lone.id(1), lone.partition_of(key));
    });
    return owns;
  };
  while (owned()) key += 'k';
  const auto sibling = [&](std::uint64_t number) {
    lone.in_turn([&](Shard& shard) {
      const WriteRequest request = write_request(
          key, "written", WriteId::make(1'767'225'600'000, WriteId::kRetryable, 1, number),
          WriteKind::kWithContext);
      shard.writes().write(request, lone.partition_of(key), false, [](const WriteResult&) {});
    });
    std::string object;
    for (const unsigned owner : {2U, 3U, 4U}) {
      for (const auto& frame : lone.take_received(owner)) {
        if (frame.header.type != wire::MessageType::kReplicaPut) continue;
        object = frame.as<wire::ReplicaPut>().object;
      }
    }
    EXPECT_FALSE(object.empty()) << number;
    return object;
  };
  sibling(1);
  lone.script().forgets = true;
  lone.script().outcome = std::unexpected(Error{.code = ErrorCode::kDiskFull});
  const std::string failed = sibling(2);
  lone.script().outcome = {};
  const std::string next = sibling(3);
  expect_three_siblings(failed, next);
}

/// This node coordinates a put of W = 3 of a key whose owners, in preference order, are three other
/// nodes. It stands for the last of them, since the others get copies of their own.
class SpareStandIn : public ::testing::Test {
 protected:
  void put(Durability durability) {
    lone.emplace([durability](NodeOptions& options) { options.durability = durability; }, 4U);
    key = "k";
    while (!look_up()) key += 'k';
    for (const unsigned node : owners) {
      lone->deliver(LoneShard::frame(lone->header({0}, 0, node), wire::Ping{}));
    }
    lone->in_turn([&](Shard& shard) {
      WriteRequest request =
          write_request(key, "written", WriteId::make(1'767'225'600'000, WriteId::kRetryable, 1, 1),
                        WriteKind::kWithContext);
      request.quorum = {.w = 3, .timeout = seconds(3)};
      shard.writes().write(request, lone->partition_of(key), false, [&](const WriteResult& result) {
        if (result.outcome == Outcome::kOk) evidence = result.evidence;
      });
    });
  }
  /// Whether `node` was sent the object and has now answered it, at the first time.
  bool reply(unsigned node, wire::ReplyStatus status, bool durable) {
    for (const auto& frame : lone->take_received(node)) {
      if (frame.header.type != wire::MessageType::kReplicaPut) continue;
      const auto put = frame.as<wire::ReplicaPut>();
      Object object;
      if (put.repair || !decode_object(put.object, object)) continue;
      EXPECT_FALSE(put.intended) << "an owner's own copy";
      wire::ReplicaPutReply message;
      message.status = status;
      message.code = ErrorCode::kDiskFull;
      message.durable = durable;
      message.digest = digest(object);
      lone->deliver(LoneShard::frame(
          lone->header(lone->partition_of(key), frame.header.request_id, node), message));
      return true;
    }
    return false;
  }
  /// One owner fails, and the one for whom this node stands answers.
  void last_owner_answers(bool durable) {
    EXPECT_TRUE(reply(owners[0], wire::ReplyStatus::kOk, durable));
    EXPECT_FALSE(reply(owners[2], wire::ReplyStatus::kOk, durable)) << "nothing was sent to it";
    EXPECT_TRUE(reply(owners[1], wire::ReplyStatus::kFailed, durable));
    EXPECT_FALSE(evidence);
    EXPECT_EQ(lone->script().engine->records(), 1U);
    EXPECT_TRUE(reply(owners[2], wire::ReplyStatus::kOk, durable)) << "nobody else is left";
  }

  [[nodiscard]] bool keeps_for(unsigned node) {
    std::string place;
    storage::append_storage_key(kDefaultBucket, key, place);
    std::string hint;
    append_hint_key(lone->id(node), place, hint);
    return lone->script().engine->has(hint_partition(lone->partition_of(key)), hint);
  }

  std::optional<LoneShard> lone;
  std::string key;
  std::vector<unsigned> owners;
  std::optional<QuorumEvidence> evidence;

 private:
  bool look_up() {
    owners.clear();
    lone->in_turn([&](Shard& shard) {
      for (const NodeId owner : shard.context().topology->ring->owners(lone->partition_of(key))) {
        for (unsigned node = 1; node <= 4; ++node) {
          if (lone->id(node) == owner) owners.push_back(node);
        }
      }
    });
    return std::ranges::find(owners, 1U) == owners.end();
  }
};

// D9: what it keeps for an owner that has the write itself is no place more. So it keeps it for one
// that has failed, too, and W nodes that can be reached are W places (P5).
TEST_F(SpareStandIn, KeepsTheWriteForAnotherOwnerWhenItsOwnAnswersItself) {
  put(Durability::kAll);
  last_owner_answers(true);
  ASSERT_TRUE(evidence);
  EXPECT_EQ(evidence->primaries, 2);
  EXPECT_EQ(evidence->fallbacks, 1);
  EXPECT_EQ(lone->script().engine->records(), 2U) << "one hint for each of two owners";
  EXPECT_EQ(lone->metrics().hints_kept_total, 2U);
  EXPECT_TRUE(keeps_for(owners[1]));
  EXPECT_TRUE(keeps_for(owners[2]));
}

TEST_F(SpareStandIn, IsTheDurableOneWithTheCopyThatCounts) {
  put(Durability::kOne);
  last_owner_answers(false);
  ASSERT_TRUE(evidence);
  EXPECT_EQ(lone->script().engine->records(), 2U);
  EXPECT_EQ(lone->script().syncs, 0U);
  lone->run(milliseconds(1'800));  // no other copy becomes durable
  EXPECT_EQ(lone->script().syncs, 1U);
  EXPECT_EQ(lone->metrics().durable_copies_total, 1U);
  EXPECT_EQ(lone->metrics().durable_unconfirmed_total, 0U);
}

}  // namespace
}  // namespace stator::node::testing

// Refused at the door: more requests than are answered in a tenth of a second, and some thousands
// (D33, P8). The two other nodes of the cluster answer nothing, so that every request waits.

#include <gtest/gtest.h>

#include <string>

#include "node/shard_store.h"
#include "node/testing/lone_shard.h"

namespace stator::node::testing {
namespace {

/// A node of the one shard.
class Alone final : public ShardHost, public NodeFacts {
 public:
  explicit Alone(Shard& shard) : shard_(shard) {}
  Shard& shard(unsigned) override { return shard_; }
  void on_history(unsigned, History&&) override {}
  [[nodiscard]] NodeStatus node_status(unsigned) const override { return {}; }
  [[nodiscard]] Metrics all_metrics(unsigned) const override { return {}; }

 private:
  Shard& shard_;
};

class OverloadTest : public ::testing::Test {
 protected:
  struct Seen {
    std::size_t ok = 0;
    std::size_t refused = 0;  // at once, as overload
    std::size_t other = 0;
  };
  void read(std::size_t times) {
    lone.in_turn([this, times](Shard& shard) {
      for (std::size_t i = 0; i < times; ++i) {
        shard.reads().read(kDefaultBucket, "k", {}, [this](const Result<ReadResult>& result) {
          if (result) {
            ++seen.ok;
          } else {
            ++(result.error().code == ErrorCode::kOverloaded ? seen.refused : seen.other);
          }
        });
      }
    });
  }
  void write(std::size_t times) {
    lone.in_turn([this, times](Shard& shard) {
      for (std::size_t i = 0; i < times; ++i) {
        const WriteRequest request =
            write_request("k", "v", WriteId::make(1, WriteId::kMintedOnce, ++writes_, 2));
        const PartitionId partition = lone.partition_of("k");
        shard.writes().write(request, partition, false, [this](const WriteResult& result) {
          if (result.outcome == Outcome::kOk) {
            ++seen.ok;
          } else if (result.error.code == ErrorCode::kOverloaded) {
            EXPECT_EQ(result.outcome, Outcome::kNotApplied);
            ++seen.refused;
          } else {
            ++seen.other;
          }
        });
      }
    });
  }

  Room room() {
    Room seen_now = Room::kNone;
    lone.in_turn([&seen_now](Shard& shard) {
      Alone alone(shard);
      seen_now = ShardStore(shard, alone, alone).room();
    });
    return seen_now;
  }

  LoneShard lone;
  Seen seen;
  std::uint64_t writes_ = 0;
};

TEST_F(OverloadTest, WhatIsTooMuchIsRefusedAtOnceAndTheRestIsServedOrTimesOut) {
  read(Admission::kAlways);
  EXPECT_EQ(seen.refused, 0U);
  read(500);
  EXPECT_EQ(seen.refused, 500U);
  write(500);
  EXPECT_EQ(seen.refused, 1000U);
  EXPECT_EQ(lone.metrics().requests_overload_total, 1000U);
  EXPECT_EQ(lone.metrics().writes_not_applied_total, 500U);
  EXPECT_EQ(seen.ok + seen.other, 0U) << "the others wait for two nodes that answer nothing";
  lone.run(seconds(3));
  EXPECT_EQ(seen.other, Admission::kAlways);
}

TEST_F(OverloadTest, WhenTheQueueIsShortAgainNobodyIsRefused) {
  read(Admission::kAlways + 1);
  EXPECT_EQ(seen.refused, 1U);
  lone.run(seconds(3));  // all have timed out
  seen = {};
  write(100);
  read(100);
  EXPECT_EQ(seen.refused, 0U);
  lone.run(seconds(3));
  EXPECT_EQ(seen.ok + seen.other, 200U);
}

TEST_F(OverloadTest, TheStoreSaysBeforehandWhetherItWouldRefuse) {
  EXPECT_EQ(room(), Room::kPlenty);
  read(Admission::kAlways - 1);
  EXPECT_EQ(room(), Room::kLittle);
  read(1);
  EXPECT_EQ(room(), Room::kNone);
  read(1);
  EXPECT_EQ(seen.refused, 1U);
  lone.run(seconds(3));  // all have timed out
  EXPECT_EQ(room(), Room::kPlenty);
}

TEST_F(OverloadTest, WhatPeersAskCountsAmongTheRequestsOfClients) {
  read(Admission::kAlways);
  wire::ForwardWrite write = forwarded_write("k", WriteId::make(1, WriteId::kMintedOnce, 1, 2));
  write.kind = wire::WriteKind::kPlainPut;
  wire::FrameHeader header = lone.header(lone.partition_of("k"), 79);
  header.deadline_us = 300'000;
  lone.take_received();
  lone.deliver(LoneShard::frame(header, write));
  for (const auto& received : lone.take_received()) {
    if (received.header.request_id != 79) continue;
    const auto reply = received.as<wire::ForwardWriteReply>();
    EXPECT_EQ(reply.outcome, Outcome::kNotApplied);
    EXPECT_EQ(reply.code, ErrorCode::kOverloaded);
    return;
  }
  FAIL() << "no answer";
}

// A disk that stands still: those who asked can ask another replica.
TEST_F(OverloadTest, ReadsOfPeersThatPileUpBehindTheDiskAreRefused) {
  lone.script().hold_reads = true;
  const std::string frame =
      LoneShard::frame(lone.header(lone.partition_of("k"), 80),
                       wire::ReplicaGet{.bucket = kDefaultBucket, .key = "k", .value = true});
  lone.in_turn([&](Shard& shard) {
    for (std::size_t i = 0; i < RecordStore::kReadsMax; ++i) shard.on_frame(frame);
  });
  EXPECT_TRUE(lone.take_received().empty());
  lone.deliver(frame);
  auto received = lone.take_received();
  ASSERT_EQ(received.size(), 1U);
  EXPECT_EQ(received[0].as<wire::ReplicaGetReply>().code, ErrorCode::kOverloaded);
  lone.script().hold_reads = false;
  lone.in_turn([&](Shard&) { lone.script().engine->release_reads(); });
  EXPECT_EQ(lone.take_received().size(), RecordStore::kReadsMax);
  lone.deliver(frame);
  received = lone.take_received();
  ASSERT_EQ(received.size(), 1U);
  EXPECT_EQ(received[0].as<wire::ReplicaGetReply>().status, wire::ReplyStatus::kMissing);
}

}  // namespace
}  // namespace stator::node::testing

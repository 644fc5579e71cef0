#include "node/forwarder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "node/testing/lone_shard.h"

namespace stator::node::testing {
namespace {

class ForwarderTest : public ::testing::Test {
 protected:
  void deliver(std::uint64_t request_id, std::uint32_t deadline_us, unsigned from = 2) {
    wire::FrameHeader header = lone.header(lone.partition_of("k"), request_id, from);
    header.deadline_us = deadline_us;
    wire::ForwardWrite forward =
        forwarded_write("k", WriteId::make(1'767'225'600'000, WriteId::kRetryable, 1, 1));
    forward.w = 1;
    lone.deliver(LoneShard::frame(header, forward));
  }
  bool stored() { return lone.script().engine->records() > 0; }

  LoneShard lone;
};

constexpr std::uint32_t kInTime = 1'000'000;

// The network may bring a frame twice, and what kept the first copy from being applied may be over
// when the second one comes; but "not applied" was said (I2).
TEST_F(ForwarderTest, WhatWasRefusedIsNotAppliedByASecondCopyOfItsFrame) {
  deliver(5, wire::kDeadlineOver);
  ASSERT_EQ(lone.take_received().size(), 1U);
  deliver(5, kInTime);
  EXPECT_TRUE(lone.take_received().empty());
  EXPECT_FALSE(stored());
}

TEST_F(ForwarderTest, AnotherRequestForTheSameWriteIsServed) {
  deliver(5, wire::kDeadlineOver);
  deliver(6, kInTime);
  EXPECT_TRUE(stored());
  deliver(5, kInTime, 3);  // ids of requests are each node's own
  std::size_t answered = 0;
  for (const auto& received : lone.take_received(3)) {
    if (received.header.type == wire::MessageType::kForwardWriteReply) ++answered;
  }
  EXPECT_EQ(answered, 1U);
}

// D32: who answered fastest when the context was made may be slow now. Each write that went to it
// on a thin link waited for 300 ms, until the next owner was tried.
TEST(ForwarderOfFour, AWriteGoesToTheFastestReaderUnlessThatHasBecomeSlow) {
  LoneShard lone({}, 4);
  std::string key;
  lone.in_turn([&](Shard& shard) {
    for (int i = 0; key.empty(); ++i) {
      const std::string name = "k" + std::to_string(i);
      const auto owners = shard.context().topology->ring->owners(lone.partition_of(name));
      if (std::ranges::find(owners, lone.id(1)) == owners.end() && owners[0] == lone.id(2)) {
        key = name;
      }
    }
  });
  const auto both_answer = [&] {
    for (const unsigned node : {2U, 3U}) {
      lone.deliver(LoneShard::frame(lone.header({wire::kNoPartition}, 0, node), wire::Pong{}));
    }
  };
  std::uint64_t number = 0;
  // Whether n3 gets a write of one who has read from it, which then ends.
  const auto goes_to_n3 = [&] {
    both_answer();
    for (const unsigned node : {2U, 3U}) lone.take_received(node);
    Context context;
    context.fastest = lone.id(3);
    WriteRequest request =
        write_request(key, "v", WriteId::make(1, WriteId::kMintedOnce, ++number, 2));
    request.context = &context;
    lone.in_turn([&](Shard& shard) {
      shard.forwarder().forward(request, lone.partition_of(key), false, [](const WriteResult&) {});
    });
    lone.run(milliseconds(5));
    const std::size_t to_n3 = lone.take<wire::ForwardWrite>(3).size();
    EXPECT_EQ(to_n3 + lone.take<wire::ForwardWrite>(2).size(), 1U);
    return to_n3 == 1;
  };
  const auto n3_takes = [&](Duration time, int rounds) {
    for (int round = 0; round < rounds; ++round) {
      lone.in_turn([&](Shard& shard) {
        for (int i = 0; i < 5; ++i) {
          shard.peers().on_answer(lone.id(3), AnswerKind::kWrite, time);
          shard.peers().on_answer(lone.id(2), AnswerKind::kWrite, microseconds(500));
        }
      });
      both_answer();
      lone.run(milliseconds(90));
    }
  };
  n3_takes(microseconds(500), 10);
  EXPECT_TRUE(goes_to_n3());
  n3_takes(seconds(10), 10);
  EXPECT_FALSE(goes_to_n3());
  n3_takes(microseconds(500), 90);
  EXPECT_TRUE(goes_to_n3());
}

}  // namespace
}  // namespace stator::node::testing

#include "node/forwarder.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace stator::node::testing

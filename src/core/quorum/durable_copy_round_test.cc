#include "core/quorum/durable_copy_round.h"

#include <gtest/gtest.h>

#include <limits>

namespace stator {
namespace {

constexpr MonoTime kStart{};
constexpr MonoTime kNever{std::numeric_limits<std::int64_t>::max()};

/// Three owners, of which 0 coordinates, and two stand-ins, which get no copy at first. The first
/// in preference order is chosen.
class DurableCopyRoundTest : public testing::Test {
 protected:
  DurableCopyRoundTest() { start(); }
  void start(bool wanted = true) {
    round.start({.wanted = wanted,
                 .local = 0,
                 .spread = 0,
                 .hedge_after = milliseconds(20),
                 .durable_after = milliseconds(50)});
  }
  /// At so many milliseconds.
  ReplicaIndex ask(std::int64_t ms) { return round.ask(copies, kStart + milliseconds(ms)); }

  DurableCopyRound round;
  CopiesKnown copies{.sent = ReplicaSet(0b00111),
                     .acked = {},
                     .failed = {},
                     .owners = ReplicaSet(0b00111),
                     .usable = ReplicaSet(0b11111)};
};

TEST_F(DurableCopyRoundTest, OneIsAskedAndGivenItsTime) {
  EXPECT_EQ(ask(0), 1);
  EXPECT_EQ(round.asked(), ReplicaSet(0b010));
  EXPECT_EQ(round.last_asked(), 1);
  EXPECT_TRUE(round.awaited(copies.failed));
  EXPECT_EQ(ask(0), kNoReplica) << "each once";
  round.on_durable(1);
  EXPECT_TRUE(round.found());
  EXPECT_FALSE(round.awaited(copies.failed));
  EXPECT_EQ(ask(1'000), kNoReplica);
  EXPECT_EQ(round.wake_at(copies), kNever);
}

TEST_F(DurableCopyRoundTest, NobodyIsAskedWhereNoneIsWanted) {
  start(false);
  EXPECT_EQ(ask(0), kNoReplica);
  EXPECT_FALSE(round.awaited(copies.failed));
  EXPECT_EQ(round.wake_at(copies), kNever);
}

// Disks are slow together, and then the more the more they are given.
TEST_F(DurableCopyRoundTest, AnotherIsAskedWhenTheDiskOfTheFirstTakesTooLong) {
  EXPECT_EQ(ask(0), 1);
  copies.acked = ReplicaSet(0b111);
  EXPECT_EQ(round.wake_at(copies), kStart + milliseconds(50))
      << "answers from memory tell nothing of disks";
  EXPECT_EQ(ask(49), kNoReplica);
  EXPECT_EQ(ask(50), 2);
  EXPECT_EQ(round.syncing(copies.failed), ReplicaSet(0b110));
  round.on_durable(1);
  EXPECT_TRUE(round.found()) << "late, and as good as any";
}

TEST_F(DurableCopyRoundTest, AnotherIsAskedSoonerWhereTheFirstSaysNothingAtAll) {
  EXPECT_EQ(ask(0), 1);
  copies.acked = ReplicaSet(0b101);
  EXPECT_EQ(round.wake_at(copies), kStart + milliseconds(20));
  EXPECT_EQ(ask(19), kNoReplica);
  EXPECT_EQ(ask(20), 2);
  EXPECT_EQ(ask(69), kNoReplica) << "2 has said that it has it";
  EXPECT_EQ(ask(70), 0);
}

TEST_F(DurableCopyRoundTest, ADiskThatMayTakeLessThanANodeIsNotGivenMore) {
  round.start({.wanted = true,
               .local = 0,
               .spread = 0,
               .hedge_after = milliseconds(80),
               .durable_after = milliseconds(50)});
  EXPECT_EQ(ask(0), 1);
  EXPECT_EQ(round.wake_at(copies), kStart + milliseconds(50));
}

TEST_F(DurableCopyRoundTest, AnotherIsAskedAtOnceWhenTheFirstFails) {
  EXPECT_EQ(ask(0), 1);
  copies.failed = ReplicaSet(0b010);
  EXPECT_EQ(ask(1), 2);
  copies.acked = ReplicaSet(0b101);
  round.on_vain(2);
  EXPECT_EQ(ask(2), 0) << "the coordinator comes last";
  round.on_vain(0);
  EXPECT_EQ(ask(3), kNoReplica);
  EXPECT_FALSE(round.awaited(copies.failed)) << "everybody was asked in vain";
}

TEST_F(DurableCopyRoundTest, WhoIsAskedLastHasAllTheTimeThereIs) {
  copies.sent = copies.acked = ReplicaSet(0b001);
  EXPECT_EQ(ask(0), 0);
  EXPECT_EQ(round.wake_at(copies), kNever);
  EXPECT_EQ(ask(1'000'000), kNoReplica);
  EXPECT_TRUE(round.awaited(copies.failed));
}

TEST_F(DurableCopyRoundTest, WhoWasAskedEarlierMayStillBeTheOneWhenTheLastHasFailed) {
  copies.sent = copies.acked = ReplicaSet(0b011);
  EXPECT_EQ(ask(0), 1);
  EXPECT_EQ(ask(50), 0);
  EXPECT_EQ(round.syncing(copies.failed), ReplicaSet(0b011));
  round.on_vain(0);
  EXPECT_EQ(ask(51), kNoReplica);
  EXPECT_TRUE(round.awaited(copies.failed)) << "the sync of 1 is still under way";
}

TEST_F(DurableCopyRoundTest, ASilentNodeComesAfterTheCoordinator) {
  copies.usable = ReplicaSet(0b11001);
  copies.acked = ReplicaSet(0b001);
  EXPECT_EQ(ask(0), 0);
  EXPECT_EQ(ask(50), 1) << "nobody else is left";
}

TEST_F(DurableCopyRoundTest, TheCoordinatorWaitsForThoseWhoAreAboutToBeNamed) {
  copies.sent = ReplicaSet(0b00001);
  copies.more_come = true;
  EXPECT_EQ(ask(0), kNoReplica);
  copies.more_come = false;
  copies.sent = ReplicaSet(0b01001);
  EXPECT_EQ(ask(1), 3) << "a stand-in";
}

TEST_F(DurableCopyRoundTest, ACopyThatIsDurableAnywayIsEnough) {
  round.on_durable(2);
  EXPECT_EQ(ask(0), kNoReplica);
  EXPECT_TRUE(round.found());
}

TEST_F(DurableCopyRoundTest, WhatIsSentAgainIsAskedForAgain) {
  EXPECT_EQ(ask(0), 1);
  round.on_durable(1);
  round.begin_attempt();
  EXPECT_FALSE(round.found());
  EXPECT_TRUE(round.asked().empty());
  EXPECT_EQ(ask(1), 1);
}

TEST_F(DurableCopyRoundTest, WhoKeepsAnotherCopyMayBeAskedForThatOne) {
  copies.sent = copies.acked = ReplicaSet(0b01001);
  EXPECT_EQ(ask(0), 3);
  round.on_vain(3);
  EXPECT_EQ(ask(1), 0);
  round.on_other_copy(3);
  EXPECT_EQ(round.asked(), ReplicaSet(0b00001));
  EXPECT_EQ(ask(50), kNoReplica) << "0 has its time";
  EXPECT_EQ(ask(51), 3);
  round.on_durable(3);
  round.on_other_copy(3);
  EXPECT_TRUE(round.found()) << "the first one stays on its disk";
  EXPECT_EQ(ask(1'000), kNoReplica);
}

}  // namespace
}  // namespace stator

#include "core/repair/repair_plan.h"

#include <gtest/gtest.h>

#include <vector>

namespace stator {
namespace {

using Kind = ReplicaKnowledge::Kind;

TEST(RepairPlan, EqualVersionsAreNeverWritten) {  // D20, I13
  const std::vector<ReplicaKnowledge> replicas(3, {Kind::kDigest, 7});
  EXPECT_TRUE(plan_repair(replicas, 7).empty());
}

TEST(RepairPlan, WhoeverDiffersGetsTheMergedObject) {
  const std::vector<ReplicaKnowledge> replicas = {{Kind::kDigest, 7},
                                                  {Kind::kDigest, 3},
                                                  {Kind::kDigest, 0},
                                                  {Kind::kUnknown, 0},
                                                  {Kind::kUnreadable, 0}};
  EXPECT_EQ(plan_repair(replicas, 7).send, ReplicaSet(0b10110));
}

TEST(RepairPlan, AnEmptyObjectTeachesNobody) {
  const std::vector<ReplicaKnowledge> replicas = {{Kind::kDigest, 7}, {Kind::kUnreadable, 0}};
  EXPECT_TRUE(plan_repair(replicas, 0).empty());
}

std::vector<Candidate> three() {
  return {{.node = {1}}, {.node = {2}}, {.node = {3}}};
}

ReadRound read_of(std::uint64_t first, std::uint64_t second, std::uint64_t merged) {
  ReadRound round;
  ReadOptions options;
  options.allow_digest = false;
  options.deadline = MonoTime{} + seconds(1);
  round.start(options, three(), 0, MonoTime{});
  round.on_value(0, first, first, MonoTime{});
  round.on_value(1, second, merged, MonoTime{});
  EXPECT_TRUE(round.finished());
  return round;
}

TEST(RepairPlan, OfAReadNamesTheStaleReplicas) {
  EXPECT_TRUE(plan_repair(read_of(7, 7, 7)).empty());
  EXPECT_EQ(plan_repair(read_of(7, 9, 9)).send, ReplicaSet(0b001));
  EXPECT_EQ(plan_repair(read_of(7, 9, 11)).send, ReplicaSet(0b011));
  EXPECT_EQ(plan_repair(read_of(7, 0, 7)).send, ReplicaSet(0b010));
  EXPECT_TRUE(plan_repair(read_of(0, 0, 0)).empty());
}

TEST(RepairPlan, AStandInIsNotRepaired) {
  std::vector<Candidate> list = three();
  list[2].owner = false;
  ReadRound read;
  ReadOptions asked;
  asked.r = 3;
  asked.allow_digest = false;
  asked.deadline = MonoTime{} + seconds(1);
  read.start(asked, list, 0, MonoTime{});
  read.on_value(0, 7, 7, MonoTime{});
  read.on_value(1, 9, 11, MonoTime{});
  read.on_value(2, 0, 11, MonoTime{});
  ASSERT_TRUE(read.finished());
  EXPECT_EQ(plan_repair(read).send, ReplicaSet(0b011));

  list[1].usable = false;
  WriteRound write;
  WriteOptions options;
  options.deadline = MonoTime{} + seconds(1);
  write.start(options, list, 0, MonoTime{});
  write.on_minted(7, MonoTime{});
  write.on_ack(0, 0, 7, true, MonoTime{});
  write.on_ack(2, 0, 9, true, MonoTime{});
  ASSERT_TRUE(write.answered());
  EXPECT_EQ(plan_repair(write, 11).send, ReplicaSet(0b001));
}

TEST(RepairPlan, OfAReadThatFailedIsEmpty) {
  ReadRound round;
  ReadOptions options;
  options.deadline = MonoTime{} + seconds(1);
  round.start(options, three(), 0, MonoTime{});
  round.on_value(0, 7, 7, MonoTime{});
  round.on_digest(1, 9, MonoTime{});
  round.on_tick(MonoTime{} + seconds(1));
  ASSERT_TRUE(round.finished());
  EXPECT_FALSE(round.stale().empty());
  EXPECT_TRUE(plan_repair(round).empty());
}

/// Of `owners`, the first `heard` hold 7, the next `damaged` cannot read theirs, the rest is
/// silent.
ReadRound read_with_damage(std::uint8_t owners, std::uint8_t heard, std::uint8_t damaged) {
  std::vector<Candidate> candidates;
  for (std::uint64_t i = 1; i <= owners; ++i) candidates.push_back({.node = {i}});
  ReadRound round;
  ReadOptions options;
  options.r = heard;
  options.allow_digest = false;
  options.deadline = MonoTime{} + seconds(1);
  round.start(options, candidates, kNoReplica, MonoTime{});
  std::uint8_t answered = 0;
  std::uint8_t failed = 0;
  while (const auto wish = round.next()) {
    if (wish->kind != ReadWish::Kind::kAskValue) continue;
    if (failed < damaged) {
      ++failed;
      round.on_failure(wish->replica, ErrorCode::kUnreadable, MonoTime{});
    } else if (answered < heard) {
      ++answered;
      round.on_value(wish->replica, 7, 7, MonoTime{});
    }
  }
  EXPECT_EQ(round.unreadable().size(), damaged);
  EXPECT_EQ(round.included_owners().size(), heard);
  return round;
}

TEST(RepairPlan, ADamagedRecordIsReplacedOnlyByWhatHoldsEveryAcknowledgedWrite) {  // D30
  EXPECT_TRUE(may_restore(read_with_damage(3, 2, 1), 2));
  EXPECT_FALSE(may_restore(read_with_damage(3, 1, 1), 2)) << "the third may hold one that it held";
  EXPECT_TRUE(may_restore(read_with_damage(3, 1, 1), 3)) << "everybody holds all";
  EXPECT_TRUE(may_restore(read_with_damage(3, 1, 2), 2)) << "nobody else can say more";
  EXPECT_FALSE(may_restore(read_with_damage(3, 1, 1), 1));
  EXPECT_TRUE(may_restore(read_with_damage(3, 2, 1), 1)) << "nobody else can say more";
  EXPECT_FALSE(may_restore(read_with_damage(5, 2, 1), 3));
  EXPECT_TRUE(may_restore(read_with_damage(5, 3, 1), 3));
}

TEST(RepairPlan, OfAWriteNamesWhoeverAnsweredAndLacksTheMerge) {
  WriteRound round;
  WriteOptions options;
  options.deadline = MonoTime{} + seconds(1);
  round.start(options, three(), 0, MonoTime{});
  round.on_minted(7, MonoTime{});
  round.on_ack(0, 0, 7, true, MonoTime{});
  round.on_ack(1, 0, 9, true, MonoTime{});
  EXPECT_EQ(plan_repair(round, 9).send, ReplicaSet(0b001)) << "2 has not answered";
  round.on_ack(2, 0, 7, true, MonoTime{});
  ASSERT_TRUE(round.finished());
  EXPECT_EQ(plan_repair(round, 9).send, ReplicaSet(0b101));
}

Object holding(std::uint64_t life, std::uint64_t counter) {
  Object object;
  const Dot dot{{{1}, life}, counter};
  object.clock.add(dot);
  object.versions.push_back({.dot = dot, .first_counter = counter, .write_id = {1, counter}});
  return object;
}

TEST(Needs, IsTrueExactlyWhenTheReplicaWouldLearnSomething) {
  const Object older = holding(1, 1), newer = holding(1, 2), beside = holding(9, 1);
  EXPECT_TRUE(needs(older, newer));
  EXPECT_TRUE(needs(beside, newer));
  EXPECT_TRUE(needs(Object{}, newer));
  EXPECT_FALSE(needs(newer, newer));
  EXPECT_FALSE(needs(newer, older));
  EXPECT_FALSE(needs(newer, Object{}));
}

}  // namespace
}  // namespace stator

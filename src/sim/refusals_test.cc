#include "sim/refusals.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace stator::sim {
namespace {

// Three nodes, of which the first `there` run; the others never did.
Reach reach_of_three(std::size_t there) {
  Reach reach(3);
  for (std::size_t node = 0; node < 3; ++node) {
    const bool runs = node < there;
    reach.see_node(node, runs ? Reach::State::kWell : Reach::State::kAway, runs ? 1 : 0, {});
    for (std::size_t to = 0; to < 3; ++to) {
      if (to != node) reach.see_path(node, to, Reach::State::kWell, 0, {});
    }
  }
  return reach;
}

// Asked of n1 after ten seconds, with W = 2.
AnsweredWrite refused_for(ErrorCode code) {
  AnsweredWrite write;
  write.key = 7;
  write.id = {1, 2};
  write.begin = MonoTime{} + seconds(10);
  write.end = write.begin + milliseconds(1);
  write.quorum = 2;
  write.outcome = Outcome::kNotApplied;
  write.code = code;
  write.got = 1;
  return write;
}

std::size_t breaches(const AnsweredWrite& write, const Reach& reach, std::size_t spare = 0) {
  Refusals refusals(spare);
  refusals.judge(write, reach);
  return refusals.violations().size();
}

TEST(Refusals, ARefusalAlthoughWNodesAreThereBreaksP5) {
  Refusals refusals(0);
  refusals.judge(refused_for(ErrorCode::kTooFewNodes), reach_of_three(2));
  ASSERT_EQ(refusals.violations().size(), 1U);
  const Violation& violation = refusals.violations().front();
  EXPECT_EQ(violation.invariant, "P5");
  EXPECT_EQ(violation.key, 7U);
  EXPECT_EQ(violation.what,
            "write 0000000000000001-0000000000000002 was refused by n1 at 10.001000 s as "
            "too_few_nodes, with 1 nodes, where 2 are enough, and it reached 2 from before it was "
            "asked at 10.000000 s on");
}

TEST(Refusals, WhereThereAreTooFewItIsRight) {
  EXPECT_EQ(breaches(refused_for(ErrorCode::kTooFewNodes), reach_of_three(1)), 0U);
  AnsweredWrite all = refused_for(ErrorCode::kTooFewNodes);
  all.quorum = 3;
  EXPECT_EQ(breaches(all, reach_of_three(2)), 0U);
  EXPECT_EQ(breaches(all, reach_of_three(3)), 1U);
  AnsweredWrite durable = refused_for(ErrorCode::kTooFewNodes);
  durable.durable = 3;
  EXPECT_EQ(breaches(durable, reach_of_three(2)), 0U);
  EXPECT_EQ(breaches(durable, reach_of_three(3)), 1U);
}

// The judge does not know which nodes own the key.
TEST(Refusals, OneThatAsksForOwnersIsOwedWhereAllNodesAreThere) {
  AnsweredWrite write = refused_for(ErrorCode::kTooFewNodes);
  write.owners = 1;
  EXPECT_EQ(breaches(write, reach_of_three(2)), 0U);
  EXPECT_EQ(breaches(write, reach_of_three(3)), 1U);
}

TEST(Refusals, SpareNodesMayBeAskedFor) {
  EXPECT_EQ(breaches(refused_for(ErrorCode::kTooFewNodes), reach_of_three(2), 1), 0U);
  EXPECT_EQ(breaches(refused_for(ErrorCode::kTooFewNodes), reach_of_three(3), 1), 1U);
}

TEST(Refusals, WhatTheRequestItselfAndItsLimitsAreReasonsForIsAllowed) {
  const Reach reach = reach_of_three(3);
  for (const ErrorCode code : {ErrorCode::kBadRequest, ErrorCode::kBadContext, ErrorCode::kTooLarge,
                               ErrorCode::kTooManySiblings, ErrorCode::kWriteIdExpired,
                               ErrorCode::kOverloaded, ErrorCode::kUnreadable}) {
    EXPECT_EQ(breaches(refused_for(code), reach), 0U) << to_string(code);
  }
  for (const ErrorCode code :
       {ErrorCode::kTooFewNodes, ErrorCode::kHistoryMismatch, ErrorCode::kNotMember,
        ErrorCode::kDiskFull, ErrorCode::kIo, ErrorCode::kCorrupt, ErrorCode::kNotSupported,
        ErrorCode::kClosed, ErrorCode::kConflict}) {
    EXPECT_EQ(breaches(refused_for(code), reach), 1U) << to_string(code);
  }
}

TEST(Refusals, ATimeThatWasTooShortIsAReasonAndOneThatWasLongIsNone) {
  AnsweredWrite write = refused_for(ErrorCode::kTimeout);
  EXPECT_EQ(breaches(write, reach_of_three(3)), 0U);
  write.end = write.begin + Refusals::kTimeEnough;
  EXPECT_EQ(breaches(write, reach_of_three(3)), 1U);
}

TEST(Refusals, OnlyNotAppliedIsARefusal) {
  AnsweredWrite write = refused_for(ErrorCode::kTooFewNodes);
  for (const Outcome outcome : {Outcome::kOk, Outcome::kUnknown}) {
    write.outcome = outcome;
    EXPECT_EQ(breaches(write, reach_of_three(3)), 0U) << to_string(outcome);
  }
}

TEST(Refusals, CountsWhatItCouldJudgeWhateverItsAnswer) {
  Refusals refusals(0);
  AnsweredWrite write = refused_for(ErrorCode::kOverloaded);
  refusals.judge(write, reach_of_three(1));
  refusals.judge(write, reach_of_three(2));
  write.outcome = Outcome::kOk;
  refusals.judge(write, reach_of_three(2));
  refusals.judge(write, reach_of_three(3));
  EXPECT_EQ(refusals.answered(), 4U);
  EXPECT_EQ(refusals.owed(), 3U);
  EXPECT_EQ(refusals.owed_by_few(), 2U);
  EXPECT_TRUE(refusals.violations().empty());
}

TEST(Refusals, TellsTheFirstFew) {
  Refusals refusals(0);
  for (int i = 0; i < 100; ++i) {
    refusals.judge(refused_for(ErrorCode::kTooFewNodes), reach_of_three(3));
  }
  EXPECT_EQ(refusals.violations().size(), 8U);
  EXPECT_EQ(refusals.owed(), 100U);
}

}  // namespace
}  // namespace stator::sim

#include "core/quorum/write_round.h"

#include <gtest/gtest.h>

#include <string>

#include "core/quorum/round_model.h"

namespace stator {
namespace {

constexpr MonoTime kStart{};
constexpr MonoTime kDeadline = kStart + milliseconds(1'000);
constexpr std::uint64_t kObject = 7;  // digest of the object sent

WriteOptions options(std::uint8_t w, std::uint8_t n = 3) {
  WriteOptions o;
  o.n = n;
  o.w = w;
  o.deadline = kDeadline;
  o.hedge_after = milliseconds(20);
  o.durable_after = milliseconds(50);
  o.straggler_window = milliseconds(100);
  return o;
}

char letter(std::uint8_t attempt) {
  if (attempt > 1) return 'n';
  return attempt == 1 ? 'S' : 's';
}

/// All wishes of now as one line: s2 = send to 2, S2 = the same in attempt 1, n2 = send to 2 again,
/// under another name, s2* = and be durable, d2 = be durable.
std::string wishes(WriteRound& round) {
  std::string line;
  while (const auto wish = round.next()) {
    if (!line.empty()) line += ' ';
    switch (wish->kind) {
      case WriteWish::Kind::kMore: line += "more"; break;
      case WriteWish::Kind::kStore: line += "store"; break;
      case WriteWish::Kind::kSend:
        line += letter(wish->attempt) + std::to_string(wish->replica);
        if (wish->durable) line += '*';
        break;
      case WriteWish::Kind::kSync: line += "d" + std::to_string(wish->replica); break;
      case WriteWish::Kind::kCover: line += "cover"; break;
      case WriteWish::Kind::kAnswer: line += "answer"; break;
      case WriteWish::Kind::kFail:
        line += std::string("fail:") + to_string(wish->code) + ":" + to_string(wish->outcome) +
                ":" + std::to_string(wish->got) + "/" + std::to_string(wish->needed);
        break;
      case WriteWish::Kind::kRepair: line += "repair"; break;
      case WriteWish::Kind::kFinished: line += "finished"; break;
    }
  }
  return line;
}

class WriteRoundTest : public testing::Test {
 protected:
  /// Up to the moment where the version is minted.
  void start(const WriteOptions& o, const std::vector<Candidate>& list, ReplicaIndex local) {
    round.start(o, list, local, kStart);
    ASSERT_EQ(wishes(round), "store");
    round.on_minted(kObject, now);
  }
  void ack(ReplicaIndex i, std::uint64_t digest = kObject, bool durable = true) {
    round.on_ack(i, round.attempt_of(i), digest, durable, now);
  }
  WriteRound round;
  MonoTime now = kStart + milliseconds(1);
};

TEST_F(WriteRoundTest, StoresThenSendsToAllOthersAndAnswersAtW) {
  start(options(2), model::candidates(3, 3), 1);
  EXPECT_EQ(wishes(round), "s0 s2");
  ack(1);
  EXPECT_EQ(wishes(round), "") << "W-1 others (paper 4.5)";
  ack(2);
  EXPECT_EQ(wishes(round), "answer");
  EXPECT_EQ(round.evidence(), (QuorumEvidence{2, 0, 2, 2}));
  ack(0);
  EXPECT_EQ(wishes(round), "finished");
  EXPECT_TRUE(round.owners_missing().empty());
}

TEST_F(WriteRoundTest, ForWIsOneTheLocalWriteIsEnough) {
  start(options(1), model::candidates(3, 3), 0);
  EXPECT_EQ(wishes(round), "s1 s2");
  ack(0);
  EXPECT_EQ(wishes(round), "answer");
  EXPECT_EQ(round.not_acked(), ReplicaSet(0b110));
}

TEST_F(WriteRoundTest, OthersMayAnswerBeforeTheLocalDisk) {
  start(options(2), model::candidates(3, 3), 0);
  EXPECT_EQ(wishes(round), "s1 s2");
  ack(1);
  ack(2);
  EXPECT_EQ(wishes(round), "answer");
  EXPECT_EQ(round.acked(), ReplicaSet(0b110));
}

TEST_F(WriteRoundTest, AnAcknowledgementBeforeTheMintIsOfNothing) {
  round.start(options(1), model::candidates(3, 3), 0, kStart);
  ack(0);
  round.on_minted(kObject, now);
  EXPECT_EQ(wishes(round), "store s1 s2");
  ack(0);
  EXPECT_EQ(wishes(round), "answer");
}

TEST_F(WriteRoundTest, ARefusedLocalStoreIsNotApplied) {
  round.start(options(2), model::candidates(3, 3), 0, kStart);
  round.on_failure(0, 0, ErrorCode::kDiskFull, now);
  EXPECT_EQ(wishes(round), "store fail:disk_full:not_applied:0/2 finished");
}

TEST_F(WriteRoundTest, ADeadlineBeforeTheMintIsNotApplied) {
  round.start(options(2), model::candidates(3, 3), 0, kStart);
  round.on_tick(kDeadline);
  EXPECT_EQ(wishes(round), "store fail:timeout:not_applied:0/2 finished");
}

TEST_F(WriteRoundTest, MoreNodesThanThereAreIsNotAppliedAndNothingIsStored) {
  round.start(options(3), model::candidates(2, 2), 0, kStart);
  EXPECT_EQ(wishes(round), "fail:too_few_nodes:not_applied:2/3 finished");
}

TEST_F(WriteRoundTest, AnythingAfterTheMintIsUnknown) {
  start(options(2, 2), model::candidates(2, 2), 0);
  EXPECT_EQ(wishes(round), "s1");
  ack(0);
  round.on_failure(1, 0, ErrorCode::kClosed, now);
  EXPECT_EQ(wishes(round), "fail:too_few_nodes:unknown:1/2 finished");
}

TEST_F(WriteRoundTest, ADeadlineAfterTheMintIsUnknown) {
  start(options(3), model::candidates(3, 3), 0);
  ack(0);
  ack(1);
  round.on_tick(kDeadline);
  EXPECT_EQ(wishes(round), "s1 s2 fail:timeout:unknown:2/3 finished");
}

TEST_F(WriteRoundTest, UsableStandInsTakeThePlacesOfOwnersBelievedDown) {
  start(options(2), model::candidates(5, 3, 0b11101), 0);
  EXPECT_EQ(wishes(round), "s2 s3");
  ack(0);
  ack(3);
  EXPECT_EQ(wishes(round), "answer");
  EXPECT_EQ(round.evidence(), (QuorumEvidence{1, 1, 2, 2}));
}

TEST_F(WriteRoundTest, AStandInStandsForAnOwnerWhoIsMissed) {
  start(options(2), model::candidates(5, 3, 0b11101), 0);
  EXPECT_EQ(wishes(round), "s2 s3");
  EXPECT_EQ(round.stands_for(3), 1) << "the hint names the owner (paper 4.6)";
  EXPECT_EQ(round.stands_for(2), kNoReplica);
  round.on_failure(2, 0, ErrorCode::kClosed, now);
  EXPECT_EQ(wishes(round), "s4");
  EXPECT_EQ(round.stands_for(4), 2);
  ack(0);
  ack(3);
  EXPECT_EQ(wishes(round), "answer");
  EXPECT_EQ(round.unserved(), ReplicaSet(0b100)) << "4 has not said that it keeps it for 2";
  EXPECT_EQ(round.owners_missing(), ReplicaSet(0b110));
  ack(4);
  EXPECT_TRUE(round.unserved().empty());
}

TEST_F(WriteRoundTest, AStandInThatCoordinatesStandsForTheFirstOwnerThatIsAway) {
  start(options(1), model::candidates(4, 3, 0b1000), 3);
  EXPECT_EQ(round.stands_for(3), 0);
  EXPECT_EQ(wishes(round), "s1 s2") << "nobody else is left: they are tried all the same";
  ack(3);
  EXPECT_EQ(wishes(round), "answer");
  EXPECT_EQ(round.evidence(), (QuorumEvidence{0, 1, 1, 1}));
  EXPECT_EQ(round.unserved(), ReplicaSet(0b110));
}

TEST_F(WriteRoundTest, OthersAreNamedOnlyWhereAnOwnerIsMissed) {
  WriteOptions o = options(2);
  o.more = true;
  start(o, model::candidates(3, 3), 0);
  EXPECT_EQ(wishes(round), "s1 s2") << "a healthy cluster looks up nobody else";
  const auto list = model::candidates(5, 3);
  round.on_failure(1, 0, ErrorCode::kClosed, now);
  EXPECT_EQ(wishes(round), "more");
  round.add_candidates(std::span(list).subspan(3), now);
  EXPECT_EQ(wishes(round), "s3");
  EXPECT_EQ(round.stands_for(3), 1);
  ack(0);
  ack(3);
  EXPECT_EQ(wishes(round), "answer");
}

TEST_F(WriteRoundTest, WhoIsNamedLaterSavesAWriteWhoseOwnersAllFailed) {
  WriteOptions o = options(2);
  o.more = true;
  start(o, model::candidates(3, 3), 0);
  ack(0);
  round.on_failure(1, 0, ErrorCode::kClosed, now);
  round.on_failure(2, 0, ErrorCode::kClosed, now);
  EXPECT_EQ(wishes(round), "s1 s2 more");
  round.add_candidates({}, now);
  EXPECT_EQ(wishes(round), "fail:too_few_nodes:unknown:1/2 finished");
}

TEST_F(WriteRoundTest, FewerUsableNodesThanWIsNotAppliedAndNothingIsStored) {
  WriteOptions o = options(2);
  o.more = true;
  round.start(o, model::candidates(3, 3, 0b001), 0, kStart);
  EXPECT_EQ(wishes(round), "more");
  round.add_candidates({}, now);
  EXPECT_EQ(wishes(round), "fail:too_few_nodes:not_applied:1/2 finished");
  EXPECT_FALSE(round.minted());
}

TEST_F(WriteRoundTest, ANodeThatWasNeverHeardOfIsWorthATry) {
  auto list = model::candidates(3, 3, 0b001);
  list[2].away = false;
  start(options(2), list, 0);
  EXPECT_EQ(wishes(round), "s1 s2");
}

TEST_F(WriteRoundTest, StandInsMakeUpForOwnersThatAreAwayFromTheStart) {
  WriteOptions o = options(2);
  o.more = true;
  round.start(o, model::candidates(3, 3, 0b001), 0, kStart);
  EXPECT_EQ(wishes(round), "more");
  const auto list = model::candidates(4, 3);
  round.add_candidates(std::span(list).subspan(3), now);
  EXPECT_EQ(wishes(round), "store");
  round.on_minted(kObject, now);
  EXPECT_EQ(wishes(round), "s3 s2") << "then an owner that has no copy yet";
  EXPECT_EQ(round.stands_for(3), 1);
  ack(0);
  ack(3);
  EXPECT_EQ(wishes(round), "answer");
}

TEST_F(WriteRoundTest, PrimariesThatAreAwayAreNotReplaced) {
  WriteOptions o = options(2);
  o.pw = 2;
  round.start(o, model::candidates(5, 3, 0b11001), 0, kStart);
  EXPECT_EQ(wishes(round), "fail:too_few_nodes:not_applied:1/2 finished");
}

TEST_F(WriteRoundTest, WithoutStandInsAnOwnerBelievedDownIsTriedAllTheSame) {
  start(options(2), model::candidates(3, 3, 0b101), 0);
  EXPECT_EQ(wishes(round), "s2 s1");
}

TEST_F(WriteRoundTest, AFailedReplicaIsReplacedBeforeAndAfterTheAnswer) {
  start(options(2), model::candidates(5, 3), 0);
  EXPECT_EQ(wishes(round), "s1 s2");
  round.on_failure(1, 0, ErrorCode::kClosed, now);
  EXPECT_EQ(wishes(round), "s3");
  ack(0);
  ack(3);
  EXPECT_EQ(wishes(round), "answer");
  round.on_failure(2, 0, ErrorCode::kClosed, now);
  EXPECT_EQ(wishes(round), "s4") << "the copies are owed after the answer, too";
  ack(4);
  EXPECT_EQ(wishes(round), "finished");
}

TEST_F(WriteRoundTest, ASilentReplicaIsReplacedAndMayStillCount) {
  start(options(2), model::candidates(4, 3), 0);
  EXPECT_EQ(wishes(round), "s1 s2");
  ack(0);
  EXPECT_EQ(round.wake_at(), kStart + milliseconds(21));
  round.on_tick(kStart + milliseconds(21));
  EXPECT_EQ(wishes(round), "s3");
  ack(1);
  EXPECT_EQ(wishes(round), "answer");
}

// D9, D14: once the hint is delivered, the stand-in's copy is gone.
TEST_F(WriteRoundTest, AStandInAndItsOwnerAreOnePlace) {
  start(options(3), model::candidates(5, 3), 0);
  EXPECT_EQ(wishes(round), "s1 s2");
  ack(0);
  round.on_tick(kStart + milliseconds(21));
  EXPECT_EQ(wishes(round), "s3 s4");
  EXPECT_EQ(round.stands_for(3), 1);
  ack(3);
  ack(1);
  EXPECT_EQ(wishes(round), "") << "three nodes, and 0 and 1 will have it in the end";
  EXPECT_EQ(round.places(), ReplicaSet(0b011));
  ack(4);
  EXPECT_EQ(wishes(round), "answer");
  EXPECT_EQ(round.evidence(), (QuorumEvidence{2, 1, 3, 2})) << "4 for 2, and 3 for nobody";
}

TEST_F(WriteRoundTest, ALateOwnerAndItsStandInAreOneOfThePlacesThatAreMissing) {
  start(options(3), model::candidates(4, 3), 0);
  ack(0);
  round.on_tick(kStart + milliseconds(21));
  EXPECT_EQ(wishes(round), "s1 s2 s3");
  ack(1);
  ack(3);
  EXPECT_EQ(wishes(round), "n3") << "2 is silent";
  round.on_tick(kDeadline);
  EXPECT_EQ(wishes(round), "fail:timeout:unknown:2/3 finished");
}

TEST_F(WriteRoundTest, APlaceThatFailsIsFilledThoughItsNeighbourHasTwoCopies) {
  start(options(3), model::candidates(6, 3), 0);
  ack(0);
  round.on_tick(kStart + milliseconds(21));
  EXPECT_EQ(wishes(round), "s1 s2 s3 s4");
  ack(1);
  ack(3);
  round.on_failure(4, 0, ErrorCode::kClosed, now);
  EXPECT_EQ(wishes(round), "s5") << "another node comes before another name";
  EXPECT_EQ(round.stands_for(5), 2);
  ack(5);
  EXPECT_EQ(wishes(round), "answer");
}

TEST_F(WriteRoundTest, ALocalDiskThatIsSlowIsOnePlaceWithItsStandIn) {
  start(options(2), model::candidates(4, 3), 0);
  round.on_tick(kStart + milliseconds(21));
  EXPECT_EQ(wishes(round), "s1 s2 s3");
  EXPECT_EQ(round.stands_for(3), 0) << "this disk is as silent as the others";
  ack(3);
  ack(0);
  EXPECT_EQ(wishes(round), "n3") << "not needed for 0 any more";
  EXPECT_EQ(round.stands_for(3), 1);
  ack(3);
  EXPECT_EQ(wishes(round), "answer");
  EXPECT_EQ(round.evidence(), (QuorumEvidence{1, 1, 2, 2}));
}

// P5: W nodes that can be reached are W places, whoever answered late.
TEST_F(WriteRoundTest, AStandInThatIsSpareStandsForAnotherOwner) {
  start(options(3), model::candidates(4, 3), 0);
  ack(0);
  round.on_tick(kStart + milliseconds(21));
  EXPECT_EQ(wishes(round), "s1 s2 s3");
  ack(3);
  round.on_failure(2, 0, ErrorCode::kClosed, now);
  EXPECT_EQ(wishes(round), "") << "1 may still answer";
  ack(1);
  EXPECT_EQ(wishes(round), "n3");
  EXPECT_EQ(round.stands_for(3), 2);
  EXPECT_EQ(round.attempt_of(3), 2);
  round.on_ack(3, 0, kObject, true, now);
  round.on_failure(3, 0, ErrorCode::kClosed, now);
  EXPECT_EQ(wishes(round), "") << "what was sent under its old name tells nothing of the new one";
  ack(3);
  EXPECT_EQ(wishes(round), "answer finished");
  EXPECT_EQ(round.evidence(), (QuorumEvidence{2, 1, 3, 2}));
  EXPECT_TRUE(round.unserved().empty());
}

TEST_F(WriteRoundTest, NobodyGetsAnotherNameAfterTheAnswer) {
  start(options(2), model::candidates(4, 3), 0);
  EXPECT_EQ(wishes(round), "s1 s2");
  ack(0);
  round.on_tick(kStart + milliseconds(21));
  EXPECT_EQ(wishes(round), "s3");
  ack(3);
  EXPECT_EQ(wishes(round), "answer");
  ack(1);
  round.on_failure(2, 0, ErrorCode::kClosed, now);
  EXPECT_EQ(wishes(round), "finished");
  EXPECT_EQ(round.stands_for(3), 1);
  EXPECT_EQ(round.unserved(), ReplicaSet(0b100)) << "the coordinator keeps a hint for it";
}

TEST_F(WriteRoundTest, AStandInThatCoordinatesKeepsItForAnotherOwnerToo) {
  WriteOptions o = options(3);
  o.cover = true;
  auto list = model::candidates(4, 3, 0b1001);
  list[1].away = list[2].away = false;
  start(o, list, 3);
  EXPECT_EQ(round.stands_for(3), 1);
  EXPECT_EQ(wishes(round), "s0 s2");
  ack(3);
  ack(0);
  round.on_failure(2, 0, ErrorCode::kClosed, now);
  EXPECT_EQ(wishes(round), "s1") << "its own place is taken, and nobody else is left";
  ack(1);
  EXPECT_EQ(wishes(round), "n3");
  EXPECT_EQ(round.stands_for(3), 2);
  EXPECT_TRUE(round.renamed(3));
  ack(3, 9);
  EXPECT_EQ(wishes(round), "cover");
  round.on_covered(12, now);
  EXPECT_EQ(round.stands_for(3), 1) << "what is covered is the object that it minted";
  EXPECT_EQ(wishes(round), "S0 S1");
  ack(3, 12);
  ack(0, 12);
  ack(1, 12);
  EXPECT_EQ(wishes(round), "n3");
  ack(3, 12);
  EXPECT_EQ(wishes(round), "answer finished");
}

TEST_F(WriteRoundTest, PrimariesAreInsistedOn) {
  WriteOptions o = options(2, 2);
  o.pw = 2;
  start(o, model::candidates(4, 2), 0);
  EXPECT_EQ(wishes(round), "s1");
  ack(0);
  round.on_tick(kStart + milliseconds(21));
  EXPECT_EQ(wishes(round), "s2");
  ack(2);
  EXPECT_EQ(wishes(round), "");
  round.on_failure(1, 0, ErrorCode::kOverloaded, now);
  EXPECT_EQ(wishes(round), "fail:overloaded:unknown:1/2 finished");
}

TEST_F(WriteRoundTest, DurableCopiesAreInsistedOn) {
  WriteOptions o = options(1);
  o.dw = 2;
  start(o, model::candidates(3, 3), 0);
  EXPECT_EQ(wishes(round), "s1 s2");
  ack(0, kObject, false);
  ack(1, kObject, true);
  EXPECT_EQ(wishes(round), "");
  ack(0, kObject, true);  // the local disk reports later
  EXPECT_EQ(wishes(round), "answer");
}

TEST_F(WriteRoundTest, DurableCopiesThatCannotComeEndIt) {
  WriteOptions o = options(1);
  o.dw = 3;
  start(o, model::candidates(3, 3), 0);
  ack(0);
  ack(1, kObject, false);
  EXPECT_EQ(wishes(round), "s1 s2 fail:too_few_nodes:unknown:1/3 finished");
}

/// Durability `one` (paper 6.1): the first in preference order is chosen.
WriteOptions one_durable(std::uint8_t w) {
  WriteOptions o = options(w);
  o.durable_one = true;
  return o;
}

TEST_F(WriteRoundTest, OneCopyIsAskedToBeDurableAndNobodyWaitsForIt) {
  start(one_durable(2), model::candidates(3, 3), 0);
  EXPECT_EQ(wishes(round), "s1* s2");
  EXPECT_EQ(round.asked_durable(), ReplicaSet(0b010));
  ack(0, kObject, false);
  ack(2, kObject, false);
  EXPECT_EQ(wishes(round), "answer");
  EXPECT_EQ(round.wake_at(), now + milliseconds(20)) << "1 has not said that it has it";
  ack(1, kObject, false);
  EXPECT_EQ(wishes(round), "repair") << "everybody has it, and it is on no disk";
  EXPECT_TRUE(round.lacks_durable());
  ack(1, kObject, true);
  EXPECT_EQ(wishes(round), "finished");
  EXPECT_FALSE(round.lacks_durable());
}

TEST_F(WriteRoundTest, TheDurableOneCountsTowardWBeforeItIsDurable) {
  start(one_durable(3), model::candidates(3, 3), 0);
  EXPECT_EQ(wishes(round), "s1* s2");
  for (const ReplicaIndex i : {0, 1, 2}) ack(i, kObject, false);
  EXPECT_EQ(wishes(round), "answer repair");
}

TEST_F(WriteRoundTest, AnotherIsAskedWhenTheDurableOneFails) {
  start(one_durable(2), model::candidates(3, 3), 0);
  EXPECT_EQ(wishes(round), "s1* s2");
  for (const ReplicaIndex i : {0, 1, 2}) ack(i, kObject, false);
  EXPECT_EQ(wishes(round), "answer repair");
  round.on_failure(1, 0, ErrorCode::kIo, now);
  EXPECT_EQ(wishes(round), "d2");
  EXPECT_EQ(round.acked().size(), 3) << "its copy is there all the same";
  round.on_failure(2, 0, ErrorCode::kClosed, now);
  EXPECT_EQ(wishes(round), "d0") << "the coordinator comes last";
  ack(0, kObject, true);
  EXPECT_EQ(wishes(round), "finished");
}

TEST_F(WriteRoundTest, TheRoundWakesUpWhenAnotherIsToBeAsked) {
  start(one_durable(2), model::candidates(3, 3), 0);
  EXPECT_EQ(wishes(round), "s1* s2");
  for (const ReplicaIndex i : {0, 1, 2}) ack(i, kObject, false);
  EXPECT_EQ(wishes(round), "answer repair");
  EXPECT_EQ(round.wake_at(), now + milliseconds(50));
  round.on_tick(now + milliseconds(50));
  EXPECT_EQ(wishes(round), "d2");
  EXPECT_EQ(round.syncing(), ReplicaSet(0b110));
  ack(1, kObject, true);  // late, and as good as any
  EXPECT_EQ(wishes(round), "finished");
}

TEST_F(WriteRoundTest, WhoIsAskedLastHasTimeUntilTheDeadline) {
  start(one_durable(1), model::candidates(1, 1), 0);
  EXPECT_EQ(wishes(round), "d0");
  ack(0, kObject, false);
  EXPECT_EQ(wishes(round), "answer repair");
  EXPECT_EQ(round.wake_at(), kDeadline);
  now = kDeadline - milliseconds(1);
  round.on_tick(now);
  EXPECT_EQ(wishes(round), "");
  ack(0, kObject, true);
  EXPECT_EQ(wishes(round), "finished");
  EXPECT_FALSE(round.lacks_durable());
}

TEST_F(WriteRoundTest, WhatElseIsOwedDoesNotWaitForADisk) {
  start(one_durable(1), model::candidates(3, 3), 0);
  ack(0, kObject, false);
  ack(1, 9, false);
  EXPECT_EQ(wishes(round), "s1* s2 answer");
  round.on_tick(now + milliseconds(50));
  EXPECT_EQ(wishes(round), "d0") << "2 is silent: it is asked last";
  round.on_tick(now + milliseconds(100));
  EXPECT_EQ(wishes(round), "repair d2") << "the window for stragglers is over";
  EXPECT_EQ(round.differing(), ReplicaSet(0b010));
  EXPECT_EQ(round.unserved(), ReplicaSet(0b100));
  round.on_ack(0, 0, kObject, true, now + milliseconds(100));
  EXPECT_EQ(wishes(round), "finished");
}

TEST_F(WriteRoundTest, ItEndsWhenEverybodyWasAskedInVain) {
  start(one_durable(1), model::candidates(2, 2), 0);
  EXPECT_EQ(wishes(round), "s1*");
  ack(0, kObject, false);
  ack(1, kObject, false);
  round.on_failure(1, 0, ErrorCode::kNotSupported, now);
  EXPECT_EQ(wishes(round), "answer repair d0");
  round.on_failure(0, 0, ErrorCode::kIo, now);
  EXPECT_EQ(wishes(round), "finished");
  EXPECT_TRUE(round.lacks_durable());
}

TEST_F(WriteRoundTest, ItEndsAtTheDeadlineAlthoughNobodyIsDurable) {
  start(one_durable(1), model::candidates(3, 3), 0);
  for (const ReplicaIndex i : {0, 1, 2}) ack(i, kObject, false);
  EXPECT_EQ(wishes(round), "s1* s2 answer repair");
  round.on_tick(kDeadline);
  EXPECT_EQ(wishes(round), "finished");
  EXPECT_TRUE(round.lacks_durable());
}

TEST_F(WriteRoundTest, ACopyThatIsDurableAnywayIsEnough) {
  start(one_durable(2), model::candidates(3, 3), 0);
  for (const ReplicaIndex i : {0, 1}) ack(i, kObject, false);
  ack(2, kObject, true);
  EXPECT_EQ(wishes(round), "s1* s2 answer finished");
}

TEST_F(WriteRoundTest, AStandInMayBeTheDurableOne) {
  WriteOptions o = one_durable(1);
  o.more = true;
  start(o, model::candidates(3, 3, 0b001), 0);
  EXPECT_EQ(wishes(round), "more") << "who else is there decides who is asked";
  const std::vector<Candidate> all = model::candidates(5, 3);
  round.add_candidates(std::span(all).last(2), now);
  EXPECT_EQ(wishes(round), "s3* s4");
}

TEST_F(WriteRoundTest, AStandInWithAnotherNameIsAskedForThatCopyAnew) {
  start(one_durable(3), model::candidates(4, 3), 0);
  EXPECT_EQ(wishes(round), "s1* s2");
  ack(0, kObject, false);
  round.on_tick(kStart + milliseconds(21));
  EXPECT_EQ(wishes(round), "s3*") << "1 and 2 say nothing";
  ack(3, kObject, false);
  round.on_failure(2, 0, ErrorCode::kClosed, now);
  EXPECT_EQ(wishes(round), "");
  ack(1, kObject, false);
  EXPECT_EQ(wishes(round), "n3*");
  EXPECT_EQ(round.asked_durable(), ReplicaSet(0b1010));
  ack(3, kObject, false);
  EXPECT_EQ(wishes(round), "answer repair");
  round.on_ack(3, 0, kObject, true, now);
  EXPECT_EQ(wishes(round), "") << "that was the copy under its old name";
  ack(3, kObject, true);
  EXPECT_EQ(wishes(round), "finished");
  EXPECT_FALSE(round.lacks_durable());
}

TEST_F(WriteRoundTest, WhatAStandInHasMadeDurableStaysSoUnderAnotherName) {
  start(one_durable(3), model::candidates(4, 3), 0);
  EXPECT_EQ(wishes(round), "s1* s2");
  ack(0, kObject, false);
  round.on_tick(kStart + milliseconds(21));
  EXPECT_EQ(wishes(round), "s3*");
  ack(3, kObject, true);
  round.on_failure(2, 0, ErrorCode::kClosed, now);
  ack(1, kObject, false);
  EXPECT_EQ(wishes(round), "n3") << "one copy is on a disk, under whatever name";
  EXPECT_TRUE(round.durable().empty()) << "the one that will count is not";
  ack(3, kObject, false);
  EXPECT_EQ(wishes(round), "answer finished");
  EXPECT_FALSE(round.lacks_durable());
}

TEST_F(WriteRoundTest, WhatIsCoveredAgainIsAskedToBeDurableAgain) {
  WriteOptions o = one_durable(2);
  o.cover = true;
  start(o, model::candidates(3, 3), 0);
  ack(0, kObject, false);
  ack(1, 9, false);
  EXPECT_EQ(wishes(round), "s1* s2 cover");
  round.on_covered(12, now);
  EXPECT_EQ(wishes(round), "S1* S2");
  round.on_ack(1, 0, 9, true, now);  // of the attempt before
  EXPECT_TRUE(round.durable().empty());
}

TEST_F(WriteRoundTest, AWriteWithAContextOnlyReportsWhoHoldsMore) {
  start(options(2), model::candidates(3, 3), 0);
  ack(0);
  ack(1, 9);
  EXPECT_EQ(wishes(round), "s1 s2 answer") << "it counts: siblings are wanted";
  EXPECT_EQ(round.differing(), ReplicaSet(0b010));
  EXPECT_EQ(round.digest_of(1), 9U);
}

TEST_F(WriteRoundTest, APlainWriteCoversWhatItWasShownBeforeItAnswers) {
  WriteOptions o = options(2);
  o.cover = true;
  start(o, model::candidates(3, 3), 0);
  ack(0);
  ack(1, 9);
  EXPECT_EQ(wishes(round), "s1 s2 cover");
  round.on_covered(12, now);
  EXPECT_EQ(wishes(round), "S1 S2");
  round.on_ack(2, 0, kObject, true, now);
  ack(0, 12);
  EXPECT_EQ(wishes(round), "") << "acknowledgements of attempt 0 do not count any more";
  ack(1, 15);
  EXPECT_EQ(wishes(round), "answer") << "whatever shows up now ran beside this write";
  EXPECT_EQ(round.differing(), ReplicaSet(0b010));
}

TEST_F(WriteRoundTest, APlainWriteThatCannotCoverWhatItWasShownIsUnknown) {
  WriteOptions o = options(2);
  o.cover = true;
  start(o, model::candidates(3, 3), 0);
  ack(0);
  ack(1, 9);
  EXPECT_EQ(wishes(round), "s1 s2 cover");
  round.on_cover_failed(ErrorCode::kUnreadable);
  EXPECT_EQ(wishes(round), "fail:unreadable:unknown:2/2 finished");
}

TEST_F(WriteRoundTest, APlainWriteThatIsSupersededAlreadyNeedsNoCover) {
  WriteOptions o = options(2);
  o.cover = true;
  start(o, model::candidates(3, 3), 0);
  ack(0);
  ack(1, 9);
  EXPECT_EQ(wishes(round), "s1 s2 cover");
  round.on_cover_refused(now);
  EXPECT_EQ(wishes(round), "answer");
}

TEST_F(WriteRoundTest, APlainWriteThatNobodyContradictsIsOneRoundTrip) {
  WriteOptions o = options(2);
  o.cover = true;
  start(o, model::candidates(3, 3), 0);
  ack(0);
  ack(2);
  EXPECT_EQ(wishes(round), "s1 s2 answer");
}

TEST_F(WriteRoundTest, OneAcknowledgementCountsOnce) {
  start(options(3), model::candidates(3, 3), 0);
  ack(0);
  ack(1);
  ack(1);
  ack(1);
  EXPECT_EQ(wishes(round), "s1 s2");
}

}  // namespace
}  // namespace stator

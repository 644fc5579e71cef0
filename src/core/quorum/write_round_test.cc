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

/// All wishes of now as one line: s2 = send to 2, S2 = the same in attempt 1, s2* = and be durable,
/// d2 = be durable.
std::string wishes(WriteRound& round) {
  std::string line;
  while (const auto wish = round.next()) {
    if (!line.empty()) line += ' ';
    switch (wish->kind) {
      case WriteWish::Kind::kMore: line += "more"; break;
      case WriteWish::Kind::kStore: line += "store"; break;
      case WriteWish::Kind::kSend:
        line += (wish->attempt == 0 ? "s" : "S") + std::to_string(wish->replica);
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
    round.on_ack(i, round.attempt(), digest, durable, now);
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
  EXPECT_EQ(wishes(round), "s0 s1") << "nobody else is left: they are tried all the same";
  EXPECT_EQ(round.stands_for(3), 0);
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
  EXPECT_EQ(wishes(round), "s3 s1") << "then whoever is left";
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

#include "core/quorum/read_round.h"

#include <gtest/gtest.h>

#include <string>

#include "core/quorum/round_model.h"

namespace stator {
namespace {

constexpr MonoTime kStart{};
constexpr MonoTime kDeadline = kStart + milliseconds(1'000);

ReadOptions options(std::uint8_t r, std::uint8_t pr = 0) {
  ReadOptions o;
  o.r = r;
  o.pr = pr;
  o.deadline = kDeadline;
  o.hedge_after = milliseconds(20);
  o.straggler_window = milliseconds(100);
  return o;
}

/// All wishes of now as one line: v2 = value of 2, d1 = digest of 1.
std::string wishes(ReadRound& round) {
  std::string line;
  while (const auto wish = round.next()) {
    if (!line.empty()) line += ' ';
    switch (wish->kind) {
      case ReadWish::Kind::kMore: line += "more"; break;
      case ReadWish::Kind::kAskValue: line += "v" + std::to_string(wish->replica); break;
      case ReadWish::Kind::kAskDigest: line += "d" + std::to_string(wish->replica); break;
      case ReadWish::Kind::kAnswer: line += "answer"; break;
      case ReadWish::Kind::kFail:
        line += std::string("fail:") + to_string(wish->code) + ":" + std::to_string(wish->got) +
                "/" + std::to_string(wish->needed);
        break;
      case ReadWish::Kind::kFinished: line += "finished"; break;
    }
  }
  return line;
}

class ReadRoundTest : public testing::Test {
 protected:
  void start(const ReadOptions& o, const std::vector<Candidate>& list, ReplicaIndex local) {
    round.start(o, list, local, kStart);
  }
  ReadRound round;
  MonoTime now = kStart + milliseconds(1);
};

TEST_F(ReadRoundTest, AsksTheValueOfTheLocalReplicaAndDigestsOfTheFirstOthers) {
  start(options(2), model::candidates(3, 3), 2);
  EXPECT_EQ(wishes(round), "v2 d0");
  round.on_value(2, 7, 7, now);
  EXPECT_EQ(wishes(round), "");
  round.on_digest(0, 7, now);
  EXPECT_EQ(wishes(round), "answer finished");
  EXPECT_EQ(round.evidence(), (QuorumEvidence{2, 0, 2, 1}));
  EXPECT_TRUE(round.stale().empty());
  EXPECT_EQ(round.owners_not_asked(), ReplicaSet(0b010));
  EXPECT_EQ(round.fastest(), 2);
}

TEST_F(ReadRoundTest, WithoutALocalReplicaTheFirstUsableGivesTheValue) {
  start(options(2), model::candidates(3, 3, 0b110), kNoReplica);
  EXPECT_EQ(wishes(round), "v1 d2");
}

TEST_F(ReadRoundTest, RIsOneMeansOneMessage) {
  start(options(1), model::candidates(3, 3), 0);
  EXPECT_EQ(wishes(round), "v0");
  round.on_value(0, 7, 7, now);
  EXPECT_EQ(wishes(round), "answer finished");
}

TEST_F(ReadRoundTest, NothingAnywhereIsAnAnswerWithoutAnyRepair) {
  start(options(2), model::candidates(3, 3), 0);
  EXPECT_EQ(wishes(round), "v0 d1");
  round.on_digest(1, 0, now);
  EXPECT_EQ(wishes(round), "");
  round.on_value(0, 0, 0, now);
  EXPECT_EQ(wishes(round), "answer finished");
  EXPECT_TRUE(round.stale().empty());
}

TEST_F(ReadRoundTest, ADigestBeforeTheValueWaitsForIt) {
  start(options(2), model::candidates(3, 3), 0);
  EXPECT_EQ(wishes(round), "v0 d1");
  round.on_digest(1, 7, now);
  EXPECT_EQ(wishes(round), "") << "the value may turn out to be the same";
  round.on_value(0, 7, 7, now);
  EXPECT_EQ(wishes(round), "answer finished");
}

TEST_F(ReadRoundTest, ADifferingDigestIsFollowedByTheValueAndTheStaleReplicaIsNamed) {
  start(options(2), model::candidates(3, 3), 0);
  EXPECT_EQ(wishes(round), "v0 d1");
  round.on_value(0, 7, 7, now);
  round.on_digest(1, 9, now);
  EXPECT_EQ(wishes(round), "v1");
  round.on_value(1, 9, 9, now);  // 9 covers 7
  EXPECT_EQ(wishes(round), "answer finished");
  EXPECT_EQ(round.stale(), ReplicaSet(0b001));
}

TEST_F(ReadRoundTest, OneValuePerDigestIsEnough) {
  start(options(4), model::candidates(4, 4), 0);
  EXPECT_EQ(wishes(round), "v0 d1 d2 d3");
  round.on_digest(1, 9, now);
  round.on_digest(2, 9, now);
  round.on_digest(3, 9, now);
  round.on_value(0, 7, 7, now);
  EXPECT_EQ(wishes(round), "v1");
  round.on_value(1, 9, 11, now);  // concurrent with 7
  EXPECT_EQ(wishes(round), "answer finished");
  EXPECT_EQ(round.stale(), ReplicaSet(0b1111)) << "nobody holds both";
}

TEST_F(ReadRoundTest, AReplicaThatCannotGiveTheValueOfItsDigestIsReplacedByOneOfTheSameDigest) {
  start(options(3), model::candidates(4, 4), 0);
  EXPECT_EQ(wishes(round), "v0 d1 d2");
  round.on_value(0, 7, 7, now);
  round.on_digest(1, 9, now);
  round.on_digest(2, 9, now);
  EXPECT_EQ(wishes(round), "v1");
  round.on_failure(1, ErrorCode::kUnreadable, now);
  EXPECT_EQ(wishes(round), "v2 d3");
  EXPECT_EQ(round.unreadable(), ReplicaSet(0b0010));
}

TEST_F(ReadRoundTest, AnUnreadableRecordIsNotNotFound) {
  start(options(2), model::candidates(2, 2), 0);
  EXPECT_EQ(wishes(round), "v0 d1");
  round.on_value(0, 0, 0, now);
  round.on_failure(1, ErrorCode::kUnreadable, now);
  EXPECT_EQ(wishes(round), "fail:unreadable:1/2 finished");
  EXPECT_FALSE(round.answered());
}

TEST_F(ReadRoundTest, AFailedReplicaIsReplacedByTheNext) {
  start(options(2), model::candidates(3, 3), 0);
  EXPECT_EQ(wishes(round), "v0 d1");
  round.on_failure(1, ErrorCode::kClosed, now);
  EXPECT_EQ(wishes(round), "d2");
  round.on_failure(0, ErrorCode::kIo, now);
  EXPECT_EQ(wishes(round), "fail:too_few_nodes:0/2 finished");
}

TEST_F(ReadRoundTest, WhenTheValueIsLostTheDigestIsAskedForIt) {
  start(options(2), model::candidates(3, 3), 0);
  EXPECT_EQ(wishes(round), "v0 d1");
  round.on_digest(1, 7, now);
  round.on_failure(0, ErrorCode::kUnreadable, now);
  EXPECT_EQ(wishes(round), "v1 d2");
  round.on_digest(2, 7, now);
  round.on_value(1, 7, 7, now);
  EXPECT_EQ(wishes(round), "answer finished");
  EXPECT_EQ(round.counted(), ReplicaSet(0b110));
}

TEST_F(ReadRoundTest, ASilentReplicaIsHedgedOnceAndMayStillCount) {
  start(options(2), model::candidates(4, 4), 0);
  EXPECT_EQ(wishes(round), "v0 d1");
  round.on_value(0, 7, 7, now);
  EXPECT_EQ(round.wake_at(), kStart + milliseconds(20));
  round.on_tick(kStart + milliseconds(19));
  EXPECT_EQ(wishes(round), "");
  round.on_tick(kStart + milliseconds(20));
  EXPECT_EQ(wishes(round), "d2");
  round.on_tick(kStart + milliseconds(25));
  EXPECT_EQ(wishes(round), "");
  round.on_digest(1, 7, kStart + milliseconds(30));
  EXPECT_EQ(wishes(round), "answer");
  round.on_digest(2, 7, kStart + milliseconds(31));
  EXPECT_EQ(wishes(round), "finished");
}

TEST_F(ReadRoundTest, ASilentValueIsAskedOfSomebodyElse) {
  start(options(1), model::candidates(3, 3), kNoReplica);
  EXPECT_EQ(wishes(round), "v0");
  round.on_tick(kStart + milliseconds(20));
  EXPECT_EQ(wishes(round), "v1");
}

TEST_F(ReadRoundTest, WhoIsBelievedDownIsTheLastResortAndNotImpossible) {
  start(options(2), model::candidates(3, 3, 0b001), 0);
  EXPECT_EQ(wishes(round), "v0 d1");
}

TEST_F(ReadRoundTest, StandInsCountAsFallbacksAndNotAsPrimaries) {
  start(options(2, 1), model::candidates(5, 3, 0b11001), 0);
  EXPECT_EQ(wishes(round), "v0 d1") << "owners that are believed down are asked first";
  round.on_failure(1, ErrorCode::kClosed, now);
  EXPECT_EQ(wishes(round), "d2");
  round.on_failure(2, ErrorCode::kClosed, now);
  EXPECT_EQ(wishes(round), "d3");
  round.on_value(0, 7, 7, now);
  round.on_digest(3, 0, now);
  EXPECT_EQ(wishes(round), "answer finished");
  EXPECT_EQ(round.evidence(), (QuorumEvidence{1, 1, 2, 2}));
}

TEST_F(ReadRoundTest, OthersAreNamedOnlyWhereOwnersAreMissed) {
  ReadOptions o = options(2);
  o.more = true;
  start(o, model::candidates(3, 3, 0b011), 0);
  EXPECT_EQ(wishes(round), "v0 d1") << "R owners are usable: nobody else is looked up";
  round.on_failure(1, ErrorCode::kClosed, now);
  EXPECT_EQ(wishes(round), "d2");
  round.on_value(0, 7, 7, now);
  round.on_tick(kStart + milliseconds(21));
  EXPECT_EQ(wishes(round), "more") << "it was believed down, and is silent";
  const auto list = model::candidates(5, 3);
  round.add_candidates(std::span(list).subspan(3), now);
  EXPECT_EQ(wishes(round), "d3");
  round.on_digest(3, 7, now);
  EXPECT_EQ(wishes(round), "answer") << "the silent one is still listened to";
  EXPECT_EQ(round.evidence(), (QuorumEvidence{1, 1, 2, 2}));
}

TEST_F(ReadRoundTest, AnOwnerThatIsOnlySlowIsWaitedFor) {
  start(options(3), model::candidates(5, 3), 0);
  EXPECT_EQ(wishes(round), "v0 d1 d2");
  round.on_value(0, 7, 7, now);
  round.on_digest(1, 7, now);
  round.on_tick(kStart + milliseconds(500));
  EXPECT_EQ(wishes(round), "") << "a stand-in may know nothing of what it holds";
  round.on_digest(2, 7, kStart + milliseconds(600));
  EXPECT_EQ(wishes(round), "answer finished");
}

TEST_F(ReadRoundTest, AnOwnerThatWasSlowFromTheStartIsWaitedForToo) {
  auto list = model::candidates(5, 3, 0b11001);
  list[1].away = list[2].away = false;
  start(options(2), list, 0);
  EXPECT_EQ(wishes(round), "v0 d1");
  round.on_value(0, 7, 7, now);
  round.on_tick(kStart + milliseconds(21));
  EXPECT_EQ(wishes(round), "d2") << "an owner, and no stand-in";
  round.on_tick(kStart + milliseconds(400));
  EXPECT_EQ(wishes(round), "");
  // It turns out to be down.
  round.on_silent(1, kStart + milliseconds(401));
  round.on_silent(2, kStart + milliseconds(401));
  EXPECT_EQ(wishes(round), "d3");
}

TEST_F(ReadRoundTest, TheSilenceOfWhoIsBelievedDownIsNotedAlsoWithoutHedges) {
  start(options(2), model::candidates(4, 3, 0b1001), 0);
  round.allow_hedges(false);
  EXPECT_EQ(wishes(round), "v0 d1");
  round.on_value(0, 7, 7, now);
  EXPECT_EQ(round.wake_at(), kStart + milliseconds(20));
  round.on_tick(kStart + milliseconds(21));
  EXPECT_EQ(wishes(round), "d2");
  round.on_tick(kStart + milliseconds(42));
  EXPECT_EQ(wishes(round), "d3");
}

// Elsewhere there may be enough.
TEST_F(ReadRoundTest, WhoOnlyThoseCouldAnswerThatAreBelievedDownIsToldSoonThatTheyDoNot) {
  start(options(2, 2), model::candidates(4, 3, 0b1001), 0);
  EXPECT_EQ(wishes(round), "v0 d1");
  round.on_value(0, 7, 7, now);
  round.on_tick(now + milliseconds(20));
  EXPECT_EQ(wishes(round), "d2") << "health is an opinion";
  round.on_tick(now + milliseconds(39));
  EXPECT_EQ(wishes(round), "");
  round.on_tick(now + milliseconds(40));
  EXPECT_EQ(wishes(round), "fail:too_few_nodes:1/2 finished");
  // Of a node that reaches nobody.
  start(options(2), model::candidates(3, 3, 0b001), 0);
  EXPECT_EQ(wishes(round), "v0 d1");
  round.on_value(0, 7, 7, now);
  round.on_tick(now + milliseconds(20));
  EXPECT_EQ(wishes(round), "d2");
  round.on_heard(1, now + milliseconds(30));
  round.on_tick(now + milliseconds(45));
  EXPECT_EQ(wishes(round), "") << "it may answer";
  round.on_digest(1, 7, now + milliseconds(46));
  EXPECT_EQ(wishes(round), "answer");
}

TEST_F(ReadRoundTest, WhoIsOnlySlowIsWaitedForToTheDeadline) {
  auto list = model::candidates(3, 3, 0b001);
  list[1].away = list[2].away = false;
  start(options(2, 2), list, 0);
  EXPECT_EQ(wishes(round), "v0 d1");
  round.on_value(0, 7, 7, now);
  round.on_tick(now + milliseconds(20));
  EXPECT_EQ(wishes(round), "d2");
  round.on_tick(kDeadline - milliseconds(1));
  EXPECT_EQ(wishes(round), "");
  round.on_tick(kDeadline);
  EXPECT_EQ(wishes(round), "fail:timeout:1/2 finished");
}

TEST_F(ReadRoundTest, WhileTheNodeComesBackThoseItBelievesDownAreWaitedFor) {
  start(options(2), model::candidates(2, 2, 0b01), 0);
  round.trust_stand_ins(false, now);
  EXPECT_EQ(wishes(round), "v0 d1");
  round.on_value(0, 7, 7, now);
  round.on_tick(now + milliseconds(100));
  EXPECT_EQ(wishes(round), "");
  round.trust_stand_ins(true, now + milliseconds(101));
  EXPECT_EQ(wishes(round), "fail:too_few_nodes:1/2 finished");
}

// A node that was cut off hears another one that is no owner first.
TEST_F(ReadRoundTest, WhileTheNodeComesBackStandInsDoNotCount) {
  ReadOptions o = options(2);
  o.more = true;
  const auto list = model::candidates(5, 3, 0b11000);
  start(o, {list.begin(), list.begin() + 3}, kNoReplica);
  EXPECT_EQ(wishes(round), "v0 d1");
  round.on_tick(now + milliseconds(20));
  EXPECT_EQ(wishes(round), "v2 more");
  round.add_candidates(std::span(list).subspan(3), now + milliseconds(20));
  EXPECT_EQ(wishes(round), "d3");
  now = now + milliseconds(40);
  round.on_tick(now);
  EXPECT_EQ(wishes(round), "v4");
  round.trust_stand_ins(false, now);
  round.on_digest(3, 0, now);
  round.on_value(4, 0, 0, now);
  EXPECT_EQ(wishes(round), "") << "both know nothing, and that of a moment ago";
  round.on_heard(0, now);
  round.on_heard(1, now);
  round.on_value(0, 7, 7, now);
  round.on_digest(1, 7, now);
  EXPECT_EQ(wishes(round), "answer");
  EXPECT_EQ(round.evidence().primaries, 2);
  EXPECT_EQ(round.evidence().fallbacks, 0);
}

TEST_F(ReadRoundTest, StandInsCountAsSoonAsTheyAreTrustedAgain) {
  start(options(2), model::candidates(4, 2, 0b1100), kNoReplica);
  round.trust_stand_ins(false, now);
  EXPECT_EQ(wishes(round), "v0 d1");
  round.on_failure(0, ErrorCode::kClosed, now);
  round.on_failure(1, ErrorCode::kClosed, now);
  EXPECT_EQ(wishes(round), "v2 d3");
  round.on_value(2, 7, 7, now);
  round.on_digest(3, 7, now);
  EXPECT_EQ(wishes(round), "");
  round.trust_stand_ins(true, now);
  EXPECT_EQ(wishes(round), "answer finished");
  EXPECT_EQ(round.evidence().fallbacks, 2);
}

TEST_F(ReadRoundTest, WhoCouldNotBeReachedIsAskedAnewOnceWhenItIsHeard) {
  start(options(2), model::candidates(3, 3), 0);
  EXPECT_EQ(wishes(round), "v0 d1");
  round.on_failure(1, ErrorCode::kClosed, now);
  EXPECT_EQ(wishes(round), "d2");
  round.on_failure(2, ErrorCode::kOverloaded, now);
  EXPECT_EQ(wishes(round), "fail:too_few_nodes:0/2 finished") << "only n0 is left";
  start(options(1), model::candidates(2, 2), kNoReplica);
  EXPECT_EQ(wishes(round), "v0");
  round.on_failure(0, ErrorCode::kClosed, now);
  EXPECT_EQ(wishes(round), "v1");
  round.on_heard(0, now);
  EXPECT_EQ(wishes(round), "") << "n1 is asked, and that is enough";
  round.on_failure(1, ErrorCode::kOverloaded, now);
  EXPECT_EQ(wishes(round), "v0");
  round.on_failure(0, ErrorCode::kClosed, now);
  EXPECT_EQ(wishes(round), "fail:too_few_nodes:0/1 finished");
}

TEST_F(ReadRoundTest, PrimariesAreInsistedOn) {
  start(options(2, 2), model::candidates(4, 2, 0b1101), 0);
  EXPECT_EQ(wishes(round), "v0 d1");
  round.on_value(0, 7, 7, now);
  round.on_failure(1, ErrorCode::kClosed, now);
  EXPECT_EQ(wishes(round), "fail:too_few_nodes:1/2 finished");
}

TEST_F(ReadRoundTest, AStragglerThatDiffersIsReadForRepair) {
  start(options(2), model::candidates(3, 3), 0);
  EXPECT_EQ(wishes(round), "v0 d1");
  round.on_tick(kStart + milliseconds(20));
  EXPECT_EQ(wishes(round), "v2");
  round.on_value(0, 7, 7, kStart + milliseconds(21));
  round.on_value(2, 7, 7, kStart + milliseconds(22));
  EXPECT_EQ(wishes(round), "answer");
  round.on_digest(1, 3, kStart + milliseconds(23));
  EXPECT_EQ(wishes(round), "v1") << "it may know more than the answer";
  round.on_value(1, 3, 7, kStart + milliseconds(24));
  EXPECT_EQ(wishes(round), "finished");
  EXPECT_EQ(round.stale(), ReplicaSet(0b010));
  EXPECT_EQ(round.counted(), ReplicaSet(0b101));
}

TEST_F(ReadRoundTest, StragglersAreNotWaitedForLongerThanTheirWindow) {
  start(options(1), model::candidates(2, 2), kNoReplica);
  round.on_tick(kStart + milliseconds(20));
  EXPECT_EQ(wishes(round), "v0 v1");
  round.on_value(1, 7, 7, kStart + milliseconds(30));
  EXPECT_EQ(wishes(round), "answer");
  round.on_tick(kStart + milliseconds(129));
  EXPECT_EQ(wishes(round), "");
  EXPECT_EQ(round.wake_at(), kStart + milliseconds(130));
  round.on_tick(kStart + milliseconds(130));
  EXPECT_EQ(wishes(round), "finished");
}

TEST_F(ReadRoundTest, TheDeadlineEndsIt) {
  start(options(2), model::candidates(2, 2), 0);
  EXPECT_EQ(wishes(round), "v0 d1");
  round.on_value(0, 7, 7, now);
  round.on_tick(kDeadline);
  EXPECT_EQ(wishes(round), "fail:timeout:1/2 finished");
}

TEST_F(ReadRoundTest, MoreReplicasThanThereAreIsRefusedAtOnce) {
  start(options(3), model::candidates(2, 2), 0);
  EXPECT_EQ(wishes(round), "fail:too_few_nodes:0/3 finished");
}

TEST_F(ReadRoundTest, ADifferentHistoryIsToldApartSinceARetryCuresIt) {
  start(options(2), model::candidates(3, 3), 0);
  round.on_failure(1, ErrorCode::kClosed, now);
  round.on_failure(2, ErrorCode::kHistoryMismatch, now);
  EXPECT_EQ(wishes(round), "v0 d1 d2 fail:history_mismatch:0/2 finished");
}

TEST_F(ReadRoundTest, ValuesOnlyWhenDigestsAreNotAllowed) {
  ReadOptions o = options(2);
  o.allow_digest = false;
  start(o, model::candidates(3, 3), 0);
  EXPECT_EQ(wishes(round), "v0 v1");
}

TEST_F(ReadRoundTest, ADigestInPlaceOfTheValueIsARefusal) {
  start(options(1), model::candidates(2, 2), 0);
  round.on_digest(0, 7, now);
  EXPECT_EQ(wishes(round), "v0 v1");
}

TEST_F(ReadRoundTest, TheSameRoundCanBeStartedAgain) {
  start(options(2), model::candidates(3, 3), 0);
  round.on_value(0, 7, 7, now);
  round.on_digest(1, 9, now);
  start(options(1), model::candidates(2, 2), 1);
  EXPECT_EQ(wishes(round), "v1");
  round.on_value(1, 9, 9, now);
  EXPECT_EQ(wishes(round), "answer finished");
  EXPECT_TRUE(round.stale().empty());
}

}  // namespace
}  // namespace stator

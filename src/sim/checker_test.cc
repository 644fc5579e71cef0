#include "sim/checker.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <vector>

namespace stator::sim {
namespace {

// Histories of one key, written as a story; times are seconds. A write is named by a small number.
class Story {
 public:
  Story() { log_.key_index("default", "k"); }

  KeyLog& key() { return log_.key(0); }
  static WriteId id(std::uint64_t name) { return {1, name}; }
  static Dot dot(std::uint64_t node, std::uint64_t counter) {
    return {{Incarnation{node}, 1}, counter};
  }
  static VersionSeen version(std::uint64_t name, const Dot& dot) {
    return {dot, id(name), hash_of_value(std::to_string(name), false), false};
  }

  WriteCall& write(std::uint64_t name, bool plain, int begin, std::initializer_list<int> saw = {}) {
    WriteCall call;
    call.id = id(name);
    call.plain = plain;
    call.value_hash = hash_of_value(std::to_string(name), false);
    for (const int each : saw) call.seen.push_back(id(static_cast<std::uint64_t>(each)));
    call.begin = {seconds(begin).ns};
    call.quorum = 2;
    key().writes.push_back(call);
    return key().writes.back();
  }
  static void answer(WriteCall& call, Outcome outcome, int end) {
    call.end = {seconds(end).ns};
    call.outcome = outcome;
    if (outcome == Outcome::kOk) call.evidence = {2, 0, 2, 1};
  }
  void mint(std::uint64_t name, const Dot& dot, int when, std::initializer_list<int> dropped = {}) {
    MintEvent event{{seconds(when).ns}, id(name), dot, {}};
    for (const int each : dropped) event.superseded.push_back(id(static_cast<std::uint64_t>(each)));
    key().mints.push_back(event);
  }
  void read(int begin, std::vector<VersionSeen> versions) {
    ReadCall call{{seconds(begin).ns}, {seconds(begin).ns + 1}, {2, 0, 2, 1}, 2, {}};
    for (const VersionSeen& each : versions) call.versions.push_back(each);
    key().reads.push_back(call);
  }
  static SeenIds ids(std::initializer_list<int> names) {
    SeenIds list;
    for (const int each : names) list.push_back(id(static_cast<std::uint64_t>(each)));
    return list;
  }
  void promise(std::uint64_t name, std::initializer_list<NodeNumber> owners) {
    Promise given{.id = id(name)};
    for (const NodeNumber each : owners) given.owners.push_back(each);
    key().promises.push_back(given);
  }
  void holds(NodeNumber owner, std::initializer_list<int> names) {
    key().copies.push_back({.owner = owner, .versions = ids(names)});
  }
  // n4 kept these for n3, which held those.
  HintGone& let_go(std::initializer_list<int> kept, std::initializer_list<int> held) {
    key().hints_gone.push_back({.when = {seconds(8).ns},
                                .keeper = 4,
                                .owner = 3,
                                .kept = ids(kept),
                                .held = ids(held),
                                .held_known = true});
    return key().hints_gone.back();
  }
  void finally(std::vector<VersionSeen> versions) {
    key().final_versions = std::move(versions);
    key().final_known = true;
  }
  [[nodiscard]] Verdict verdict() const { return check(log_, {.disk_lost_at = lost_at}); }
  // The invariants that are broken, each once, in the order of their finding.
  [[nodiscard]] std::string broken() const {
    std::string names;
    for (const Violation& each : verdict().violations) {
      if (names.find(each.invariant + ";") == std::string::npos) names += each.invariant + ";";
    }
    return names;
  }

  MonoTime lost_at{INT64_MAX};

 private:
  OperationLog log_;
};

// Write 1, then 2 that saw it, then the racing 3 that saw 1 as well; a plain 4 that dropped both.
Story good_story() {
  Story story;
  Story::answer(story.write(1, false, 1), Outcome::kOk, 2);
  story.mint(1, Story::dot(1, 1), 1);
  story.read(3, {Story::version(1, Story::dot(1, 1))});
  Story::answer(story.write(2, false, 4, {1}), Outcome::kOk, 6);
  story.mint(2, Story::dot(2, 1), 4, {1});
  Story::answer(story.write(3, false, 4, {1}), Outcome::kUnknown, 6);
  story.mint(3, Story::dot(1, 2), 5, {1});
  story.read(7, {Story::version(2, Story::dot(2, 1)), Story::version(3, Story::dot(1, 2))});
  story.finally({Story::version(2, Story::dot(2, 1)), Story::version(3, Story::dot(1, 2))});
  return story;
}

TEST(Checker, AcceptsASoundHistory) {
  const Verdict verdict = good_story().verdict();
  EXPECT_TRUE(verdict.violations.empty());
  EXPECT_EQ(verdict.acknowledged, 2U);
  EXPECT_EQ(verdict.unknown, 1U);
  EXPECT_EQ(verdict.reads_checked, 2U);
  EXPECT_EQ(verdict.quorum_reads_checked, 2U);
  EXPECT_EQ(verdict.siblings_max, 2U);
}

TEST(Checker, AcceptsAPlainWriteOverAllAndOneThatWasCoveredAgain) {
  Story story = good_story();
  Story::answer(story.write(4, true, 8), Outcome::kOk, 9);
  story.mint(4, Story::dot(3, 1), 8, {2});
  story.mint(4, Story::dot(3, 2), 9, {3});
  story.finally({Story::version(4, Story::dot(3, 2))});
  EXPECT_EQ(story.broken(), "");
}

TEST(Checker, AnUnknownWriteMayBeThereOrNot) {
  Story story = good_story();
  story.finally({Story::version(2, Story::dot(2, 1))});
  EXPECT_EQ(story.broken(), "");
}

TEST(Checker, I1AnAcknowledgedWriteThatIsGone) {
  Story story = good_story();
  story.finally({Story::version(3, Story::dot(1, 2))});
  EXPECT_EQ(story.broken(), "I1;");
  story.finally({});
  EXPECT_EQ(story.broken(), "I1;");
}

TEST(Checker, I1SwallowedByAWriteThatHadNotSeenIt) {
  Story story = good_story();
  Story::answer(story.write(4, false, 8, {2}), Outcome::kOk, 9);
  story.mint(4, Story::dot(3, 1), 8, {2});
  Story::answer(story.write(5, false, 8, {3}), Outcome::kOk, 9);
  story.mint(5, Story::dot(1, 3), 8, {3});
  story.finally({Story::version(5, Story::dot(1, 3))});
  EXPECT_EQ(story.broken(), "I1;");
}

TEST(Checker, P1AnOwnerThatWasCountedHoldsTheWriteInTheEndOrWhatIsAboveIt) {
  Story story = good_story();
  story.promise(1, {1, 2});
  story.promise(2, {2, 3});
  story.holds(1, {1});  // of 2 it knows nothing, and nobody said so
  story.holds(2, {2, 3});
  EXPECT_EQ(story.broken(), "");
  EXPECT_EQ(story.verdict().copies_checked, 3U);
  Story other = story;
  other.holds(3, {3, 2});
  EXPECT_EQ(other.broken(), "");
  other = story;
  other.holds(3, {3});  // which has not seen 2
  EXPECT_EQ(other.broken(), "P1;");
  other = story;
  other.holds(3, {});
  EXPECT_EQ(other.broken(), "P1;");
  ASSERT_EQ(other.verdict().violations.size(), 1U);
  EXPECT_NE(other.verdict().violations[0].what.find("n3"), std::string::npos);
}

TEST(Checker, P1OfManyCopiesHidesNoI1) {
  Story story = good_story();
  for (int i = 0; i < 20; ++i) {
    story.promise(1, {3});
    story.holds(3, {});
  }
  story.finally({Story::version(3, Story::dot(1, 2))});
  EXPECT_EQ(story.broken(), "I1;P1;");
}

TEST(Checker, P1AHintIsLetGoOfWhenItsOwnerHoldsIt) {  // D14
  Story story = good_story();
  story.let_go({1}, {2});
  story.let_go({2, 3}, {3, 2});
  EXPECT_EQ(story.broken(), "");
  EXPECT_EQ(story.verdict().hints_checked, 2U);
  Story never = story;
  never.let_go({2}, {});
  EXPECT_EQ(never.broken(), "P1;");
  Story grown = story;
  HintGone& hint = grown.let_go({2, 3}, {2});
  EXPECT_EQ(grown.broken(), "P1;");
  hint.held_known = false;
  EXPECT_EQ(grown.broken(), "");
}

TEST(Checker, I2AWriteOfNobody) {
  Story story = good_story();
  story.mint(9, Story::dot(3, 1), 8);
  story.finally({Story::version(2, Story::dot(2, 1)), Story::version(9, Story::dot(3, 1))});
  EXPECT_EQ(story.broken(), "I2;");
}

TEST(Checker, I2OtherBytesInTheEndOrInARead) {
  Story story = good_story();
  VersionSeen damaged = Story::version(2, Story::dot(2, 1));
  damaged.value_hash ^= 1;
  story.finally({damaged});
  EXPECT_EQ(story.broken(), "I2;");
  Story reads = good_story();
  reads.read(8, {damaged});
  EXPECT_EQ(reads.broken(), "I2;");
}

TEST(Checker, I2ATombstoneWhereAValueWasWritten) {
  Story story = good_story();
  VersionSeen dead = Story::version(2, Story::dot(2, 1));
  dead.tombstone = true;
  dead.value_hash = 0;
  story.finally({dead});
  EXPECT_EQ(story.broken(), "I2;");
}

TEST(Checker, I2NotAppliedMeansNeverSeen) {
  Story story = good_story();
  Story::answer(story.write(5, false, 8), Outcome::kNotApplied, 9);
  EXPECT_EQ(story.broken(), "");
  story.mint(5, Story::dot(3, 1), 8);
  EXPECT_EQ(story.broken(), "I2;");
  story.read(10, {Story::version(2, Story::dot(2, 1)), Story::version(5, Story::dot(3, 1))});
  EXPECT_EQ(story.verdict().violations.size(), 2U);
}

TEST(Checker, I2ARefusedRetryOfAnUnknownWriteIsNoPromise) {
  Story story = good_story();
  Story::answer(story.write(5, false, 8), Outcome::kUnknown, 9);
  story.mint(5, Story::dot(3, 1), 8);
  Story::answer(story.write(5, false, 10), Outcome::kNotApplied, 11);
  EXPECT_EQ(story.broken(), "");
}

TEST(Checker, I2AReadFromTheFuture) {
  Story story = good_story();
  Story::answer(story.write(5, false, 20), Outcome::kUnknown, 21);
  story.mint(5, Story::dot(3, 1), 20);
  story.read(10, {Story::version(2, Story::dot(2, 1)), Story::version(5, Story::dot(3, 1))});
  EXPECT_EQ(story.broken(), "I2;");
}

TEST(Checker, I2AnUnansweredPlainCallExplainsOneNamelessWriteWithItsBytes) {
  Story story = good_story();
  WriteCall& call = story.write(7, true, 8);
  call.id = {};
  story.mint(7, Story::dot(3, 1), 8, {2, 3});
  story.finally({Story::version(7, Story::dot(3, 1))});
  EXPECT_EQ(story.broken(), "");
  VersionSeen damaged = Story::version(7, Story::dot(3, 1));
  damaged.value_hash ^= 1;
  story.finally({damaged});
  EXPECT_EQ(story.broken(), "I2;");
  story.mint(8, Story::dot(3, 2), 9, {7});  // a second one has no call left
  story.finally({Story::version(7, Story::dot(3, 1))});
  EXPECT_EQ(story.broken(), "I2;");
}

TEST(Checker, I3AFalseSibling) {
  Story story = good_story();
  story.finally({Story::version(1, Story::dot(1, 1)), Story::version(2, Story::dot(2, 1))});
  EXPECT_EQ(story.broken(), "I3;");
}

TEST(Checker, I3AFalseSiblingBelowAnUnknownWriteThatIsThere) {
  Story story;
  Story::answer(story.write(1, false, 1), Outcome::kOk, 2);
  story.mint(1, Story::dot(1, 1), 1);
  Story::answer(story.write(2, false, 3, {1}), Outcome::kUnknown, 4);
  story.mint(2, Story::dot(2, 1), 3, {1});
  story.finally({Story::version(1, Story::dot(1, 1)), Story::version(2, Story::dot(2, 1))});
  EXPECT_EQ(story.broken(), "I3;");
}

TEST(Checker, I3ACoverOfAPlainWriteOfUnknownOutcomeMayBeLost) {
  Story story = good_story();
  Story::answer(story.write(4, true, 8), Outcome::kUnknown, 9);
  story.mint(4, Story::dot(3, 1), 8, {2});
  story.mint(4, Story::dot(3, 2), 9, {3});
  story.finally({Story::version(3, Story::dot(1, 2)), Story::version(4, Story::dot(3, 1))});
  EXPECT_EQ(story.broken(), "");
  Story::answer(story.key().writes.back(), Outcome::kOk, 9);
  EXPECT_EQ(story.broken(), "I3;");
}

TEST(Checker, I3OneWriteTwice) {
  Story story = good_story();
  story.mint(2, Story::dot(3, 1), 5, {1});  // a retry through another node
  story.finally({Story::version(2, Story::dot(2, 1)), Story::version(2, Story::dot(3, 1))});
  EXPECT_EQ(story.broken(), "I3;");
}

TEST(Checker, I3AMintThatDropsWhatItsContextHadNotSeen) {
  Story story = good_story();
  Story::answer(story.write(4, false, 8, {2}), Outcome::kOk, 9);
  story.mint(4, Story::dot(3, 1), 8, {2, 3});
  story.finally({Story::version(4, Story::dot(3, 1))});
  EXPECT_EQ(story.broken(), "I3;");
}

TEST(Checker, I3AContextSawWhatARenewedPlainWriteOfUnknownOutcomeHadDropped) {
  Story story = good_story();
  Story::answer(story.write(4, true, 8), Outcome::kUnknown, 9);
  story.mint(4, Story::dot(3, 1), 8, {2});
  story.mint(4, Story::dot(3, 2), 9, {3});
  Story::answer(story.write(5, false, 10, {4}), Outcome::kOk, 11);
  story.mint(5, Story::dot(1, 3), 10, {3});
  story.finally({Story::version(5, Story::dot(1, 3))});
  EXPECT_EQ(story.broken(), "");
}

TEST(Checker, I9OneDotForTwoWrites) {
  Story story = good_story();
  Story::answer(story.write(4, false, 8, {2, 3}), Outcome::kOk, 9);
  story.mint(4, Story::dot(1, 2), 8, {2, 3});
  story.finally({Story::version(4, Story::dot(1, 2))});
  EXPECT_EQ(story.broken(), "I9;");
}

TEST(Checker, I9ADotThatNobodyMinted) {
  Story story = good_story();
  story.finally({Story::version(2, Story::dot(9, 9)), Story::version(3, Story::dot(1, 2))});
  EXPECT_EQ(story.broken(), "I9;");
}

TEST(Checker, I12AReadThatMissesWhatWasAcknowledgedBefore) {
  Story story = good_story();
  story.read(8, {Story::version(3, Story::dot(1, 2))});
  EXPECT_EQ(story.broken(), "I12;");
  Story empty = good_story();
  empty.read(8, {});
  EXPECT_EQ(empty.broken(), "I12;");
}

TEST(Checker, I12IsAskedForUntilANodeLosesItsDisk) {
  Story story = good_story();
  story.read(8, {Story::version(3, Story::dot(1, 2))});
  story.lost_at = MonoTime{seconds(9).ns};
  EXPECT_EQ(story.broken(), "I12;");
  story.lost_at = MonoTime{seconds(8).ns};
  EXPECT_EQ(story.broken(), "");
  // Nothing else is given up.
  story.finally({Story::version(3, Story::dot(1, 2))});
  EXPECT_EQ(story.broken(), "I1;");
}

// D30: what restores a copy that rotted knows all that W owners had acknowledged by then, and no
// more.
TEST(Checker, I12OfAKeyOfWhichACopyRottedIsAskedForWhatWOwnersHadAcknowledged) {
  Story story = good_story();  // write 2 is asked for at 4 and acknowledged at 6
  story.read(8, {Story::version(3, Story::dot(1, 2))});
  const auto rots_at = [&story](int second) { story.key().rotten_at = {seconds(second).ns}; };
  for (const int second : {4, 7, 9}) {
    rots_at(second);
    EXPECT_EQ(story.broken(), "I12;") << second;
  }
  rots_at(5);
  EXPECT_EQ(story.broken(), "") << "it was under way";
  // By one owner and a stand-in, and all owners are read.
  story.key().writes[1].evidence = {1, 1, 2, 1};
  story.key().reads.back().evidence = {3, 0, 3, 1};
  story.key().reads.back().quorum = 3;
  rots_at(9);
  EXPECT_EQ(story.broken(), "I12;");
  rots_at(7);
  EXPECT_EQ(story.broken(), "");
  // Nothing else is given up.
  story.finally({Story::version(3, Story::dot(1, 2))});
  EXPECT_EQ(story.broken(), "I1;");
}

TEST(Checker, I12AReadBesideTheWriteOrOfTooFewOwnersIsFree) {
  Story story = good_story();
  story.read(5, {Story::version(1, Story::dot(1, 1))});
  story.read(8, {Story::version(1, Story::dot(1, 1))});
  story.key().reads.back().evidence = {1, 1, 2, 1};  // a stand-in, which may know nothing
  EXPECT_EQ(story.broken(), "");
  story.key().reads.back().evidence = {1, 0, 1, 1};  // nobody asked for more
  story.key().reads.back().quorum = 1;
  EXPECT_EQ(story.broken(), "");
}

TEST(Checker, P7AnAnswerThatCountsFewerThanItPromises) {
  Story story = good_story();
  story.key().writes.front().evidence = {1, 0, 1, 1};
  EXPECT_EQ(story.broken(), "P7;");
  Story reads = good_story();
  reads.key().reads.back().evidence = {1, 0, 1, 1};
  EXPECT_EQ(reads.broken(), "P7;");
  Story owners = good_story();
  owners.key().writes.front().owners = 2;
  EXPECT_EQ(owners.broken(), "");
  owners.key().writes.front().evidence = {1, 1, 2, 1};
  EXPECT_EQ(owners.broken(), "P7;");
  // And what it missed is judged by the promise.
  reads.key().reads.back().versions.clear();
  EXPECT_EQ(reads.broken(), "P7;I12;");
}

TEST(Checker, P7AnAnswerThatCountsFewerOwnersThanItPromises) {
  Story story = good_story();
  story.key().writes.front().owners = 2;
  story.key().reads.back().owners = 2;
  EXPECT_EQ(story.broken(), "");
  story.key().writes.front().evidence = {1, 1, 2, 1};
  EXPECT_EQ(story.broken(), "P7;");
  Story reads = good_story();
  reads.key().reads.back().owners = 2;
  reads.key().reads.back().evidence = {1, 1, 2, 1};
  EXPECT_EQ(reads.broken(), "P7;");
  // It promised two owners, so that their quorum met that of the write.
  reads.key().reads.back().versions.clear();
  EXPECT_EQ(reads.broken(), "P7;I12;");
}

TEST(Checker, I12SomethingAboveIsAsGood) {
  Story story = good_story();
  Story::answer(story.write(4, true, 8), Outcome::kUnknown, 9);
  story.mint(4, Story::dot(3, 1), 8, {2, 3});
  story.read(10, {Story::version(4, Story::dot(3, 1))});
  EXPECT_EQ(story.broken(), "");
}

TEST(Checker, I12WhatLiesBelowAWriteThatWasRenewedLaterIsBelowAllAboveIt) {
  Story story = good_story();
  Story::answer(story.write(4, true, 8), Outcome::kOk, 14);
  story.mint(4, Story::dot(1, 3), 8, {2, 3});
  Story::answer(story.write(5, true, 9), Outcome::kOk, 10);
  story.mint(5, Story::dot(2, 2), 9, {4});
  Story::answer(story.write(6, true, 11), Outcome::kOk, 13);
  story.mint(6, Story::dot(3, 1), 11);
  story.mint(4, Story::dot(1, 4), 12, {6});
  story.read(15, {Story::version(5, Story::dot(2, 2))});
  story.finally({Story::version(5, Story::dot(2, 2))});
  EXPECT_EQ(story.broken(), "");
}

// What nobody would be told is not looked for: of a key whose writes were all minted under other
// names it is a walk over all of them for each, for minutes.
TEST(Checker, AKeyOfWhichEnoughIsKnownToBeWrongIsJudgedNoFurther) {
  const auto judged = [](std::uint64_t wrong) {
    Story story;
    for (std::uint64_t name = 1; name <= wrong; ++name) {
      Story::answer(story.write(name, false, 1), Outcome::kOk, 2);
      story.mint(100 + name, Story::dot(1, name), 1);
    }
    Story::answer(story.write(99, false, 1), Outcome::kOk, 2);
    story.mint(99, Story::dot(2, 1), 1);
    story.read(3, {});
    return story.verdict();
  };
  EXPECT_EQ(judged(1).quorum_reads_checked, 1U);
  EXPECT_EQ(judged(8).quorum_reads_checked, 0U);
  EXPECT_EQ(judged(8).violations.size(), 8U);
}

TEST(Checker, KeysOfOnePartitionShareTheirDots) {
  OperationLog log;
  for (const char* key : {"{t}a", "{t}b"}) {
    KeyLog& each = log.key(log.key_index("default", key));
    WriteCall call;
    call.id = {7, each.key == "{t}a" ? 1ULL : 2ULL};
    call.outcome = Outcome::kOk;
    each.writes.push_back(call);
    each.mints.push_back({{}, call.id, Story::dot(1, 1), {}});
  }
  const Verdict verdict = check(log, {});
  ASSERT_EQ(verdict.violations.size(), 1U);
  EXPECT_EQ(verdict.violations[0].invariant, "I9");
}

}  // namespace
}  // namespace stator::sim

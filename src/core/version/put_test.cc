#include <gtest/gtest.h>

#include "core/version/test_support.h"

namespace stator {
namespace {

using namespace testing;
using ::testing::Test;

TEST(Put, IntoNothingMakesOneVersion) {
  Object object;
  EXPECT_TRUE(object.empty());
  EXPECT_EQ(put(object, write(once_id(1), "a"), {}, dot(1, 1), kNow), PutEffect::kMinted);
  EXPECT_EQ(values(object), (std::vector<std::string>{"a"}));
  EXPECT_EQ(object.versions[0].first_counter, 1u);
  EXPECT_TRUE(object.clock.covers(dot(1, 1)));
}

TEST(Put, WithoutContextKeepsWhatIsThereAsASibling) {
  Object object;
  put(object, write(once_id(1), "a"), {}, dot(1, 1), kNow);
  put(object, write(once_id(2), "b"), {}, dot(1, 2), kNow);
  EXPECT_EQ(values(object), (std::vector<std::string>{"a", "b"}));
}

TEST(Put, WithAContextReplacesWhatItSawAndNothingElse) {
  Object object;
  put(object, write(once_id(1), "a"), {}, dot(1, 1), kNow);
  const Context saw_a = context_of(object);
  put(object, write(once_id(2), "b"), {}, dot(1, 2), kNow);
  put(object, write(once_id(3), "c"), saw_a, dot(1, 3), kNow);
  EXPECT_EQ(values(object), (std::vector<std::string>{"b", "c"}));
}

TEST(Put, OfAnIdThatIsLiveOrGuardedChangesNothing) {
  Object object;
  put(object, write(retryable_id(1), "a"), {}, dot(1, 1), kNow);
  EXPECT_EQ(put(object, write(retryable_id(1), "a"), {}, dot(1, 2), kNow), PutEffect::kAlreadyLive);
  put(object, write(once_id(2), "b"), context_of(object), dot(1, 3), kNow);
  const std::uint64_t before = digest(object);
  EXPECT_EQ(probe(object, retryable_id(1)), PutEffect::kAlreadySuperseded);
  EXPECT_EQ(put(object, write(retryable_id(1), "a"), {}, dot(1, 4), kNow),
            PutEffect::kAlreadySuperseded);
  EXPECT_EQ(digest(object), before);
  EXPECT_EQ(object.clock.counter_of(actor(1)), 3u);
}

TEST(Put, LeavesGuardsOnlyOfWritesThatMayBeMintedTwice) {
  Object object;
  put(object, write(once_id(1), "a"), {}, dot(1, 1), kNow);
  put(object, write(retryable_id(2), "b"), {}, dot(1, 2), kNow);
  put_over_all(object, write(once_id(3), "c"), dot(1, 3), kNow);
  EXPECT_EQ(object.guards.size(), 1u);
  EXPECT_TRUE(object.guards_id(retryable_id(2)));
  EXPECT_FALSE(object.guards_id(once_id(1)));
}

TEST(Put, AThousandPlainWritesLeaveOneVersionAndNoGuard) {
  Object object;
  for (std::uint64_t i = 1; i <= 1000; ++i) {
    put_over_all(object, write(once_id(i)), dot(1, i), kNow);
  }
  EXPECT_EQ(object.versions.size(), 1u);
  EXPECT_TRUE(object.guards.empty());
  EXPECT_EQ(object.clock.entries().size(), 1u);
}

TEST(Put, GuardsWhatItsContextSawElsewhere) {
  Object elsewhere;
  put(elsewhere, write(retryable_id(1), "a"), {}, dot(1, 1), kNow);
  Object here;
  put(here, write(once_id(2), "b"), context_of(elsewhere), dot(2, 1), kNow);
  EXPECT_TRUE(here.guards_id(retryable_id(1)));
  EXPECT_EQ(values(merged(here, elsewhere)), (std::vector<std::string>{"b"}));
}

TEST(Put, OfGuardsThatNobodyMayRetryKeepsTheNewest) {
  constexpr std::uint64_t kMany = kAgedGuardsMax + 5;
  Object object;
  for (std::uint64_t i = 1; i <= kMany; ++i) {
    put(object, write(retryable_id(i)), context_of(object), dot(1, i), kNow);
  }
  put_over_all(object, write(once_id(2), "b"), dot(1, kMany + 1), kNow + kRetryWindow);
  EXPECT_EQ(object.guards.size(), kMany) << "at the end of the window it may still be retried";
  put_over_all(object, write(once_id(3), "c"), dot(1, kMany + 2),
               kNow + kRetryWindow + milliseconds(1));
  EXPECT_EQ(object.guards.size(), kAgedGuardsMax);
  EXPECT_FALSE(object.guards_id(retryable_id(5)));
  EXPECT_TRUE(object.guards_id(retryable_id(6)));
}

// Seed 842601047 over 70 minutes: two owners had one write under two dots for 13 minutes, since
// nobody read the key; a delete that had seen one of them let the other one live.
TEST(Put, KeepsAwayASecondMintThatWasAwayForLongerThanTheRetryWindow) {
  Object here;
  put(here, write(retryable_id(1), "a"), {}, dot(1, 1), kNow);
  Object away;
  put(away, write(retryable_id(1), "a"), {}, dot(2, 1), kNow);
  put_over_all(here, write(once_id(2), "b"), dot(1, 2), kNow + kRetryWindow + kRetryWindow);
  EXPECT_EQ(values(merged(here, away)), (std::vector<std::string>{"b"}));
}

TEST(Put, DropsNoGuardWhileNobodyVouchesForTheTime) {
  Object object;
  put(object, write(retryable_id(1), "a"), {}, dot(1, 1), kNow);
  const WriteId in_a_year = WriteId::make(
      static_cast<std::uint64_t>((kNow + seconds(365 * 86'400)).ms()), WriteId::kRetryable, 0, 2);
  put(object, write(in_a_year, "b"), context_of(object), dot(1, 2), kNothingAges);
  put_over_all(object, write(once_id(3), "c"), dot(1, 3), kNothingAges);
  EXPECT_TRUE(object.guards_id(retryable_id(1)));
  EXPECT_TRUE(object.guards_id(in_a_year));
}

TEST(Put, KeepsTheNewestGuardsWhenThereAreTooMany) {
  Object object;
  for (std::uint64_t i = 1; i <= kGuardsMax + 10; ++i) {
    const auto id =
        WriteId::make(static_cast<std::uint64_t>(kNow.ms()) + i, WriteId::kRetryable, 1, i);
    put(object, write(id), context_of(object), dot(1, i), kNow);
  }
  EXPECT_EQ(object.guards.size(), kGuardsMax);
  EXPECT_EQ(object.guards[0].time_ms(), static_cast<std::uint64_t>(kNow.ms()) + 10)
      << "ten of the superseded 265 are gone, the oldest";
}

WriteId id_after(Duration time, std::uint64_t number = 1) {
  return WriteId::make(static_cast<std::uint64_t>((kNow + time).ms()), WriteId::kRetryable, 0,
                       number);
}

TEST(Put, RemembersUpToWhichTimeItHasForgottenGuardsByNumber) {
  Object object;
  for (std::uint64_t i = 1; i <= kGuardsMax + 11; ++i) {
    const WriteId id = id_after(milliseconds(static_cast<std::int64_t>(i)));
    EXPECT_FALSE(object.may_have_forgotten(id, kNow)) << "it is newer than all that was forgotten";
    put(object, write(id), context_of(object), dot(1, i), kNow);
  }
  // Of 266 superseded ids those of the first 9 or 10 milliseconds are gone.
  EXPECT_TRUE(object.may_have_forgotten(id_after(milliseconds(1)), kNow));
  EXPECT_TRUE(object.may_have_forgotten(id_after(milliseconds(9), 99), kNow))
      << "of that time anything may have been here";
  EXPECT_FALSE(object.may_have_forgotten(id_after(milliseconds(12)), kNow));
  EXPECT_TRUE(object.guards_id(id_after(milliseconds(12))));
  EXPECT_FALSE(object.may_have_forgotten(once_id(1), kNow)) << "is never minted again";
}

TEST(Put, RemembersThatItHasForgottenGuardsByAge) {
  Object object;
  for (std::uint64_t i = 0; i <= kAgedGuardsMax; ++i) {
    const WriteId id = id_after(milliseconds(static_cast<std::int64_t>(i)));
    put(object, write(id), context_of(object), dot(1, i + 1), kNow);
  }
  EXPECT_FALSE(object.may_have_forgotten(id_after({}), kNow));
  const WallTime later = kNow + kRetryWindow + seconds(1);
  put_over_all(object, write(once_id(2), "b"), dot(1, kAgedGuardsMax + 2), later);
  EXPECT_TRUE(object.may_have_forgotten(id_after({}), later)) << "of so many the oldest has gone";
  EXPECT_FALSE(object.may_have_forgotten(id_after(milliseconds(1)), later));
}

TEST(Put, DoesNotCloseAKeyToRetriesBecauseOfIdsFromAFarFuture) {
  Object object;
  object.forgotten_until_ms = static_cast<std::uint64_t>((kNow + kIdFutureMax).ms());
  EXPECT_TRUE(object.may_have_forgotten(retryable_id(1), kNow));
  object.forgotten_until_ms += 1;
  EXPECT_FALSE(object.may_have_forgotten(retryable_id(1), kNow));
}

TEST(Put, KeepsDotsThatItHasNotReceivedInTheCloud) {
  Object other;
  put(other, write(once_id(1), "lost in between"), {}, dot(1, 1), kNow);
  Context own;
  put(other, write(once_id(2), "mine"), {}, dot(1, 2), kNow);
  extend_context(own, *other.find(once_id(2)));
  Object here;
  put(here, write(once_id(3), "next"), own, dot(2, 1), kNow);
  ASSERT_EQ(here.cloud.size(), 1u);
  EXPECT_EQ(here.cloud[0], dot(1, 2));
  EXPECT_FALSE(here.clock.covers(dot(1, 1))) << "the writer has never seen the other's write";

  merge(here, other);
  EXPECT_EQ(values(here), (std::vector<std::string>{"lost in between", "next"}));
  EXPECT_TRUE(here.cloud.empty()) << "the clock covers it now";
}

TEST(Put, OfAWriteThatItsOwnContextNamesStaysAlive) {
  Object first;
  put(first, write(retryable_id(1), "a"), {}, dot(1, 1), kNow);
  Context extended;
  extend_context(extended, first.versions[0]);
  Object second;  // a client that extends its context before it retries
  EXPECT_EQ(put(second, write(retryable_id(1), "a"), extended, dot(2, 1), kNow),
            PutEffect::kMinted);
  EXPECT_EQ(values(merged(first, second)), (std::vector<std::string>{"a"}));
}

TEST(Put, EmptiesAreNeverOneWrite) {
  Object object;
  put(object, write(WriteId{}, "a"), {}, dot(1, 1), kNow);
  EXPECT_EQ(put(object, write(WriteId{}, "b"), {}, dot(1, 2), kNow), PutEffect::kMinted);
  EXPECT_EQ(object.versions.size(), 2u);
  put(object, write(once_id(1), "c"), context_of(object), dot(1, 3), kNow);
  EXPECT_TRUE(object.guards.empty());
}

TEST(ChooseDot, ContinuesALifeOnlyWhereItsRecordIsWhole) {
  Object object;
  put(object, write(once_id(1)), {}, Dot{actor(1, 7), 7}, kNow);
  EXPECT_EQ(choose_dot(object, {}, actor(1, 7), 9), (Dot{actor(1, 7), 9}));
  EXPECT_EQ(choose_dot(object, {}, actor(1, 0), 9), (Dot{actor(1, 9), 9})) << "no life yet";
  Context ahead;
  ahead.clock.add(Dot{actor(1, 7), 8});
  EXPECT_EQ(choose_dot(object, ahead, actor(1, 7), 9), (Dot{actor(1, 9), 9}))
      << "somebody saw a write of this life that the record lacks: it was lost";
  Context named;
  named.seen.push_back({Dot{actor(1, 7), 8}, 8, {}});
  EXPECT_EQ(choose_dot(object, named, actor(1, 7), 9), (Dot{actor(1, 9), 9}));
  EXPECT_EQ(choose_dot(object, {}, actor(1, 7), 7), (Dot{actor(1, 7), 7}))
      << "a counter that does not rise is the caller's bug: can_mint says no";
  EXPECT_FALSE(can_mint(object, {}, Dot{actor(1, 7), 7}));
}

TEST(PutDeathTest, UsesNoDotTwice) {
  Object object;
  put(object, write(once_id(1)), {}, dot(1, 1), kNow);
  EXPECT_DEATH(put(object, write(once_id(2)), {}, dot(1, 1), kNow), "can_mint");
}

TEST(PutDeathTest, NeverRetriesAWriteOverAll) {
  Object object;
  EXPECT_DEATH(put_over_all(object, write(retryable_id(1)), dot(1, 1), kNow), "retryable");
}

TEST(Restamp, CoversTheOlderAndOutdoesTheYounger) {
  Object here;
  put_over_all(here, write(once_id(5), "mine"), dot(1, 1), kNow);
  Object there;
  put(there, write(retryable_id(4), "older"), {}, dot(2, 1), kNow);
  put(there, write(once_id(9), "younger"), {}, dot(2, 2), kNow);
  merge(here, there);
  ASSERT_EQ(here.versions.size(), 3u);
  EXPECT_EQ(here.latest()->value, "younger");
  EXPECT_TRUE(restamp(here, once_id(5), dot(1, 2), {}));
  EXPECT_EQ(values(here), (std::vector<std::string>{"mine", "younger"}));
  EXPECT_EQ(here.versions[0].dot, dot(1, 2));
  EXPECT_EQ(here.versions[0].first_counter, 1u);
  EXPECT_EQ(here.latest()->value, "mine");
  EXPECT_TRUE(here.guards_id(retryable_id(4)));
  merge(there, here);
  EXPECT_EQ(values(there), (std::vector<std::string>{"mine", "younger"}));
}

TEST(Restamp, TakesTheTimeItIsGiven) {
  Object object;
  put_over_all(object, write(once_id(5)), dot(1, 1), kNow);
  EXPECT_TRUE(restamp(object, once_id(5), dot(1, 2), {99}));
  EXPECT_EQ(object.versions[0].time.value, 99u);
}

TEST(Restamp, ASecondTimeCoversNothing) {
  Object object;
  put_over_all(object, write(once_id(5), "mine"), dot(1, 1), kNow);
  ASSERT_TRUE(restamp(object, once_id(5), dot(1, 2), {99}));
  Object other;
  put(other, write(once_id(50), "other"), {}, dot(2, 1), kNow);
  merge(object, other);
  ASSERT_TRUE(restamp(object, once_id(5), dot(1, 3), {}));
  EXPECT_EQ(object.versions.size(), 2u) << "the time it was minted with is no longer known";
}

TEST(Put, IsLaterThanAllThatItSupersedes) {
  Object object;
  put(object, {.id = once_id(1), .time = {500}, .value = "a"}, {}, dot(1, 1), kNow);
  Object other = object;
  put(object, {.id = once_id(2), .time = {3}, .value = "b"}, context_of(object), dot(1, 2), kNow);
  EXPECT_EQ(object.versions[0].time.value, 501u);
  put_over_all(other, {.id = once_id(3), .time = {3}, .value = "c"}, dot(1, 3), kNow);
  EXPECT_EQ(other.versions[0].time.value, 501u);
  Object empty;
  put(empty, {.id = once_id(4), .time = {3}, .value = "d"}, context_of(object), dot(2, 1), kNow);
  EXPECT_EQ(empty.versions[0].time.value, 502u) << "what only the context saw counts too";
}

TEST(Restamp, NeverSetsTheTimeBack) {
  Object object;
  put_over_all(object, write(once_id(5)), dot(1, 1), kNow);
  const Hlc before = object.versions[0].time;
  EXPECT_TRUE(restamp(object, once_id(5), dot(1, 2), {before.value - 1}));
  EXPECT_EQ(object.versions[0].time, before);
}

TEST(Restamp, RefusesWhatIsNotLiveHereOrNotOurs) {
  Object object;
  put(object, write(once_id(1)), {}, dot(1, 1), kNow);
  const std::uint64_t before = digest(object);
  EXPECT_FALSE(restamp(object, once_id(2), dot(1, 2), {1}));
  EXPECT_FALSE(restamp(object, once_id(1), dot(2, 2), {1}));
  EXPECT_FALSE(restamp(object, once_id(1), dot(1, 1), {1}));
  EXPECT_EQ(digest(object), before);
  put(object, write(retryable_id(3)), {}, dot(1, 2), kNow);
  EXPECT_FALSE(restamp(object, retryable_id(3), dot(1, 3), {1}));
}

TEST(Object, APlainReadReturnsTheLatestTime) {
  Object object;
  EXPECT_EQ(object.latest(), nullptr);
  put(object, {.id = once_id(1), .time = {30}, .value = "late"}, {}, dot(1, 1), kNow);
  put(object, {.id = once_id(2), .time = {20}, .value = "early"}, {}, dot(2, 1), kNow);
  EXPECT_EQ(object.latest()->value, "late");
  put(object, {.id = once_id(3), .time = {30}, .tombstone = true, .value = "x"}, {}, dot(3, 1),
      kNow);
  EXPECT_TRUE(object.latest()->tombstone) << "ties go to the greater dot";
  EXPECT_TRUE(object.latest()->value.empty());
  EXPECT_EQ(object.living(kNow), 2u);
}

TEST(Object, AnExpiredVersionIsDead) {
  Object object;
  put(object, {.id = once_id(1), .expires_at = kNow, .value = "v"}, {}, dot(1, 1), kNow);
  EXPECT_EQ(object.living({kNow.us - 1}), 1u);
  EXPECT_EQ(object.living(kNow), 0u);
}

}  // namespace
}  // namespace stator

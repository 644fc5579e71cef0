#include <gtest/gtest.h>

#include "core/version/test_support.h"

namespace stator {
namespace {

using namespace testing;
using Values = std::vector<std::string>;

Object with_put(Object object, WriteId id, std::string_view value, const Context& context, Dot at) {
  put(object, write(id, value), context, at, kNow);
  return object;
}

void expect_merge(const Object& a, const Object& b, const Values& expected) {
  EXPECT_EQ(values(merged(a, b)), expected);
  EXPECT_EQ(values(merged(b, a)), expected);
  EXPECT_EQ(digest(merged(a, b)), digest(merged(b, a)));
}

TEST(Merge, WithNothingIsTheSame) {
  const Object a = with_put({}, once_id(1), "a", {}, dot(1, 1));
  expect_merge(a, {}, {"a"});
  EXPECT_EQ(digest(merged(a, {})), digest(a));
}

TEST(Merge, KeepsConcurrentVersions) {
  expect_merge(with_put({}, once_id(1), "a", {}, dot(1, 1)),
               with_put({}, once_id(2), "b", {}, dot(2, 1)), {"a", "b"});
}

TEST(Merge, ForgetsWhatTheOtherSideSuperseded) {
  const Object a = with_put({}, once_id(1), "a", {}, dot(1, 1));
  expect_merge(a, with_put(a, once_id(2), "b", context_of(a), dot(2, 1)), {"b"});
}

TEST(Merge, OfTwoMintsOfOneWriteKeepsTheSmallerEvent) {
  const Object a = with_put({}, retryable_id(1), "at 1", {}, dot(1, 1));
  const Object b = with_put({}, retryable_id(1), "at 2", {}, dot(2, 1));
  expect_merge(a, b, {"at 1"});
  EXPECT_TRUE(merged(a, b).clock.covers(dot(2, 1)));
}

TEST(Merge, KillsALateMintOfASupersededWrite) {
  const Object a = with_put({}, retryable_id(1), "a", {}, dot(1, 1));
  const Object b = with_put(a, once_id(2), "b", context_of(a), dot(1, 2));
  const Object retried = with_put({}, retryable_id(1), "a", {}, dot(3, 1));
  expect_merge(b, retried, {"b"});
}

TEST(Merge, TakesTheLaterStampOfOneWrite) {
  const Object first = with_put({}, once_id(7), "a", {}, dot(1, 5));
  Object later = merged(first, with_put({}, once_id(2), "older", {}, dot(2, 1)));
  ASSERT_TRUE(restamp(later, once_id(7), dot(1, 6), {7}));
  expect_merge(first, later, {"a"});
  EXPECT_EQ(merged(first, later).versions[0].dot, dot(1, 6));
  EXPECT_EQ(merged(later, first).versions[0].dot, dot(1, 6));
}

// Each of two coordinators sees the other's write in its acknowledgement. Were each to cover the
// other's, merging would leave neither.
TEST(Merge, TwoWritesThatSawEachOtherDoNotKillEachOther) {
  const Object a = with_put({}, once_id(1), "a", {}, dot(1, 1));
  const Object b = with_put({}, once_id(2), "b", {}, dot(2, 1));
  Object at_a = merged(a, b);
  Object at_b = merged(b, a);
  ASSERT_TRUE(restamp(at_a, once_id(1), dot(1, 2), {}));
  ASSERT_TRUE(restamp(at_b, once_id(2), dot(2, 2), {}));
  EXPECT_EQ(at_a.latest()->value, "a");
  EXPECT_EQ(at_b.latest()->value, "b");
  EXPECT_EQ(values(at_a), (Values{"a", "b"})) << "b is younger, and only outdone in time";
  expect_merge(at_a, at_b, {"b"});
}

// A ring of three, were it not that what supersedes is later: v replaced u, u was renewed over w, w
// was renewed over v.
TEST(Merge, NothingSupersedesItselfThroughOthers) {
  Object at_u;
  put_over_all(at_u, {.id = once_id(1), .time = {50}, .value = "u"}, dot(1, 1), kNow);
  Object at_v = at_u;
  put_over_all(at_v, {.id = once_id(2), .time = {10}, .value = "v"}, dot(2, 1), kNow);
  Object at_w;
  put_over_all(at_w, {.id = once_id(3), .time = {20}, .value = "w"}, dot(3, 1), kNow);
  merge(at_u, at_w);
  ASSERT_TRUE(restamp(at_u, once_id(1), dot(1, 2), {}));
  EXPECT_EQ(values(at_u), (Values{"u"}));
  merge(at_w, at_v);
  ASSERT_TRUE(restamp(at_w, once_id(3), dot(3, 2), {}));
  expect_merge(merged(at_u, at_v), at_w, {"v"});
}

// The second renewal of a must not take the time of the first for the one of its minting.
TEST(Merge, WritesThatAreRenewedTwiceDoNotKillEachOther) {
  Object at_a;
  put_over_all(at_a, {.id = once_id(1), .time = {20}, .value = "a"}, dot(1, 1), kNow);
  Object at_b;
  put_over_all(at_b, {.id = once_id(2), .time = {60}, .value = "b"}, dot(2, 1), kNow);
  const Object early_a = at_a;
  merge(at_a, at_b);
  ASSERT_TRUE(restamp(at_a, once_id(1), dot(1, 2), {}));
  ASSERT_TRUE(restamp(at_a, once_id(1), dot(1, 3), {}));
  merge(at_b, early_a);
  ASSERT_TRUE(restamp(at_b, once_id(2), dot(2, 2), {}));
  expect_merge(at_a, at_b, {"b"});
}

TEST(Merge, AStampThatCameTooLateDoesNotReviveASupersededWrite) {
  const Object first = with_put({}, once_id(1), "a", {}, dot(1, 5));
  Object later = first;
  ASSERT_TRUE(restamp(later, once_id(1), dot(1, 6), {7}));
  expect_merge(later, with_put(first, once_id(2), "b", context_of(first), dot(2, 1)), {"b"});
}

// The counters between the two dots of a restamped write are other writes' dots. Having seen one
// of them in a cloud is not having seen the write.
TEST(Merge, ACloudDotInsideARestampedIntervalIsAnotherWrite) {
  Object a = with_put({}, once_id(1), "restamped", {}, dot(1, 5));
  a = with_put(a, once_id(2), "between", {}, dot(1, 6));
  a.versions[0].time = {50};
  Context own;
  extend_context(own, *a.find(once_id(2)));
  ASSERT_TRUE(restamp(a, once_id(1), dot(1, 7), {7}));
  const Object b = with_put({}, once_id(3), "after between", own, dot(2, 1));
  expect_merge(a, b, {"restamped", "after between"});
}

TEST(Merge, AContextThatSawTheRestampedCoversTheFirstStampToo) {
  Object a = with_put({}, once_id(1), "a", {}, dot(1, 5));
  const Object early = a;
  ASSERT_TRUE(restamp(a, once_id(1), dot(1, 6), {7}));
  Context own;
  extend_context(own, a.versions[0]);
  const Object b = with_put({}, once_id(2), "b", own, dot(2, 1));
  expect_merge(b, early, {"b"});
  expect_merge(b, a, {"b"});
}

TEST(Merge, AnotherRecordsCloudCountsAsSeen) {
  const Object a = with_put({}, once_id(1), "a", {}, dot(1, 1));
  Context own;
  extend_context(own, a.versions[0]);
  const Object b = with_put({}, once_id(2), "b", own, dot(2, 1));
  const Object c = merged({}, b);
  expect_merge(c, a, {"b"});
  Context read;
  make_context(c, {}, read);
  const Object d = with_put(a, once_id(3), "d", read, dot(4, 1));
  EXPECT_EQ(values(d), (Values{"d"})) << "a reader of b has seen what b superseded";
}

TEST(Compare, SaysWhoKnowsMore) {
  const Object a = with_put({}, once_id(1), "a", {}, dot(1, 1));
  const Object b = with_put(a, once_id(2), "b", context_of(a), dot(2, 1));
  const Object c = with_put(a, once_id(3), "c", {}, dot(3, 1));
  EXPECT_EQ(compare(a, a), Relation::kEqual);
  EXPECT_EQ(compare({}, {}), Relation::kEqual);
  EXPECT_EQ(compare(a, {}), Relation::kCovers);
  EXPECT_EQ(compare({}, a), Relation::kCoveredBy);
  EXPECT_EQ(compare(b, a), Relation::kCovers);
  EXPECT_EQ(compare(a, b), Relation::kCoveredBy);
  EXPECT_EQ(compare(b, c), Relation::kConcurrent);
}

TEST(Compare, SeesADifferenceOfCloudsAndOfStamps) {
  const Object a = with_put({}, once_id(1), "a", {}, dot(1, 1));
  Object b = a;
  ASSERT_TRUE(restamp(b, once_id(1), dot(1, 2), {7}));
  EXPECT_EQ(compare(b, a), Relation::kCovers);
  EXPECT_EQ(compare(a, b), Relation::kCoveredBy);
  Object c = a;
  c.cloud.push_back(dot(9, 9));
  EXPECT_EQ(compare(c, a), Relation::kCovers);
  EXPECT_EQ(compare(c, b), Relation::kConcurrent);
}

TEST(Compare, IgnoresGuards) {
  Object a = with_put({}, once_id(1), "a", {}, dot(1, 1));
  Object b = a;
  b.guards.push_back(retryable_id(4));
  EXPECT_EQ(compare(a, b), Relation::kEqual);
  EXPECT_EQ(digest(a), digest(b));
}

TEST(Digest, IsZeroForNothingOnly) {
  EXPECT_EQ(digest({}), 0u);
  EXPECT_NE(digest(with_put({}, once_id(1), "a", {}, dot(1, 1))), 0u);
}

TEST(Digest, TellsApartWhatDiffersInOneField) {
  const Object base = with_put({}, once_id(1), "a", {}, dot(1, 3));
  std::vector<Object> others(6, base);
  others[0].clock.add(dot(2, 1));
  others[1].cloud.push_back(dot(2, 1));
  others[2].versions[0].tombstone = true;
  others[3].versions[0].write_id = once_id(2);
  others[4].versions[0].first_counter = 2;
  others[5].versions.clear();
  for (std::size_t i = 0; i < others.size(); ++i) {
    EXPECT_NE(digest(others[i]), digest(base)) << i;
    for (std::size_t j = 0; j < i; ++j) EXPECT_NE(digest(others[i]), digest(others[j])) << i << j;
  }
}

TEST(Digest, OfManySiblingsDependsOnTheLast) {
  Object a;
  for (std::uint64_t i = 1; i <= 50; ++i) a = with_put(a, once_id(i), "v", {}, dot(i, 1));
  Object b = a;
  b.versions.back().write_id = once_id(99);
  EXPECT_NE(digest(a), digest(b));
}

}  // namespace
}  // namespace stator

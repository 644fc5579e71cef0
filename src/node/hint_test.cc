#include <gtest/gtest.h>

#include <string>

#include "node/hint_backlog.h"
#include "node/hint_place.h"
#include "storage/record.h"

namespace stator::node {
namespace {

std::string key_of(NodeId owner, std::string_view key) {
  std::string storage_key;
  storage::append_storage_key("default", key, storage_key);
  std::string out;
  append_hint_key(owner, storage_key, out);
  return out;
}

TEST(HintPlace, StandsAsTheFormatPageSays) {
  const std::string key = key_of({0x0102030405060708}, "k");
  EXPECT_EQ(key, std::string("\x01\x02\x03\x04\x05\x06\x07\x08\x07") + "defaultk");
  EXPECT_EQ(hint_partition({5}).value, 32773U);
  EXPECT_TRUE(is_hint_partition(hint_partition({0})));
  EXPECT_FALSE(is_hint_partition({16383}));
  EXPECT_EQ(range_of_hints(hint_partition({16383})).value, 16383U);
}

TEST(HintPlace, AKeyReadsBack) {
  for (const std::uint64_t owner : {1ULL, 0x8000000000000000ULL, ~0ULL}) {
    const std::string bytes = key_of({owner}, "k");
    const auto key = parse_hint_key(bytes);
    ASSERT_TRUE(key);
    EXPECT_EQ(key->owner.value, owner);
    EXPECT_EQ(key->storage_key, std::string("\x07") + "defaultk");
  }
  EXPECT_FALSE(parse_hint_key(""));
  EXPECT_FALSE(parse_hint_key("12345678")) << "no key stands under it";
}

TEST(HintPlace, KeysOfOneOwnerStandTogether) {
  EXPECT_LT(key_of({1}, "z"), key_of({2}, "a"));
  EXPECT_LT(key_of({0xFF}, "z"), key_of({0x100}, "a")) << "high byte first";
}

constexpr NodeId kA{7};
constexpr NodeId kB{8};
constexpr HintBacklog::Moment at(std::int64_t second) {
  return {.wall = {second * 1'000'000}};
}

TEST(HintBacklog, CountsWhatComesChangesAndGoes) {
  HintBacklog hints;
  hints.end_count();
  EXPECT_TRUE(hints.none_in({3}));
  hints.stored(hint_partition({3}), key_of(kA, "a"), 0, 100, at(10));
  hints.stored(hint_partition({3}), key_of(kA, "b"), 0, 50, at(20));
  hints.stored(hint_partition({4}), key_of(kB, "c"), 0, 1, at(30));
  EXPECT_EQ(hints.keys(), 3U);
  EXPECT_EQ(hints.bytes(), 151U);
  EXPECT_FALSE(hints.none_in({3}));
  EXPECT_TRUE(hints.none_in({5}));
  hints.stored(hint_partition({3}), key_of(kA, "a"), 100, 40, at(40));  // merged, and smaller
  EXPECT_EQ(hints.keys(), 3U);
  EXPECT_EQ(hints.bytes(), 91U);
  EXPECT_EQ(hints.owners().at(kA).bytes, 90U);
  EXPECT_EQ(hints.owners().at(kA).oldest().us, 10'000'000);
  hints.delivered({3}, kA, 40, {seconds(41).ns});
  hints.delivered({3}, kA, 50, {seconds(41).ns});
  EXPECT_EQ(hints.keys(), 1U);
  EXPECT_EQ(hints.bytes(), 1U);
  EXPECT_TRUE(hints.none_in({3}));
  const HintBacklog::Owner& a = hints.owners().at(kA);
  EXPECT_EQ(a.keys, 0U);
  EXPECT_EQ(a.delivered, 2U);
  EXPECT_EQ(a.oldest().us, 0);
  // A new backlog begins its progress anew.
  hints.stored(hint_partition({3}), key_of(kA, "a"), 0, 9, at(50));
  EXPECT_EQ(a.delivered, 0U);
  EXPECT_EQ(a.delivered_total, 2U);
}

TEST(HintBacklog, WhatComesDuringTheCountIsCountedOnce) {
  HintBacklog hints;
  EXPECT_FALSE(hints.none_in({3})) << "nobody knows yet";
  hints.stored(hint_partition({3}), key_of(kA, "new"), 0, 10, at(1));
  hints.found(hint_partition({3}), key_of(kA, "new"), 10, {});
  hints.found(hint_partition({3}), key_of(kA, "old"), 20, {5});
  hints.stored(hint_partition({3}), key_of(kA, "new"), 10, 11, at(2));
  hints.end_count();
  EXPECT_EQ(hints.keys(), 2U);
  EXPECT_EQ(hints.bytes(), 31U);
  EXPECT_EQ(hints.owners().at(kA).oldest().us, 5);
}

// D14: of a range that cannot be read to its end never one too few is counted.
TEST(HintBacklog, ARangeOfWhichNotAllIsReadStaysUncountedAndNoOtherOneDoes) {
  HintBacklog hints;
  hints.found(hint_partition({3}), key_of(kA, "a"), 10, {5});
  EXPECT_FALSE(hints.walked());
  hints.end_count({PartitionId{3}});
  EXPECT_TRUE(hints.walked());
  EXPECT_FALSE(hints.counted());
  EXPECT_TRUE(hints.none_in({4}));
  hints.stored(hint_partition({4}), key_of(kB, "c"), 0, 1, at(1));
  hints.delivered({4}, kB, 1, {seconds(1).ns});
  EXPECT_TRUE(hints.none_in({4}));
  hints.delivered({3}, kA, 10, {seconds(1).ns});  // another one, which was not counted
  EXPECT_EQ(hints.keys(), 1U);
  hints.stored(hint_partition({3}), key_of(kA, "new"), 0, 20, at(2));
  hints.found(hint_partition({3}), key_of(kA, "new"), 20, {});
  EXPECT_EQ(hints.keys(), 2U);
  hints.end_count();
  EXPECT_TRUE(hints.counted());
  hints.delivered({3}, kA, 20, {seconds(3).ns});
  EXPECT_EQ(hints.keys(), 1U) << "one too many, until a walk meets none";
  hints.correct({3}, kA);
  EXPECT_TRUE(hints.none_in({3}));
}

TEST(HintBacklog, WakesWhoeverDeliversWhenTheFirstComes) {
  HintBacklog hints;
  int woken = 0;
  hints.on_first([&woken] { ++woken; });
  hints.end_count();
  hints.stored(hint_partition({3}), key_of(kA, "a"), 0, 10, at(1));
  hints.stored(hint_partition({3}), key_of(kA, "b"), 0, 10, at(1));
  EXPECT_EQ(woken, 1);
  hints.correct({3}, kA);  // neither was stored in the end
  EXPECT_EQ(hints.keys(), 0U);
  EXPECT_EQ(hints.bytes(), 0U);
  hints.stored(hint_partition({3}), key_of(kA, "a"), 0, 10, at(1));
  EXPECT_EQ(woken, 2);
}

TEST(HintBacklog, AnOwnerCatchesUpWhileItIsBroughtSome) {
  HintBacklog hints;
  hints.end_count();
  const MonoTime now = MonoTime{} + seconds(100);
  hints.stored(hint_partition({3}), key_of(kA, "a"), 0, 10, at(1));
  hints.stored(hint_partition({3}), key_of(kA, "b"), 0, 10, at(1));
  EXPECT_FALSE(hints.catches_up(kA, now)) << "it is away, or refuses them";
  hints.delivered({3}, kA, 10, now);
  EXPECT_TRUE(hints.catches_up(kA, now));
  EXPECT_FALSE(hints.catches_up(kB, now));
  EXPECT_FALSE(hints.catches_up(kA, now + seconds(10))) << "nobody can bring it the other one";
  hints.delivered({3}, kA, 10, now + seconds(10));
  EXPECT_FALSE(hints.catches_up(kA, now + seconds(10))) << "it has all";
}

TEST(DrainRate, IsThatOfTheLastSeconds) {
  DrainRate rate;
  EXPECT_EQ(rate.per_second({}), 0);
  for (int second = 100; second < 110; ++second) {
    for (int i = 0; i < 20; ++i) rate.note({seconds(second).ns});
  }
  EXPECT_EQ(rate.per_second({seconds(109).ns}), 20);
  EXPECT_EQ(rate.per_second({seconds(111).ns}), 12);
  EXPECT_EQ(rate.per_second({seconds(200).ns}), 0);
}

TEST(DrainRate, HasSettledWhileItStaysAboutTheSame) {
  DrainRate rate;
  const auto deliver = [&](int second, int count) {
    for (int i = 0; i < count; ++i) rate.note({seconds(second).ns});
  };
  EXPECT_FALSE(rate.settled({seconds(100).ns}));
  deliver(100, 1);
  deliver(101, 4);
  deliver(102, 16);
  deliver(103, 64);
  EXPECT_FALSE(rate.settled({seconds(104).ns})) << "it rises";
  for (int second = 104; second < 108; ++second) deliver(second, 64);
  EXPECT_TRUE(rate.settled({seconds(108).ns}));
  EXPECT_FALSE(rate.settled({seconds(110).ns})) << "it has ended";
}

}  // namespace
}  // namespace stator::node

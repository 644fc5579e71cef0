#include "core/version/clock.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "core/version/test_support.h"

namespace stator {
namespace {

using testing::actor;
using testing::dot;

TEST(Clock, CoversAllUpToItsCounterAndNothingOfStrangers) {
  Clock clock;
  clock.add(dot(1, 5));
  EXPECT_TRUE(clock.covers(dot(1, 5)));
  EXPECT_TRUE(clock.covers(dot(1, 2)));
  EXPECT_FALSE(clock.covers(dot(1, 6)));
  EXPECT_FALSE(clock.covers(dot(2, 1)));
  EXPECT_FALSE(clock.covers(Dot{actor(1, 2), 1})) << "another life is another actor";
  EXPECT_EQ(clock.counter_of(actor(3)), 0u);
}

TEST(Clock, NeverLowersAnEntry) {
  Clock clock;
  clock.add(dot(1, 5));
  clock.add(dot(1, 3));
  clock.add(Dot{});
  EXPECT_EQ(clock.counter_of(actor(1)), 5u);
  EXPECT_EQ(clock.entries().size(), 1u) << "no dot is no entry";
}

TEST(Clock, IsEqualWhateverTheOrderOfAdding) {
  Clock a;
  Clock b;
  for (const std::uint64_t i : {3, 1, 2, 9, 7}) a.add(dot(i, i));
  for (const std::uint64_t i : {9, 2, 7, 3, 1}) b.add(dot(i, i));
  EXPECT_EQ(a, b);
  EXPECT_TRUE(std::ranges::is_sorted(a.entries()));
}

TEST(Clock, CoversAnotherClockOnlyIfEachEntryIsCovered) {
  Clock a;
  a.add(dot(1, 2));
  a.add(dot(2, 2));
  Clock b = a;
  EXPECT_TRUE(a.covers(b));
  EXPECT_TRUE(a.covers(Clock{}));
  EXPECT_FALSE(Clock{}.covers(a));
  b.add(dot(2, 3));
  EXPECT_FALSE(a.covers(b));
  EXPECT_TRUE(b.covers(a));
  a.add(dot(3, 1));
  EXPECT_FALSE(a.covers(b));
  EXPECT_FALSE(b.covers(a));
}

// Small and large clocks take different ways to an entry.
TEST(Clock, AgreesWithAMap) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 500; ++round) {
    const std::uint64_t actors = 1 + random() % 30;
    Clock clocks[2];
    std::map<Actor, std::uint64_t> maps[2];
    for (int side = 0; side < 2; ++side) {
      for (int i = 0; i < 40; ++i) {
        const Dot next{actor(random() % actors, random() % 2), 1 + random() % 9};
        clocks[side].add(next);
        auto& counter = maps[side][next.actor];
        counter = std::max(counter, next.counter);
      }
    }
    bool covered = true;
    for (const auto& [who, counter] : maps[1]) covered = covered && maps[0][who] >= counter;
    EXPECT_EQ(clocks[0].covers(clocks[1]), covered);
    clocks[0].merge(clocks[1]);
    for (const auto& [who, counter] : maps[1]) maps[0][who] = std::max(maps[0][who], counter);
    for (const auto& [who, counter] : maps[0]) ASSERT_EQ(clocks[0].counter_of(who), counter);
    ASSERT_TRUE(std::ranges::is_sorted(clocks[0].entries()));
  }
}

}  // namespace
}  // namespace stator

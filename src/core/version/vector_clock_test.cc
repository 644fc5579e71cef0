#include "core/version/vector_clock.h"

#include <gtest/gtest.h>

namespace stator::paper {
namespace {

TEST(VectorClock, AnAncestorHasNoGreaterCounter) {
  VectorClock a;
  a.advance({1}, 1, {10});
  VectorClock b = a;
  b.advance({2}, 1, {20});
  EXPECT_TRUE(a.descends_to(b));
  EXPECT_FALSE(b.descends_to(a));
  EXPECT_TRUE(a.descends_to(a));
  VectorClock c = a;
  c.advance({3}, 1, {30});
  EXPECT_FALSE(b.descends_to(c));
  EXPECT_FALSE(c.descends_to(b));
}

TEST(VectorClock, BeyondTheThresholdLosesTheOldestPair) {
  VectorClock clock;
  for (std::uint64_t node = 1; node <= kTruncateAt; ++node) {
    clock.advance({node}, 1, {static_cast<std::int64_t>(100 - node)});
  }
  clock.truncate(kTruncateAt);
  EXPECT_EQ(clock.entries().size(), kTruncateAt);
  clock.advance({50}, 1, {200});
  clock.truncate(kTruncateAt);
  EXPECT_EQ(clock.entries().size(), kTruncateAt);
  EXPECT_EQ(clock.counter_of({kTruncateAt}), 0u) << "the one with the oldest time, not the first";
  EXPECT_EQ(clock.counter_of({1}), 1u);
  EXPECT_EQ(clock.counter_of({50}), 1u);
}

TEST(PaperStore, KeepsUnrelatedVersionsAndForgetsAncestors) {
  Store x;
  const Store::Version first = x.put({1}, {}, 1, {1}, kNeverTruncate);
  Store y;
  y.receive(first);
  const Store::Version second = y.put({2}, y.context(), 2, {2}, kNeverTruncate);
  Store z;
  z.receive(first);
  const Store::Version third = z.put({3}, z.context(), 3, {3}, kNeverTruncate);
  x.receive(second);
  x.receive(third);
  x.receive(first);
  EXPECT_EQ(x.versions().size(), 2u);
}

// The reason why Stator uses dots (fact sheet 4.4 c): one clock cannot tell two racing writes of
// one coordinator apart, so the second swallows the first.
TEST(PaperStore, SwallowsARacingWriteOfTheSameCoordinator) {
  Store x;
  x.put({1}, {}, 1, {1}, kNeverTruncate);
  x.put({1}, {}, 2, {2}, kNeverTruncate);
  ASSERT_EQ(x.versions().size(), 1u);
  EXPECT_EQ(x.versions()[0].value, 2u);
}

}  // namespace
}  // namespace stator::paper

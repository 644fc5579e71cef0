#include "env_real/timer_heap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "base/random.h"

namespace stator::env {
namespace {

TEST(TimerHeap, AgreesWithASortedMapOverRandomUse) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    SplitMix64 random(seed);
    TimerHeap heap;
    // (due, order of creation) -> id; what the heap must fire, in the order of the map.
    std::map<std::pair<std::int64_t, int>, TimerId> model;
    std::vector<int> fired;
    std::int64_t now = 0;
    int created = 0;
    for (int step = 0; step < 2'000; ++step) {
      const std::uint64_t action = random.below(10);
      if (action < 5) {
        const std::int64_t due = now + static_cast<std::int64_t>(random.below(20));
        const int number = created++;
        model[{due, number}] =
            heap.add(MonoTime{due}, [&fired, number] { fired.push_back(number); });
      } else if (action < 8 && !model.empty()) {
        auto victim = model.begin();
        std::advance(victim, static_cast<long>(random.below(model.size())));
        heap.cancel(victim->second);
        heap.cancel(victim->second);
        model.erase(victim);
      } else {
        now += static_cast<std::int64_t>(random.below(10));
        std::vector<int> expected;
        while (!model.empty() && model.begin()->first.first <= now) {
          expected.push_back(model.begin()->first.second);
          model.erase(model.begin());
        }
        fired.clear();
        ASSERT_EQ(heap.fire(MonoTime{now}), expected.size()) << "seed " << seed;
        ASSERT_EQ(fired, expected) << "seed " << seed;
      }
      ASSERT_EQ(heap.empty(), model.empty());
      if (model.empty()) continue;
      ASSERT_EQ(heap.next_due().ns, model.begin()->first.first);
    }
  }
}

TEST(TimerHeap, IdsAreNeverUsedTwice) {
  TimerHeap heap;
  std::vector<std::uint64_t> ids;
  for (int i = 0; i < 1000; ++i) {
    const TimerId id = heap.add({}, [] {});
    ids.push_back(id.value);
    heap.cancel(id);
  }
  std::sort(ids.begin(), ids.end());
  EXPECT_EQ(std::adjacent_find(ids.begin(), ids.end()), ids.end());
  EXPECT_NE(ids.front(), 0U);
}

TEST(TimerHeap, TaskEndsWhenItIsCancelledOrHasRun) {
  TimerHeap heap;
  const auto held = std::make_shared<int>(0);
  const TimerId cancelled = heap.add({}, [held] {});
  heap.add({}, [held] {});
  EXPECT_EQ(held.use_count(), 3);
  heap.cancel(cancelled);
  EXPECT_EQ(held.use_count(), 2);
  heap.fire({});
  EXPECT_EQ(held.use_count(), 1);
}

TEST(TimerHeap, TaskMayCancelAndAddWhileItEnds) {
  TimerHeap heap;
  struct AddsAtItsEnd {
    TimerHeap* heap;
    explicit AddsAtItsEnd(TimerHeap* h) : heap(h) {}
    AddsAtItsEnd(AddsAtItsEnd&& other) noexcept : heap(std::exchange(other.heap, nullptr)) {}
    ~AddsAtItsEnd() {
      if (heap != nullptr) heap->add(MonoTime{9}, [] {});
    }
  };
  const TimerId id = heap.add(MonoTime{5}, [end = AddsAtItsEnd(&heap)] {});
  heap.cancel(id);
  EXPECT_EQ(heap.next_due().ns, 9);
  EXPECT_EQ(heap.fire(MonoTime{9}), 1U);
  EXPECT_TRUE(heap.empty());
}

}  // namespace
}  // namespace stator::env

#include "env_sim/scheduler.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "env_sim/random.h"

namespace stator::sim {
namespace {

TEST(Scheduler, EventsRunInOrderOfTimeThenOfScheduling) {
  Scheduler scheduler;
  std::string order;
  const auto at = [&](std::int64_t ns, char name) {
    scheduler.schedule({ns}, EventKind::kWorld, nullptr, [&order, name] { order.push_back(name); });
  };
  at(20, 'c');
  at(10, 'a');
  at(20, 'd');
  at(10, 'b');
  at(30, 'e');
  scheduler.run_until({20});
  EXPECT_EQ(order, "abcd");
  EXPECT_EQ(scheduler.now().ns, 20);
  scheduler.run_until({100});
  EXPECT_EQ(order, "abcde");
  EXPECT_EQ(scheduler.now().ns, 100);
}

TEST(Scheduler, RandomTimesComeOutSorted) {
  Scheduler scheduler;
  Random random(7);
  std::vector<std::int64_t> seen;
  std::vector<EventRef> events;
  for (int i = 0; i < 20'000; ++i) {
    const auto when = static_cast<std::int64_t>(random.below(5'000));
    events.push_back(scheduler.schedule({when}, EventKind::kWorld, nullptr,
                                        [&] { seen.push_back(scheduler.now().ns); }));
  }
  // Far more than half are cancelled, so that the heap is swept on the way.
  std::size_t left = events.size();
  for (const EventRef event : events) {
    if (!random.chance(0.8)) continue;
    scheduler.cancel(event);
    scheduler.cancel(event);  // no effect
    --left;
  }
  EXPECT_EQ(scheduler.pending(), left);
  scheduler.run_until({5'000});
  EXPECT_EQ(seen.size(), left);
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
  EXPECT_EQ(scheduler.pending(), 0U);
}

TEST(Scheduler, ACancelledEventDropsWhatItHoldsAtOnce) {
  Scheduler scheduler;
  auto held = std::make_shared<int>(1);
  const EventRef event =
      scheduler.schedule({10}, EventKind::kWorld, nullptr, [copy = held] { (void)*copy; });
  EXPECT_EQ(held.use_count(), 2);
  scheduler.cancel(event);
  EXPECT_EQ(held.use_count(), 1);
  EXPECT_FALSE(scheduler.step());
}

TEST(Scheduler, AStaleNameDoesNotCancelTheNextEventInItsSlot) {
  Scheduler scheduler;
  int runs = 0;
  const EventRef first = scheduler.schedule({1}, EventKind::kWorld, nullptr, [&] { ++runs; });
  scheduler.run_until({1});
  scheduler.schedule({2}, EventKind::kWorld, nullptr, [&] { ++runs; });
  scheduler.cancel(first);
  scheduler.run_until({2});
  EXPECT_EQ(runs, 2);
}

TEST(Scheduler, TheTraceTellsRunsApart) {
  const auto run = [](std::int64_t second_at, std::uint64_t bytes) {
    Scheduler scheduler;
    scheduler.schedule({1}, EventKind::kTask, nullptr, [] {});
    scheduler.schedule({second_at}, EventKind::kTask, nullptr, [] {}, bytes);
    scheduler.run_until({100});
    return scheduler.trace().hash();
  };
  EXPECT_EQ(run(2, 5), run(2, 5));
  EXPECT_NE(run(2, 5), run(3, 5));
  EXPECT_NE(run(2, 5), run(2, 6));
}

// docs/rules.md, G2: an event of a whole cluster may cost 4 microseconds, so the queue itself
// must cost next to nothing.
TEST(Scheduler, RawEventsAreCheap) {
  Scheduler scheduler;
  Random random(1);
  constexpr std::uint64_t kEvents = 2'000'000;
  std::uint64_t left = kEvents;
  struct Source {
    Scheduler& scheduler;
    Random& random;
    std::uint64_t& left;
    void go() {
      if (left == 0) return;
      --left;
      scheduler.after({static_cast<std::int64_t>(random.below(1'000'000))}, EventKind::kTask,
                      nullptr, [this] { go(); });
    }
  } source{scheduler, random, left};
  for (int i = 0; i < 2'000; ++i) source.go();
  const auto start = std::chrono::steady_clock::now();
  while (scheduler.step()) {
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  const double rate = static_cast<double>(kEvents) / took.count();
  std::printf("raw events per second: %.0f\n", rate);
  EXPECT_EQ(scheduler.trace().events(), kEvents);
  // A figure of a quiet machine: ./check full judges it.
  if (std::getenv("STATOR_FULL") != nullptr) {
    EXPECT_GT(rate, 100'000);
  }
}

}  // namespace
}  // namespace stator::sim

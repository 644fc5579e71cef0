#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "contract/env_contract.h"

namespace stator::env::contract {

using testing::ElementsAre;

TEST_P(EnvContract, TimersRunInOrderOfTheirTimeThenOfTheirCreation) {
  std::vector<int> ran;
  Executor& executor = here().executor;
  executor.post([&] {
    executor.after(milliseconds(20), [&] { ran.push_back(3); });
    executor.after(milliseconds(5), [&] { ran.push_back(1); });
    executor.after(milliseconds(20), [&] { ran.push_back(4); });
    executor.after(milliseconds(5), [&] { ran.push_back(2); });
    executor.after({}, [&] { ran.push_back(0); });
  });
  ASSERT_TRUE(run_until([&] { return ran.size() == 5; }));
  EXPECT_THAT(ran, ElementsAre(0, 1, 2, 3, 4));
}

TEST_P(EnvContract, TimerNeverRunsBeforeItsTimeAndOnlyOnce) {
  Executor& executor = here().executor;
  int runs = 0;
  MonoTime created;
  MonoTime ran;
  executor.post([&] {
    created = executor.now();
    executor.after(milliseconds(10), [&] {
      ran = executor.now();
      ++runs;
    });
  });
  ASSERT_TRUE(run_until([&] { return runs > 0; }));
  EXPECT_GE(ran - created, milliseconds(10));
  run_for(milliseconds(30));
  EXPECT_EQ(runs, 1);
}

TEST_P(EnvContract, CancelledTimerNeverRuns) {
  Executor& executor = here().executor;
  bool first_ran = false;
  bool cancelled_ran = false;
  bool last_ran = false;
  TimerId cancelled_by_timer;
  TimerId first;
  executor.post([&] {
    const TimerId cancelled_at_once =
        executor.after(milliseconds(5), [&] { cancelled_ran = true; });
    first = executor.after(milliseconds(5), [&] {
      first_ran = true;
      executor.cancel(cancelled_by_timer);  // due in this very turn
    });
    cancelled_by_timer = executor.after(milliseconds(5), [&] { cancelled_ran = true; });
    executor.after(milliseconds(10), [&] {
      executor.cancel(first);  // has run: no effect
      executor.cancel(cancelled_by_timer);
      last_ran = true;
    });
    executor.cancel(cancelled_at_once);
    executor.cancel(TimerId{});
  });
  ASSERT_TRUE(run_until([&] { return last_ran; }));
  EXPECT_TRUE(first_ran);
  EXPECT_FALSE(cancelled_ran);
}

TEST_P(EnvContract, TimerIdOfATimerThatRanNeverCancelsAnother) {
  Executor& executor = here().executor;
  int runs = 0;
  executor.post([&] {
    const TimerId gone = executor.after({}, [] {});
    executor.cancel(gone);
    for (int i = 0; i < 100; ++i) {
      const TimerId fresh = executor.after(milliseconds(1), [&] { ++runs; });
      EXPECT_NE(fresh.value, gone.value);
      EXPECT_TRUE(fresh);
      executor.cancel(gone);
    }
  });
  ASSERT_TRUE(run_until([&] { return runs == 100; }));
}

TEST_P(EnvContract, TimerThatSetsItselfAgainLeavesRoomForOthers) {
  Executor& executor = here().executor;
  struct Again {
    Executor& executor;
    int runs = 0;
    void run() {
      ++runs;
      executor.after({}, [this] { run(); });
    }
  } again{executor};
  bool other_ran = false;
  executor.post([&] { again.run(); });
  executor.after(milliseconds(5), [&] { other_ran = true; });
  ASSERT_TRUE(run_until([&] { return other_ran && again.runs > 3; }));
}

TEST_P(EnvContract, PostedTasksRunInOrderEachInALaterTurn) {
  Executor& executor = here().executor;
  std::string trace;
  executor.at_turn_end([&] {
    if (!trace.empty() && trace.back() != '|') trace.push_back('|');
    return false;
  });
  executor.post([&] {
    trace.push_back('a');
    executor.post([&] { trace.push_back('c'); });
    executor.post_to(executor.shard(), [&] { trace.push_back('d'); });
  });
  executor.post([&] { trace.push_back('b'); });
  ASSERT_TRUE(run_until([&] { return trace.ends_with("d|"); }));
  EXPECT_EQ(trace, "ab|cd|");
}

TEST_P(EnvContract, HooksRunInOrderAfterTheTasksAndAgainWhileOneSaysSo) {
  Executor& executor = here().executor;
  std::string trace;
  int more = 0;
  executor.at_turn_end([&] {
    if (!trace.empty()) trace.push_back('x');
    return false;
  });
  executor.at_turn_end([&] {
    if (!trace.empty()) trace.push_back('y');
    return more-- > 0;
  });
  executor.post([&] {
    trace.push_back('a');
    more = 2;
  });
  executor.post([&] { trace.push_back('b'); });
  ASSERT_TRUE(run_until([&] { return trace.size() >= 8; }));
  EXPECT_EQ(trace.substr(0, 8), "abxyxyxy");
}

TEST_P(EnvContract, TaskPostedByAHookNeedsNoOtherEventToRun) {
  Executor& executor = here().executor;
  bool posted = false;
  bool ran = false;
  executor.at_turn_end([&] {
    if (!posted) executor.post([&] { ran = true; });
    posted = true;
    return false;
  });
  ASSERT_TRUE(run_until([&] { return ran; }));
}

TEST_P(EnvContract, TimeStandsStillWithinATurnAndGrowsBetween) {
  Executor& executor = here().executor;
  MonoTime at_start;
  MonoTime at_hook;
  bool seen = false;
  executor.at_turn_end([&] {
    if (!seen && at_start.ns != 0) {
      at_hook = executor.now();
      seen = true;
    }
    return false;
  });
  executor.post([&] {
    at_start = executor.now();
    std::this_thread::sleep_for(std::chrono::milliseconds(2));  // time that only reality sees
  });
  ASSERT_TRUE(run_until([&] { return seen; }));
  EXPECT_EQ(at_start, at_hook);
  const WallTime wall = executor.wall_now();
  run_for(milliseconds(5));
  EXPECT_GE(executor.now() - at_start, milliseconds(5));
  EXPECT_GT(executor.wall_now(), wall);
}

TEST_P(EnvContract, BlockingJobsOfOneLaneRunInOrderAndReturnToTheLoopInOrder) {
  Executor& executor = here().executor;
  constexpr std::size_t kJobs = 20;
  int started = 0;        // by jobs only, which run one at a time
  int place[kJobs] = {};  // each written by its job and read by its completion
  std::vector<int> done;
  executor.post([&] {
    for (std::size_t i = 0; i < kJobs; ++i) {
      executor.run_blocking(
          1, [&started, &place, i] { place[i] = ++started; },
          [&done, &place, i] { done.push_back(place[i]); });
    }
  });
  ASSERT_TRUE(run_until([&] { return done.size() == kJobs; }));
  for (std::size_t i = 0; i < kJobs; ++i) EXPECT_EQ(done[i], static_cast<int>(i) + 1);
}

TEST_P(EnvContract, EveryLaneWorks) {
  Executor& executor = here().executor;
  int done = 0;
  executor.post([&] {
    for (unsigned lane = 0; lane < Executor::kLanes; ++lane) {
      executor.run_blocking(lane, [] {}, [&done] { ++done; });
    }
  });
  ASSERT_TRUE(run_until([&] { return done == Executor::kLanes; }));
}

TEST_P(EnvContract, RandomNumbersDiffer) {
  Executor& executor = here().executor;
  std::vector<std::uint64_t> drawn;
  for (int i = 0; i < 1000; ++i) drawn.push_back(executor.random());
  std::sort(drawn.begin(), drawn.end());
  EXPECT_EQ(std::adjacent_find(drawn.begin(), drawn.end()), drawn.end());
}

}  // namespace stator::env::contract

#include "env_real/runtime.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/resource.h>

#include <array>
#include <atomic>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

namespace stator::env {
namespace {

using testing::ElementsAre;

Duration processor_time() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return seconds(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         microseconds(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

std::string thread_name() {
  std::array<char, 16> name{};
  pthread_getname_np(pthread_self(), name.data(), name.size());
  return name.data();
}

TEST(Runtime, CostsNothingWhileItHasNothingToDo) {
  Runtime runtime(2);
  const Duration before = processor_time();
  EXPECT_FALSE(runtime.run_until([] { return false; }, milliseconds(500)));
  EXPECT_LT((processor_time() - before).ms(), 100);  // going round and round would be all of it
}

TEST(Runtime, StopFromAnotherThreadEndsRun) {
  Runtime runtime;
  std::thread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    runtime.stop();
  });
  runtime.run();
  stopper.join();
}

TEST(Runtime, SignalsBecomeTasks) {
  Runtime runtime;
  std::vector<int> seen;
  runtime.on_signal([&](int number) {
    seen.push_back(number);
    if (seen.size() == 2) runtime.stop();
    if (seen.size() == 1) ::raise(SIGINT);
  });
  runtime.shard_env(0).executor.post([] { ::raise(SIGTERM); });
  runtime.run();
  EXPECT_THAT(seen, ElementsAre(SIGTERM, SIGINT));
}

TEST(Runtime, TellsHowLongItsTurnsTookAndNotHowLongItWaited) {
  Runtime runtime;
  Executor& executor = runtime.shard_env(0).executor;
  executor.post([&executor] {
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    executor.post([] {});  // what a turn took is known in the next one
  });
  ASSERT_TRUE(runtime.run_until(
      [&executor] { return executor.turn_times().longest() >= milliseconds(30); }, seconds(90)));
  EXPECT_GE(executor.turn_times().sum(), executor.turn_times().longest());
  // As often as it takes until the machine does not stall us meanwhile.
  bool waiting_counts = true;
  for (int i = 0; i < 200 && waiting_counts; ++i) {
    const Duration before = executor.turn_times().sum();
    ASSERT_FALSE(runtime.run_until([] { return false; }, milliseconds(50)));
    waiting_counts = executor.turn_times().sum() - before >= milliseconds(25);
  }
  EXPECT_FALSE(waiting_counts);
}

TEST(Runtime, TasksBetweenShardsKeepTheirOrder) {
  constexpr int kRounds = 2'000;
  Runtime runtime(2);
  Executor& zero = runtime.shard_env(0).executor;
  Executor& one = runtime.shard_env(1).executor;
  std::vector<int> at_one;  // touched by shard 1 only, until the end
  std::vector<int> back;
  std::string name_of_one;
  struct Sender {
    Executor& zero;
    Executor& one;
    std::vector<int>& at_one;
    std::vector<int>& back;
    int next = 0;
    void run() {
      for (int i = 0; i < 10; ++i) {
        zero.post_to(1, [this, number = next++] {
          at_one.push_back(number);
          one.post_to(0, [this, number] { back.push_back(number); });
        });
      }
      if (next < kRounds) zero.post([this] { run(); });
    }
  } sender{zero, one, at_one, back};
  zero.post([&] { sender.run(); });
  zero.post_to(1, [&] { name_of_one = thread_name(); });
  ASSERT_TRUE(runtime.run_until([&] { return back.size() == kRounds; }, seconds(90)));
  runtime.shut_down();
  for (int i = 0; i < kRounds; ++i) {
    ASSERT_EQ(at_one[static_cast<std::size_t>(i)], i);
    ASSERT_EQ(back[static_cast<std::size_t>(i)], i);
  }
  EXPECT_EQ(name_of_one, "shard1");
}

TEST(Runtime, LanesRunBesideTheLoopAndBesideEachOther) {
  Runtime runtime;
  Executor& executor = runtime.shard_env(0).executor;
  std::atomic<bool> second_began = false;
  std::atomic<bool> first_saw_it = false;
  std::string name;
  const std::thread::id loop_thread = std::this_thread::get_id();
  int done = 0;
  bool loop_ran_meanwhile = false;
  executor.run_blocking(
      0,
      [&] {
        name = thread_name();
        EXPECT_NE(std::this_thread::get_id(), loop_thread);
        for (int i = 0; i < 60'000 && !second_began; ++i) {
          std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
        first_saw_it = second_began.load();
      },
      [&] {
        EXPECT_EQ(std::this_thread::get_id(), loop_thread);
        ++done;
      });
  executor.after(milliseconds(10), [&] {
    loop_ran_meanwhile = done == 0;
    executor.run_blocking(1, [&] { second_began = true; }, [&] { ++done; });
  });
  ASSERT_TRUE(runtime.run_until([&] { return done == 2; }, seconds(90)));
  EXPECT_TRUE(first_saw_it);
  EXPECT_TRUE(loop_ran_meanwhile);
  EXPECT_EQ(name, "shard0-lane0");
}

TEST(Runtime, ShutDownRunsTheJobsThatWereQueued) {
  int jobs = 0;
  int done = 0;
  {
    Runtime runtime;
    Executor& executor = runtime.shard_env(0).executor;
    executor.post([&] {
      for (int i = 0; i < 10; ++i) {
        executor.run_blocking(
            2, [&] { std::this_thread::sleep_for(std::chrono::milliseconds(1)), ++jobs; },
            [&] { ++done; });
      }
      runtime.stop();
    });
    runtime.run();
    EXPECT_EQ(jobs, 10);
    executor.run_blocking(2, [&] { ++jobs; }, nullptr);  // too late: dropped, not refused
  }
  EXPECT_EQ(jobs, 10);
  EXPECT_EQ(done, 0);
}

TEST(Runtime, TasksThatNeverRanAreDestroyed) {
  const auto held = std::make_shared<int>(0);
  {
    Runtime runtime(2);
    Executor& executor = runtime.shard_env(0).executor;
    executor.post([held] {});
    executor.after(seconds(1), [held] {});
    executor.at_turn_end([held] { return false; });
    executor.post_to(1, [held] {});
    EXPECT_EQ(held.use_count(), 5);
  }
  EXPECT_EQ(held.use_count(), 1);
}

}  // namespace
}  // namespace stator::env

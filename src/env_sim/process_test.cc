#include "env_sim/process.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "env_sim/world.h"

namespace stator::sim {
namespace {

class EmptyProgram final : public Program {};

// Starts a process whose program is what `begin` does in its first turn.
template <typename Begin>
void start(Host& host, Begin begin) {
  host.start([begin](env::Env& env) {
    begin(env);
    return std::make_unique<EmptyProgram>();
  });
}

TEST(SimProcess, ATurnRunsTasksThenHooksUntilNoneWantsMore) {
  World world(1);
  Host& host = world.add_host("a");
  std::string order;
  start(host, [&](env::Env& env) {
    env.executor.at_turn_end([&order] {
      order.push_back('h');
      return false;
    });
    env.executor.at_turn_end([&order, left = 2]() mutable {
      order.push_back('g');
      return left-- > 0;
    });
    env.executor.post([&order, &env] {
      order.push_back('2');
      env.executor.post([&order] { order.push_back('3'); });
    });
    order.push_back('1');
  });
  world.run_for(seconds(1));
  EXPECT_EQ(order, "1hghghg2hg3hg");
}

TEST(SimProcess, TimersRunInOrderAndCanBeCancelled) {
  World world(1);
  Host& host = world.add_host("a");
  std::string order;
  start(host, [&](env::Env& env) {
    env.executor.after(milliseconds(2), [&order] { order.push_back('c'); });
    env.executor.after(milliseconds(1), [&order] { order.push_back('a'); });
    const env::TimerId dropped =
        env.executor.after(milliseconds(1), [&order] { order.push_back('x'); });
    env.executor.after(milliseconds(1), [&order] { order.push_back('b'); });
    env.executor.cancel(dropped);
    env.executor.cancel({});
  });
  world.run_for(seconds(1));
  EXPECT_EQ(order, "abc");
}

// For whoever judges from outside what is still to come.
TEST(SimProcess, TimersAreCountedAndAProcessThatStandsStillIsBehind) {
  World world(1);
  Host& host = world.add_host("a");
  start(host, [](env::Env& env) {
    for (int i = 1; i <= 3; ++i) env.executor.after(seconds(i), [] {});
    env.executor.post([] {});
  });
  world.run_for(milliseconds(500));
  const ShardLoop& loop = host.process()->loop();
  EXPECT_EQ(loop.timers(), 3U);
  EXPECT_TRUE(loop.caught_up());
  world.run_for(seconds(1));
  EXPECT_EQ(loop.timers(), 2U);
  host.pause();
  world.run_for(seconds(1));
  EXPECT_EQ(loop.timers(), 2U) << "one of them is due";
  EXPECT_FALSE(loop.caught_up());
  host.resume();
  EXPECT_FALSE(loop.caught_up());
  world.run_for(milliseconds(1));
  EXPECT_TRUE(loop.caught_up());
  EXPECT_EQ(loop.timers(), 1U);
  host.set_slowness(1'000'000);  // a turn takes seconds
  world.run_for(milliseconds(501));
  EXPECT_EQ(loop.timers(), 0U);
  EXPECT_FALSE(loop.caught_up()) << "it is busy";
}

TEST(SimProcess, ATimerThatWaitsInThePausedInboxCanStillBeCancelled) {
  World world(1);
  Host& host = world.add_host("a");
  std::string order;
  start(host, [&](env::Env& env) {
    auto& executor = env.executor;
    auto late = std::make_shared<env::TimerId>();
    executor.after(milliseconds(1), [&order, &executor, late] {
      order.push_back('a');
      executor.cancel(*late);
    });
    *late = executor.after(milliseconds(2), [&order] { order.push_back('x'); });
  });
  world.run_until({500'000});
  host.pause();
  world.run_for(seconds(1));
  EXPECT_EQ(order, "");
  host.resume();
  world.run_for(seconds(1));
  EXPECT_EQ(order, "a");
}

TEST(SimProcess, ABusyLoopTakesWhatWaitedInOneTurn) {
  World world(1);
  Host& host = world.add_host("a");
  host.cpu().turn = milliseconds(1);
  int tasks = 0;
  int turns = 0;
  start(host, [&](env::Env& env) {
    env.executor.at_turn_end([&turns] {
      ++turns;
      return false;
    });
    for (int i = 1; i <= 10; ++i) {
      env.executor.after(microseconds(i * 50), [&tasks] { ++tasks; });
    }
  });
  world.run_for(seconds(1));
  EXPECT_EQ(tasks, 10);
  EXPECT_EQ(turns, 2);
}

TEST(SimProcess, BlockingJobsOfALaneCompleteInOrder) {
  World world(3);
  Host& host = world.add_host("a");
  std::vector<int> done;
  start(host, [&](env::Env& env) {
    for (int i = 0; i < 50; ++i) {
      env.executor.run_blocking(1, [] {}, [&done, i] { done.push_back(i); });
    }
  });
  world.run_for(seconds(1));
  ASSERT_EQ(done.size(), 50U);
  EXPECT_TRUE(std::is_sorted(done.begin(), done.end()));
}

TEST(SimProcess, DeathDropsTasksTimersAndProgramWithoutRunningThem) {
  World world(1);
  Host& host = world.add_host("a");
  auto held = std::make_shared<int>(0);
  start(host, [&](env::Env& env) {
    env.executor.after(seconds(1), [held] { ++*held; });
    env.executor.at_turn_end([held] { return false; });
  });
  world.run_for(milliseconds(1));
  EXPECT_GT(held.use_count(), 1);
  host.kill();
  EXPECT_EQ(held.use_count(), 1);
  world.run_for(seconds(2));
  EXPECT_EQ(*held, 0);
}

TEST(SimProcess, EachStartHasRandomNumbersOfItsOwn) {
  World world(1);
  Host& host = world.add_host("a");
  std::vector<std::uint64_t> drawn;
  for (int i = 0; i < 2; ++i) {
    start(host, [&](env::Env& env) { drawn.push_back(env.executor.random()); });
    world.run_for(seconds(1));
    host.kill();
  }
  World again(1);
  Host& twin = again.add_host("a");
  start(twin, [&](env::Env& env) { drawn.push_back(env.executor.random()); });
  again.run_for(seconds(1));
  EXPECT_NE(drawn[0], drawn[1]);
  EXPECT_EQ(drawn[0], drawn[2]);
}

TEST(SimProcess, TheWallClockDriftsAndJumpsWhileTheOtherDoesNot) {
  World world(1);
  Host& host = world.add_host("a");
  start(host, [](env::Env&) {});
  world.run_for(seconds(10));
  ShardLoop& process = host.process()->loop();
  EXPECT_EQ(process.wall_now().us, HostClock::kEpochUs + 10'000'000);
  host.clock().drift(world.now(), 10'000);  // one per cent
  world.run_for(seconds(100));
  EXPECT_EQ(process.wall_now().us, HostClock::kEpochUs + 111'000'000);
  host.clock().jump(seconds(-3600));
  host.clock().drift(world.now(), 0);
  world.run_for(seconds(1));
  EXPECT_EQ(process.wall_now().us, HostClock::kEpochUs + 112'000'000 - 3'600'000'000);
  EXPECT_EQ(process.now().ns, 111'000'000'000);
}

TEST(SimProcess, AFrozenWallClockStandsStillUntilItIsSetRight) {
  World world(1);
  Host& host = world.add_host("a");
  start(host, [](env::Env&) {});
  world.run_for(seconds(10));
  host.clock().freeze(world.now());
  world.run_for(seconds(50));
  EXPECT_EQ(host.process()->loop().wall_now().us, HostClock::kEpochUs + 10'000'000);
  host.clock().set_right();
  EXPECT_EQ(host.process()->loop().wall_now().us, HostClock::kEpochUs + 60'000'000);
}

TEST(SimProcess, AVariationChangesWhatAProgramDrawsAndNotWhatAHarnessDoes) {
  std::vector<std::uint64_t> drawn;
  std::vector<std::uint64_t> harness;
  for (const std::uint64_t variation : {0, 1, 0, 2}) {
    World world(1, variation);
    Host& host = world.add_host("a");
    start(host, [&drawn](env::Env& env) { drawn.push_back(env.executor.random()); });
    world.run_for(milliseconds(1));
    harness.push_back(world.random().fork("harness").next());
  }
  EXPECT_EQ(drawn[0], drawn[2]);
  EXPECT_NE(drawn[0], drawn[1]);
  EXPECT_NE(drawn[1], drawn[3]);
  EXPECT_EQ(harness, std::vector<std::uint64_t>(4, harness[0]));
}

}  // namespace
}  // namespace stator::sim

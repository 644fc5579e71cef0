#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "env_sim/process.h"
#include "env_sim/world.h"

namespace stator::sim {
namespace {

using Envs = std::span<env::Env>;

// Starts a process whose program is what `begin` does in its first turn.
template <typename Begin>
void start(Host& host, unsigned shards, Begin begin) {
  host.start(shards, [begin](Envs envs) {
    begin(envs);
    return std::make_unique<Program>();
  });
}

TEST(SimShards, EachKnowsItsNumberAndHowManyThereAre) {
  World world(1);
  Host& host = world.add_host("a");
  std::vector<unsigned> numbers;
  start(host, 3, [&](Envs envs) {
    for (const env::Env& env : envs) {
      EXPECT_EQ(env.executor.shard_count(), 3U);
      env.executor.post([&] { numbers.push_back(env.executor.shard()); });
    }
  });
  world.run_for(seconds(1));
  std::sort(numbers.begin(), numbers.end());
  EXPECT_EQ(numbers, (std::vector<unsigned>{0, 1, 2}));
}

TEST(SimShards, TasksFromOneToAnotherArriveLaterAndInOrder) {
  World world(1);
  Host& host = world.add_host("a");
  host.cpu().post_tail = 0.5;  // so that later ones would overtake
  struct Run {
    int task;
    Duration took;
    int hooks_before;
  };
  std::vector<Run> runs;
  int hooks = 0;
  start(host, 2, [&](Envs envs) {
    env::Executor& here = envs[0].executor;
    env::Executor& there = envs[1].executor;
    there.at_turn_end([&hooks] {
      ++hooks;
      return false;
    });
    for (int i = 0; i < 200; ++i) {
      here.after(milliseconds(i / 4), [&, i] {
        here.post_to(
            1, [&, i, posted = here.now()] { runs.push_back({i, there.now() - posted, hooks}); });
      });
    }
  });
  world.run_for(seconds(1));
  ASSERT_EQ(runs.size(), 200U);
  for (int i = 0; i < 200; ++i) {
    EXPECT_EQ(runs[static_cast<std::size_t>(i)].task, i);
    EXPECT_GE(runs[static_cast<std::size_t>(i)].took, host.cpu().post_min);
  }
  // In turns of the other shard, with its hooks after each.
  EXPECT_GT(runs.back().hooks_before, 10);
}

TEST(SimShards, ATaskForTheOwnShardRunsLaterToo) {
  World world(1);
  Host& host = world.add_host("a");
  std::string order;
  start(host, 2, [&](Envs envs) {
    envs[1].executor.post([&, &executor = envs[1].executor] {
      executor.post_to(1, [&order] { order.push_back('2'); });
      order.push_back('1');
    });
  });
  world.run_for(seconds(1));
  EXPECT_EQ(order, "12");
}

TEST(SimShards, TheSeedAloneSaysHowTheyInterleave) {
  const auto order_of = [](std::uint64_t seed) {
    World world(seed);
    Host& host = world.add_host("a");
    std::string order;
    start(host, 3, [&](Envs envs) {
      for (int i = 0; i < 20; ++i) {
        for (const unsigned from : {1U, 2U}) {
          env::Executor& executor = envs[from].executor;
          executor.after(microseconds(i * 10), [&order, &executor, from] {
            executor.post_to(0, [&order, from] { order.push_back(from == 1 ? '1' : '2'); });
          });
        }
      }
    });
    world.run_for(seconds(1));
    EXPECT_EQ(order.size(), 40U);
    return order + "/" + std::to_string(world.trace().hash());
  };
  EXPECT_EQ(order_of(1), order_of(1));
  EXPECT_NE(order_of(1).substr(0, 40), order_of(2).substr(0, 40));
}

TEST(SimShards, EachIsBusyByItself) {
  World world(1);
  Host& host = world.add_host("a");
  host.cpu().turn = milliseconds(10);
  std::vector<MonoTime> ran;
  start(host, 2, [&](Envs envs) {
    // Shard 0 is busy with this very turn; no turn of shard 1 has been yet.
    for (const env::Env& env : envs) {
      env.executor.after(milliseconds(5), [&] { ran.push_back(env.executor.now()); });
    }
  });
  world.run_for(seconds(1));
  EXPECT_EQ(ran, (std::vector<MonoTime>{{5'000'000}, {10'002'000}}));
}

TEST(SimShards, EachHasRandomNumbersOfItsOwn) {
  World world(1);
  Host& host = world.add_host("a");
  std::vector<std::uint64_t> drawn;
  start(host, 3, [&](Envs envs) {
    for (const env::Env& env : envs) drawn.push_back(env.executor.random());
  });
  world.run_for(seconds(1));
  std::sort(drawn.begin(), drawn.end());
  EXPECT_EQ(std::unique(drawn.begin(), drawn.end()), drawn.end());
}

TEST(SimShards, PauseStopsThemAllAndDeathEndsThemAll) {
  World world(1);
  Host& host = world.add_host("a");
  auto ran = std::make_shared<int>(0);
  const auto begin = [ran](Envs envs) {
    for (const env::Env& env : envs) {
      env.executor.after(milliseconds(1), [ran] { ++*ran; });
      env.executor.post_to((env.executor.shard() + 1) % 3, [ran] { ++*ran; });
      env.executor.at_turn_end([ran] { return false; });
    }
  };
  start(host, 3, begin);
  world.run_until({1});  // it has begun
  host.pause();
  world.run_for(seconds(1));
  EXPECT_EQ(*ran, 0);
  host.resume();
  world.run_for(seconds(1));
  EXPECT_EQ(*ran, 6);
  host.kill();
  EXPECT_EQ(ran.use_count(), 2);  // here and in `begin`
  start(host, 3, begin);
  world.run_for(nanoseconds(1));
  host.crash();
  world.run_for(seconds(1));
  EXPECT_EQ(*ran, 6);
  EXPECT_EQ(ran.use_count(), 2);
}

// In production that would be a race.
TEST(SimShards, TheEnvOfAnotherShardMustNotBeCalled) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto run = [](const std::function<void(env::Env&)>& call) {
    World world(1);
    Host& host = world.add_host("a");
    start(host, 2, [&](Envs envs) {
      envs[0].executor.after(milliseconds(1), [&call, &other = envs[1]] { call(other); });
    });
    world.run_for(seconds(1));
  };
  EXPECT_DEATH(run([](env::Env& other) { other.executor.post([] {}); }), "check|running_");
  EXPECT_DEATH(run([](env::Env& other) { other.executor.after({}, [] {}); }), "check|running_");
  EXPECT_DEATH(run([](env::Env& other) { other.executor.post_to(0, [] {}); }), "check|running_");
  EXPECT_DEATH(run([](env::Env& other) { static_cast<void>(other.executor.random()); }),
               "check|running_");
}

/// Counts what arrives at one shard. Ends before the process that it listens in.
struct Door final : env::StreamAcceptor, env::FrameSink {
  int streams = 0;
  int frames = 0;
  std::unique_ptr<env::Listener> listener{};
  std::unique_ptr<env::StreamHandler> on_accept(env::Stream&) override {
    ++streams;
    return nullptr;
  }
  void on_frame(std::string_view) override { ++frames; }
};

TEST(SimShards, ConnectionsOfClientsAreDealtOutInTurn) {
  World world(1);
  Host& server = world.add_host("a");
  Host& client = world.add_host("b");
  Door doors[3];
  start(server, 3, [&](Envs envs) {
    for (const env::Env& env : envs) {
      Door& door = doors[env.executor.shard()];
      door.listener = *env.network.listen_streams({"a", 7379}, door);
    }
  });
  world.run_for(milliseconds(1));
  Door nobody;
  start(client, 1, [&](Envs envs) {
    for (int i = 0; i < 12; ++i) {
      envs[0].network.connect_stream({"a", 7379}, nobody, [](const Error&) { ADD_FAILURE(); });
    }
  });
  world.run_for(seconds(1));
  for (const Door& door : doors) EXPECT_EQ(door.streams, 4);
  // Who has stopped listening is left out.
  server.process()->loop(1).post([&] { doors[1].listener.reset(); });
  client.kill();
  start(client, 1, [&](Envs envs) {
    for (int i = 0; i < 12; ++i) {
      envs[0].network.connect_stream({"a", 7379}, nobody, [](const Error&) { ADD_FAILURE(); });
    }
  });
  world.run_for(seconds(1));
  EXPECT_EQ(doors[0].streams, 10);
  EXPECT_EQ(doors[1].streams, 4);
  EXPECT_EQ(doors[2].streams, 10);
}

TEST(SimShards, LinksOfPeersAreDealtOutInTurnAndOutliveTheListener) {
  World world(1);
  Host& server = world.add_host("a");
  Host& peer = world.add_host("b");
  Door doors[3];
  start(server, 3, [&](Envs envs) {
    for (const env::Env& env : envs) {
      Door& door = doors[env.executor.shard()];
      door.listener = *env.network.listen_frames({"a", 7381}, door);
    }
  });
  struct Quiet final : env::LinkEvents {
    void on_link_up() override {}
    void on_link_down() override { ADD_FAILURE(); }
  } quiet;
  std::vector<std::unique_ptr<env::FrameLink>> links(3);
  const auto send_all = [&] {
    for (unsigned i = 0; i < 3; ++i) {
      peer.process()->loop(i).post([&, i] {
        links[i]->begin_frame() += "hello";
        links[i]->end_frame();
      });
    }
    world.run_for(milliseconds(10));
  };
  world.run_for(milliseconds(1));
  start(peer, 3, [&](Envs envs) {
    for (unsigned i = 0; i < 3; ++i) links[i] = envs[i].network.open_link({"a", 7381}, quiet);
  });
  world.run_for(milliseconds(10));
  send_all();
  for (const Door& door : doors) EXPECT_EQ(door.frames, 1);
  server.process()->loop(2).post([&] { doors[2].listener.reset(); });
  send_all();
  for (const Door& door : doors) EXPECT_EQ(door.frames, 2);
}

TEST(SimShards, AnAddressIsInUseForTheShardThatHasItAndForOtherKinds) {
  World world(1);
  Host& host = world.add_host("a");
  Door doors[2];
  start(host, 2, [&](Envs envs) {
    env::Network& first = envs[0].network;
    env::Network& second = envs[1].network;
    doors[0].listener = *first.listen_streams({"a", 7}, doors[0]);
    EXPECT_EQ(first.listen_streams({"a", 7}, doors[0]).error().code, ErrorCode::kConflict);
    EXPECT_EQ(second.listen_frames({"a", 7}, doors[1]).error().code, ErrorCode::kConflict);
    doors[1].listener = *second.listen_streams({"a", 7}, doors[1]);
    // Where the system chooses the port, the second to ask gets the same.
    auto chosen = *first.listen_frames({"a", 0}, doors[0]);
    auto joined = *second.listen_frames({"a", 0}, doors[1]);
    EXPECT_EQ(chosen->address(), joined->address());
    const auto further = *first.listen_frames({"a", 0}, doors[0]);
    EXPECT_NE(further->address(), chosen->address());
    // The last one to leave frees it.
    const env::Address freed = chosen->address();
    chosen.reset();
    EXPECT_TRUE(first.listen_frames(freed, doors[0]).error().code == ErrorCode::kConflict);
    joined.reset();
    EXPECT_TRUE(first.listen_frames(freed, doors[0]).has_value());
  });
  world.run_for(seconds(1));
}

}  // namespace
}  // namespace stator::sim

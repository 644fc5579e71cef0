#include "env_sim/link.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "env_sim/network.h"
#include "env_sim/partition.h"
#include "env_sim/world.h"

namespace stator::sim {
namespace {

// Listens, and sends numbered frames to one peer every millisecond.
class Peer final : public Program, public env::FrameSink, public env::LinkEvents {
 public:
  struct Log {
    std::vector<std::string> frames;
    int ups = 0;
    int downs = 0;
    bool hurried = false;
    MonoTime last_down{};
  };

  Peer(env::Env& env, const std::string& self, const std::string& other, Log& log)
      : env_(env), log_(log) {
    listener_ = *env.network.listen_frames({self, 7381}, *this);
    link_ = env.network.open_link({other, 7381}, *this);
    tick();
  }
  void on_frame(std::string_view frame) override { log_.frames.emplace_back(frame); }
  void on_link_up() override { ++log_.ups; }
  void on_link_down() override {
    ++log_.downs;
    log_.last_down = env_.executor.now();
  }

 private:
  void tick() {
    if (link_->up()) {
      link_->begin_frame().append("frame ").append(std::to_string(++sent_));
      link_->end_frame();
    }
    if (log_.hurried) link_->hurry();
    env_.executor.after(milliseconds(1), [this] { tick(); });
  }

  env::Env& env_;
  Log& log_;
  std::unique_ptr<env::Listener> listener_;
  std::unique_ptr<env::FrameLink> link_;
  int sent_ = 0;
};

class SimLinkTest : public testing::Test {
 protected:
  SimLinkTest() {
    world_.add_host("a");
    world_.add_host("b");
    start(0);
    start(1);
  }
  void start(std::uint32_t host) {
    const std::string self = host == 0 ? "a" : "b";
    const std::string other = host == 0 ? "b" : "a";
    world_.host(host).start([this, host, self, other](env::Env& env) {
      return std::make_unique<Peer>(env, self, other, log_[host]);
    });
  }
  // Frames that arrive at `host` within a second from now.
  std::size_t arrivals(std::uint32_t host) {
    const std::size_t before = log_[host].frames.size();
    world_.run_for(seconds(1));
    return log_[host].frames.size() - before;
  }

  World world_{42};
  Peer::Log log_[2];
};

TEST_F(SimLinkTest, FramesArriveWholeAndInOrderWithoutFaults) {
  world_.run_for(seconds(1));
  ASSERT_GT(log_[1].frames.size(), 900U);
  for (std::size_t i = 0; i < log_[1].frames.size(); ++i) {
    EXPECT_EQ(log_[1].frames[i], "frame " + std::to_string(i + 1));
  }
  EXPECT_EQ(log_[0].ups, 1);
  EXPECT_EQ(log_[0].downs, 0);
}

TEST_F(SimLinkTest, WhatIsOpenIsCountedFromOutside) {
  world_.run_for(seconds(1));
  const ShardNetwork& network = world_.host(0).process()->loop().network();
  const ShardNetwork::Held held = network.held();
  EXPECT_EQ(held.listeners, 1U);
  EXPECT_EQ(held.links, 1U);
  EXPECT_EQ(held.streams, 0U);
  EXPECT_EQ(held.link_bytes, 0U);
  world_.wire().limits.socket_buffer = 100;
  world_.wire().set_cut(0, 1, true);
  world_.run_for(seconds(1));
  EXPECT_GT(network.held().link_bytes, 5'000U) << "of about 10,000 bytes that were sent";
}

TEST_F(SimLinkTest, ACutPathDropsInSilenceInItsDirectionOnly) {
  world_.run_for(seconds(1));
  world_.wire().set_cut(0, 1, true);
  world_.run_for(milliseconds(100));  // what was under way
  EXPECT_EQ(arrivals(1), 0U);
  EXPECT_GT(arrivals(0), 900U);
  EXPECT_EQ(log_[0].downs, 0);  // nobody has noticed
}

// TCP delivers in order, so that one late packet holds up all behind it; and it gives up.
TEST_F(SimLinkTest, AConnectionThatOnePacketHoldsUpForLongIsGivenUpAndDialledAgain) {
  world_.run_for(seconds(1));
  NetworkFaults slow = world_.wire().faults(0, 1);
  slow.delay_min = seconds(60);
  const NetworkFaults usual = world_.wire().faults(0, 1);
  world_.wire().set_faults(0, 1, slow);
  world_.run_for(milliseconds(10));
  world_.wire().set_faults(0, 1, usual);
  world_.run_for(world_.wire().limits.keep_alive_min + seconds(2));
  EXPECT_EQ(log_[0].downs, 1);
  EXPECT_EQ(log_[0].ups, 2);
  EXPECT_GT(arrivals(1), 900U);
}

TEST_F(SimLinkTest, ACutConnectionIsGivenUpAfterTheKeepAliveAndComesBackWhenHealed) {
  world_.run_for(seconds(1));
  const MonoTime cut_at = world_.now();
  world_.wire().set_cut(0, 1, true);
  world_.run_for(seconds(30));
  EXPECT_EQ(log_[0].downs, 1);
  EXPECT_EQ(log_[1].downs, 1);
  EXPECT_GE(log_[0].last_down - cut_at, world_.wire().limits.keep_alive_min);
  EXPECT_EQ(arrivals(0), 0U);
  world_.wire().heal();
  world_.run_for(env::FrameLink::kDialDoubtful + milliseconds(50));
  EXPECT_EQ(log_[0].ups, 2);
  EXPECT_EQ(log_[1].ups, 2) << "nobody has to be heard first";
  EXPECT_GT(arrivals(0), 900U);
  EXPECT_GT(arrivals(1), 900U);
}

TEST_F(SimLinkTest, AShortCutIsNotNoticedButLosesItsFrames) {
  world_.run_for(seconds(1));
  world_.wire().set_cut(0, 1, true);
  world_.run_for(seconds(1));
  world_.wire().heal();
  world_.run_for(seconds(60));
  EXPECT_EQ(log_[0].downs, 0);
  EXPECT_GT(world_.wire().counters().cut, 900U);
}

TEST_F(SimLinkTest, AKilledPeerResetsAndACrashedOneIsSilent) {
  world_.run_for(seconds(1));
  world_.host(1).kill();
  world_.run_for(seconds(1));
  EXPECT_EQ(log_[0].downs, 1);
  start(1);
  world_.run_for(seconds(5));
  EXPECT_EQ(log_[0].ups, 2);
  world_.host(1).crash();
  world_.run_for(seconds(1));
  EXPECT_EQ(log_[0].downs, 1);
  world_.run_for(seconds(30));
  EXPECT_EQ(log_[0].downs, 2);
}

TEST_F(SimLinkTest, APeerThatIsBackAfterACrashResetsOldConnections) {
  world_.run_for(seconds(1));
  world_.host(1).crash();
  world_.run_for(milliseconds(100));
  start(1);
  world_.run_for(seconds(3));
  EXPECT_EQ(log_[0].downs, 1);
  EXPECT_EQ(log_[0].ups, 2);
}

TEST_F(SimLinkTest, APeerThatRestartedBehindACutIsNoticedWhenTheCutHeals) {
  world_.run_for(seconds(1));
  world_.wire().set_cut(0, 1, true);
  world_.wire().set_cut(1, 0, true);
  world_.host(1).kill();
  start(1);
  world_.run_for(seconds(1));
  EXPECT_EQ(log_[0].downs, 0);
  world_.wire().heal();
  world_.run_for(seconds(3));
  EXPECT_EQ(log_[0].downs, 1);
  EXPECT_GT(arrivals(1), 900U);
}

TEST_F(SimLinkTest, ALinkThatIsToldThatItsPeerRunsDialsSoonButNotWithEveryFrame) {
  world_.run_for(milliseconds(10));
  world_.host(1).kill();
  world_.run_for(seconds(5));  // the back-off is at its longest
  const int ups = log_[0].ups;
  log_[0].hurried = true;  // each millisecond, also while there is nobody
  const std::uint64_t before = world_.wire().counters().refused;
  world_.run_for(seconds(1));
  EXPECT_NEAR(static_cast<double>(world_.wire().counters().refused - before), 50, 5);
  start(1);
  world_.run_for(milliseconds(25));
  EXPECT_EQ(log_[0].ups, ups + 1);
}

TEST_F(SimLinkTest, ADiallingThatACutHasSilencedBeginsAnewWithinASecond) {
  // Wherever within a dialling the cut heals.
  const auto slowest = [this](bool heard) {
    Duration worst{};
    for (int i = 0; i < 20; ++i) {
      world_.run_for(seconds(1));
      const int ups = log_[0].ups;
      world_.wire().set_cut(0, 1, true);
      world_.wire().set_cut(1, 0, true);
      world_.run_for(seconds(30) + milliseconds(100 * i));
      log_[0].hurried = heard;
      world_.wire().heal();
      const MonoTime healed = world_.now();
      while (log_[0].ups == ups) world_.run_for(milliseconds(10));
      worst = std::max(worst, world_.now() - healed);
      log_[0].hurried = false;
    }
    return worst;
  };
  EXPECT_LE(slowest(false), env::FrameLink::kDialDoubtful + milliseconds(50));
  EXPECT_LE(slowest(true), env::FrameLink::kDialDoubtful + milliseconds(50));
}

// A machine without power is dialled for hours: no more often than once a second, also while
// somebody says with every frame that it runs.
TEST_F(SimLinkTest, WhoDoesNotAnswerIsDialledOnceASecondHoweverOftenItIsSaidToRun) {
  world_.run_for(seconds(1));
  world_.host(1).crash();
  world_.run_for(seconds(30));  // the connection has been given up
  for (const bool heard : {false, true}) {
    log_[0].hurried = heard;
    const std::uint64_t before = world_.wire().counters().unanswered;
    world_.run_for(seconds(20));
    const std::uint64_t dials = world_.wire().counters().unanswered - before;
    EXPECT_GE(dials, 19U) << heard;
    EXPECT_LE(dials, 21U) << heard;
  }
}

TEST_F(SimLinkTest, APausedPeerGetsEverythingLate) {
  world_.run_for(seconds(1));
  world_.host(1).pause();
  EXPECT_EQ(arrivals(1), 0U);
  world_.host(1).resume();
  world_.run_for(milliseconds(100));
  EXPECT_GT(log_[1].frames.size(), 2'000U);
  EXPECT_TRUE(std::is_sorted(log_[1].frames.begin(), log_[1].frames.end(),
                             [](const auto& a, const auto& b) {
                               return a.size() != b.size() ? a.size() < b.size() : a < b;
                             }));
}

TEST_F(SimLinkTest, EachMessageFaultStrikes) {
  NetworkFaults faults;
  faults.loss = 0.1;
  faults.duplicate = 0.1;
  faults.reorder = 0.1;
  faults.corrupt = 0.1;
  faults.truncate = 0.1;
  world_.wire().set_faults(faults);
  world_.run_for(seconds(10));
  const WireCounters& counted = world_.wire().counters();
  for (const std::uint64_t fault : {counted.lost, counted.duplicated, counted.reordered,
                                    counted.corrupted, counted.truncated}) {
    EXPECT_NEAR(static_cast<double>(fault) / static_cast<double>(counted.frames), 0.1, 0.02);
  }
  // What arrived is what was sent less the lost, plus the doubled.
  const auto arrived = log_[0].frames.size() + log_[1].frames.size();
  EXPECT_NEAR(static_cast<double>(arrived),
              static_cast<double>(counted.frames - counted.lost + counted.duplicated), 50);
  std::size_t damaged = 0;
  std::size_t overtaken = 0;
  int last = 0;
  for (const std::string& frame : log_[1].frames) {
    if (!frame.starts_with("frame ") ||
        frame.find_first_not_of("0123456789", 6) != std::string::npos) {
      ++damaged;
      continue;
    }
    const int number = std::atoi(frame.c_str() + 6);
    overtaken += number < last ? 1 : 0;
    last = std::max(last, number);
  }
  EXPECT_GT(damaged, 500U);
  EXPECT_GT(overtaken, 500U);
}

TEST_F(SimLinkTest, OldFramesComeAgainEvenToALaterProcess) {
  NetworkFaults faults;
  faults.replay = 0.1;
  world_.wire().set_faults(faults);
  world_.run_for(seconds(5));
  world_.host(0).kill();
  world_.host(1).kill();
  log_[1].frames.clear();
  start(1);
  world_.run_for(seconds(90));
  EXPECT_GT(world_.wire().counters().replayed, 100U);
  EXPECT_GT(log_[1].frames.size(), 50U);
}

TEST_F(SimLinkTest, NothingIsReplayedWhenThatFaultHasEnded) {
  NetworkFaults faults;
  faults.replay = 0.1;
  world_.wire().set_faults(faults);
  world_.run_for(seconds(5));
  world_.wire().set_faults(NetworkFaults{});
  world_.host(0).kill();
  world_.run_for(seconds(1));
  EXPECT_EQ(arrivals(1), 0U);
  world_.run_for(seconds(90));
  EXPECT_EQ(arrivals(1), 0U);
}

TEST_F(SimLinkTest, AResetIsNoticedByBothEndsAtOnce) {
  world_.run_for(seconds(1));
  world_.wire().reset(0, 1);
  world_.run_for(seconds(1));
  EXPECT_EQ(log_[0].downs, 1);
  EXPECT_EQ(log_[1].downs, 1);
  EXPECT_EQ(log_[0].ups, 2);
}

TEST_F(SimLinkTest, AResetOfOneEndIsNotNoticedByTheOther) {
  world_.run_for(seconds(1));
  world_.wire().reset_end(0, 1);
  world_.run_for(seconds(1));
  EXPECT_EQ(log_[0].downs, 1);
  EXPECT_EQ(log_[0].ups, 2);
  EXPECT_EQ(log_[1].downs, 0);
}

// What had left before a connection broke may be a part of a frame: the receiver, which waits for
// the rest of it, has nothing of it then.
TEST_F(SimLinkTest, AConnectionBreaksInTheMiddleOfAFrame) {
  world_.run_for(seconds(1));
  NetworkFaults faults = world_.wire().faults(0, 1);
  faults.reset = 0.5;
  faults.tail = 0;  // so that nothing of one connection comes behind what the next one brings
  world_.wire().set_faults(0, 1, faults);
  world_.run_for(seconds(20));
  faults.reset = 0;
  world_.wire().set_faults(0, 1, faults);
  world_.run_for(seconds(1));
  const WireCounters& counters = world_.wire().counters();
  EXPECT_GT(counters.resets, 100U);
  EXPECT_GT(counters.torn, counters.resets / 2);
  int next = 1;
  std::size_t missing = 0;
  for (const std::string& frame : log_[1].frames) {
    ASSERT_TRUE(frame.starts_with("frame ")) << frame;
    const int number = std::stoi(frame.substr(6));
    ASSERT_EQ(frame, "frame " + std::to_string(number)) << "whole";
    ASSERT_GE(number, next);
    missing += static_cast<std::size_t>(number - next);
    next = number + 1;
  }
  EXPECT_GE(missing, counters.torn);
  EXPECT_EQ(counters.lost, 0U);
}

TEST_F(SimLinkTest, AThinPathDelaysAndThenLosesWhatIsTooMuch) {
  NetworkFaults faults;
  faults.bytes_per_second = 2'000;  // of about 10,000 that are sent
  world_.wire().set_faults(faults);
  world_.run_for(seconds(10));
  EXPECT_LT(log_[1].frames.size(), 2'500U);
  EXPECT_GT(log_[1].frames.size(), 1'000U);
  EXPECT_GT(world_.wire().counters().lost, 5'000U);
  // Nothing stands in line for longer than a while when the path is wide again.
  world_.wire().set_faults(NetworkFaults{});
  world_.run_for(seconds(2));
  EXPECT_GT(arrivals(1), 900U);
}

class Collector final : public Program, public env::LinkEvents {
 public:
  explicit Collector(env::Env& env) : link(env.network.open_link({"b", 7381}, *this)) {}
  void on_link_up() override {}
  void on_link_down() override {}
  std::unique_ptr<env::FrameLink> link;
};

TEST(SimLink, UnsentGrowsTowardsAPausedPeerAndFramesBeyondTheLimitAreDropped) {
  World world(1);
  world.wire().limits.link_unsent_max = 8 * 1024 * 1024;
  world.add_host("a");
  world.add_host("b");
  Peer::Log log;
  world.host(1).start(
      [&](env::Env& env) { return std::make_unique<Peer>(env, "b", "nowhere", log); });
  world.run_for(seconds(1));
  Collector* collector = nullptr;
  world.host(0).start([&](env::Env& env) {
    auto made = std::make_unique<Collector>(env);
    collector = made.get();
    return made;
  });
  world.run_for(seconds(1));
  world.host(1).pause();
  for (int i = 0; i < 1'000; ++i) {
    world.host(0).process()->loop().post([&] {
      collector->link->begin_frame().append(100'000, 'x');
      collector->link->end_frame();
    });
  }
  world.run_for(seconds(1));
  EXPECT_GT(collector->link->unsent(), world.wire().limits.link_unsent_max - 200'000);
  EXPECT_LT(collector->link->unsent(), world.wire().limits.link_unsent_max + 200'000);
  EXPECT_GT(world.wire().counters().overflowed, 500U);
  world.host(1).resume();
  world.run_for(seconds(1));
  EXPECT_EQ(collector->link->unsent(), 0U);
}

TEST(Partition, EveryShapeCutsWhatItsNameSays) {
  Random random(5);
  const std::vector<std::uint32_t> hosts{3, 4, 5, 6, 7};
  const auto count = [&](PartitionShape shape) {
    return draw_partition(shape, hosts, random).size();
  };
  EXPECT_EQ(count(PartitionShape::kIsolateOne), 8U);
  EXPECT_EQ(count(PartitionShape::kOneWay), 4U);
  EXPECT_EQ(count(PartitionShape::kDeaf), 4U);
  EXPECT_EQ(count(PartitionShape::kOnePath), 1U);
  EXPECT_EQ(count(PartitionShape::kBridge), 8U);         // 2 x 2 pairs
  EXPECT_EQ(count(PartitionShape::kMajorityRing), 10U);  // each hears two of four
  for (int i = 0; i < 100; ++i) {
    const std::size_t cut = count(PartitionShape::kHalves);
    EXPECT_TRUE(cut == 8 || cut == 12);
  }
  std::size_t fewest = 20;
  std::size_t most = 0;
  for (int i = 0; i < 100; ++i) {
    const Cuts cuts = draw_partition(PartitionShape::kRandomPaths, hosts, random);
    EXPECT_TRUE(std::ranges::adjacent_find(cuts) == cuts.end());
    fewest = std::min(fewest, cuts.size());
    most = std::max(most, cuts.size());
  }
  EXPECT_LT(fewest, 3U);
  EXPECT_GT(most, 17U);
}

}  // namespace
}  // namespace stator::sim

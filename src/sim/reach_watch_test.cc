#include "sim/reach_watch.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>

namespace stator::sim {
namespace {

class Sleeper final : public Program {
 public:
  bool serves = true;
};

// Three machines on which nothing happens but what a test does to them.
class WatchedWorld : public ::testing::Test {
 protected:
  WatchedWorld() : world_(1) {
    for (const char* name : {"n1", "n2", "n3"}) {
      world_.add_host(name);
    }
    for (std::uint32_t node = 0; node < 3; ++node) start(node);
    watch_ = std::make_unique<ReachWatch>(
        world_, ReachWatch::Options{.nodes = 3, .spare = 0, .serves = [](Program& program) {
                                      return static_cast<Sleeper&>(program).serves;
                                    }});
    world_.run_for(seconds(1));
    watch_->look();
  }
  void start(std::uint32_t node) {
    world_.host(node).start([](env::Env&) { return std::make_unique<Sleeper>(); });
  }
  /// A write that needs so many nodes, asked of n1 now, would be owed.
  bool owed(std::uint8_t needed) {
    const std::uint64_t before = watch_->refusals().owed();
    watch_->on_answered({.begin = world_.now(), .end = world_.now(), .quorum = needed});
    return watch_->refusals().owed() > before;
  }
  /// What this does to n3 is seen, and is over nine seconds after it was undone.
  void expect_ill(const std::function<void()>& harm, const std::function<void()>& undo) {
    ASSERT_TRUE(owed(3));
    harm();
    watch_->look();
    EXPECT_FALSE(owed(1));
    world_.run_for(seconds(60));
    EXPECT_FALSE(owed(1)) << "as long as it lasts";
    undo();
    watch_->look();
    world_.run_for(Reach::kIllLasts + Reach::kSettle - milliseconds(1));
    EXPECT_FALSE(owed(3));
    world_.run_for(milliseconds(1));
    EXPECT_TRUE(owed(3));
  }
  Host& third() { return world_.host(2); }

  World world_;
  std::unique_ptr<ReachWatch> watch_;
};

TEST_F(WatchedWorld, WhereNothingIsWrongAllIsOwed) {
  EXPECT_TRUE(owed(3));
  EXPECT_FALSE(owed(4));
  EXPECT_EQ(watch_->refusals().answered(), 2U);
}

TEST_F(WatchedWorld, WhoeverDoesNotRunIsAway) {
  third().kill();
  watch_->look();
  EXPECT_TRUE(owed(2));
  EXPECT_FALSE(owed(3));
  world_.run_for(seconds(20));
  start(2);
  EXPECT_TRUE(owed(2)) << "it has not begun";
  world_.run_for(seconds(1));
  watch_->look();
  EXPECT_FALSE(owed(2)) << "not all know it yet";
  world_.run_for(Reach::kSettle);
  EXPECT_TRUE(owed(3));
}

TEST_F(WatchedWorld, OneThatWasStartedAnewUnseenIsNoticed) {
  third().kill();
  start(2);
  world_.run_for(seconds(1));
  EXPECT_FALSE(owed(1));
  world_.run_for(Reach::kSettle);
  EXPECT_TRUE(owed(3));
}

TEST_F(WatchedWorld, PathsThatAreCutAreAway) {
  world_.wire().set_cut(0, 2, true);
  watch_->look();
  EXPECT_FALSE(owed(1)) << "in one direction only";
  world_.wire().set_cut(2, 0, true);
  watch_->look();
  EXPECT_TRUE(owed(2));
  EXPECT_FALSE(owed(3));
}

TEST_F(WatchedWorld, LinksThatBreakAreNoticedAlthoughTheyLeaveNothingToSee) {
  world_.wire().reset(0, 1);
  watch_->look();
  EXPECT_FALSE(owed(1));
  world_.run_for(Reach::kSettle);
  EXPECT_TRUE(owed(3));
}

TEST_F(WatchedWorld, ANodeThatStandsStillOrIsSlowIsIll) {
  expect_ill([this] { third().pause(); }, [this] { third().resume(); });
  expect_ill([this] { third().set_slowness(2); }, [this] { third().set_slowness(1); });
}

TEST_F(WatchedWorld, SoIsOneThatServesNobody) {
  const auto set = [this](bool serves) {
    static_cast<Sleeper*>(third().process()->program())->serves = serves;
  };
  expect_ill([&] { set(false); }, [&] { set(true); });
}

TEST_F(WatchedWorld, SoAreAPathAndADiskThatAreSlow) {
  NetworkFaults late;
  late.delay_mean = milliseconds(20);
  expect_ill([&] { world_.wire().set_faults(2, 0, late); },
             [&] { world_.wire().set_faults(2, 0, {}); });
  expect_ill([this] { third().disk().faults.sync_mean = milliseconds(100); },
             [this] { third().disk().faults = {}; });
}

TEST_F(WatchedWorld, RareWaysOfTheProgramAreIll) {
  expect_ill([this] { world_.buggify().on = true; }, [this] { world_.buggify().on = false; });
}

// D31: what a failed sync has left only a new start cures.
TEST_F(WatchedWorld, AProcessWhoseDiskHasFailedIsIllUntilItEnds) {
  third().disk().faults.sync_fails = 1;
  watch_->look();
  EXPECT_FALSE(owed(1));
  third().disk().faults = {};
  watch_->look();
  world_.run_for(seconds(60));
  EXPECT_FALSE(owed(1));
  third().kill();
  start(2);
  world_.run_for(seconds(60));
  EXPECT_FALSE(owed(1)) << "this look is the first that sees it";
  world_.run_for(Reach::kIllLasts + Reach::kSettle);
  EXPECT_TRUE(owed(3));
}

TEST_F(WatchedWorld, SoIsOneThatWasStartedOnADiskThatFailed) {
  third().kill();
  third().disk().read_only = true;
  watch_->look();
  start(2);
  world_.run_for(seconds(1));
  third().disk().mend();
  watch_->look();
  world_.run_for(seconds(60));
  EXPECT_FALSE(owed(1));
}

TEST_F(WatchedWorld, NothingIsOwedAfterItWasGivenUp) {
  EXPECT_TRUE(owed(1));
  watch_->give_up();
  EXPECT_FALSE(owed(1));
  world_.run_for(seconds(600));
  EXPECT_FALSE(owed(1));
}

TEST(PathState, EveryFaultOfFramesIsSeen) {
  const NetworkFaults usual;
  EXPECT_EQ(state_of_path(false, usual), Reach::State::kWell);
  EXPECT_EQ(state_of_path(true, usual), Reach::State::kAway);
  for (double NetworkFaults::* each :
       {&NetworkFaults::loss, &NetworkFaults::duplicate, &NetworkFaults::reorder,
        &NetworkFaults::corrupt, &NetworkFaults::truncate, &NetworkFaults::replay,
        &NetworkFaults::reset, &NetworkFaults::tail}) {
    NetworkFaults faults;
    faults.*each = 0.01;
    EXPECT_EQ(state_of_path(false, faults), Reach::State::kIll);
    EXPECT_EQ(state_of_path(true, faults), Reach::State::kAway);
  }
  NetworkFaults faults;
  faults.bytes_per_second = 100'000;
  EXPECT_EQ(state_of_path(false, faults), Reach::State::kIll);
  faults = {};
  faults.tail_mean = seconds(1);
  EXPECT_EQ(state_of_path(false, faults), Reach::State::kIll);
  faults.tail = 0;
  EXPECT_EQ(state_of_path(false, faults), Reach::State::kWell) << "it never comes to that";
  faults.chop = 0.5;
  EXPECT_EQ(state_of_path(false, faults), Reach::State::kWell) << "not of frames";
}

TEST(PathState, ADiskIsQuickUnlessSomethingOfItIsSlower) {
  EXPECT_TRUE(is_quick({}));
  for (Duration DiskFaults::* each : {&DiskFaults::call_cost, &DiskFaults::sync_min,
                                      &DiskFaults::sync_mean, &DiskFaults::sync_tail_mean}) {
    DiskFaults faults;
    faults.*each = seconds(1);
    EXPECT_FALSE(is_quick(faults));
  }
  DiskFaults faults;
  faults.sync_tail = 0.05;
  EXPECT_FALSE(is_quick(faults));
}

}  // namespace
}  // namespace stator::sim

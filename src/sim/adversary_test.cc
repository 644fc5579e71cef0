#include "sim/adversary.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <utility>
#include <vector>

namespace stator::sim {
namespace {

class Idle final : public Program {};

// Five machines on which nothing happens but what the adversary does.
class Yard {
 public:
  Yard(std::uint64_t seed, const char* families) : world_(seed) {
    for (const char* name : {"n1", "n2", "n3", "n4", "n5"}) {
      nodes_.push_back(world_.add_host(name).index());
    }
    const std::uint32_t client = world_.add_host("c1").index();
    for (const std::uint32_t node : nodes_) start(node);
    adversary_ = std::make_unique<Adversary>(
        world_, nodes_, std::vector<std::uint32_t>{client},
        Adversary::Options{.families = *parse_faults(families),
                           .random = world_.random().fork("adversary"),
                           .struck = [this] { seen_ = state(); }},
        NodeControl{
            .start = [this](std::uint32_t node) { start(node); },
            .stop = [](std::uint32_t) {},
            .start_copy =
                [this](std::uint32_t node, std::uint32_t original) {
                  copies_.emplace_back(node, original);
                  start(node);
                },
            .copy_ended = [this](std::uint32_t node,
                                 std::uint32_t original) { ended_.emplace_back(node, original); },
            .spoil = [this](std::uint32_t node, const Random&) { rotten_.push_back(node); }});
  }
  void start(std::uint32_t node) {
    world_.host(node).start([](env::Env&) { return std::make_unique<Idle>(); });
  }
  World& world() { return world_; }
  Adversary& adversary() { return *adversary_; }
  const std::vector<std::uint32_t>& nodes() const { return nodes_; }
  /// All that can be seen of machines and paths.
  std::vector<double> state() {
    std::vector<double> all;
    for (const std::uint32_t node : nodes_) {
      Host& host = world_.host(node);
      const DiskFaults& disk = host.disk().faults;
      all.push_back(host.running() ? host.process()->number() : 0);
      all.push_back(host.paused() ? 1 : 0);
      all.push_back(static_cast<double>(host.slowness()));
      all.push_back(host.disk().may_fail() ? 1 : 0);
      all.push_back(static_cast<double>(disk.sync_mean.ns + disk.call_cost.ns));
      for (const std::uint32_t to : nodes_) {
        const NetworkFaults& faults = world_.wire().faults(node, to);
        all.push_back(world_.wire().is_cut(node, to) ? 1 : 0);
        all.push_back(static_cast<double>(world_.wire().resets(node, to)));
        all.push_back(faults.loss + faults.reset + faults.tail);
        all.push_back(static_cast<double>(faults.delay_mean.ns));
      }
    }
    return all;
  }
  /// That, when the adversary last told that it had done something.
  const std::vector<double>& seen() const { return seen_; }
  /// Copies that were started, with their originals.
  const std::vector<std::pair<std::uint32_t, std::uint32_t>>& copies() const { return copies_; }
  /// Those of them that ended, in that order.
  const std::vector<std::pair<std::uint32_t, std::uint32_t>>& ended() const { return ended_; }
  /// Of each strike on records, at which node they rot.
  const std::vector<std::uint32_t>& rotten() const { return rotten_; }

 private:
  World world_;
  std::vector<std::uint32_t> nodes_;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> copies_;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> ended_;
  std::vector<double> seen_;
  std::vector<std::uint32_t> rotten_;
  std::unique_ptr<Adversary> adversary_;
};

// How long something has been so, as seen every few seconds.
class Longest {
 public:
  void see(bool is_so, Duration step) {
    now_ = is_so ? now_ + step : Duration{};
    longest_ = std::max(longest_, now_);
  }
  [[nodiscard]] Duration longest() const { return longest_; }

 private:
  Duration now_{};
  Duration longest_{};
};

struct Seen {
  Duration cut{};
  Duration pause{};
  std::uint64_t very_long = 0;
};
Seen watch(std::uint64_t seed, Duration length) {
  constexpr Duration kStep = seconds(5);
  Yard yard(seed, "cuts,pause");
  World& world = yard.world();
  yard.adversary().start(world.now() + length);
  std::map<std::pair<std::uint32_t, std::uint32_t>, Longest> cuts;
  std::map<std::uint32_t, Longest> pauses;
  for (const MonoTime end = world.now() + length; world.now() < end;) {
    world.run_for(kStep);
    for (const std::uint32_t from : yard.nodes()) {
      pauses[from].see(world.host(from).paused(), kStep);
      for (const std::uint32_t to : yard.nodes()) {
        if (from != to) cuts[{from, to}].see(world.wire().is_cut(from, to), kStep);
      }
    }
  }
  Seen seen{.very_long = yard.adversary().counters().very_long};
  for (const auto& [path, each] : cuts) seen.cut = std::max(seen.cut, each.longest());
  for (const auto& [node, each] : pauses) seen.pause = std::max(seen.pause, each.longest());
  yard.adversary().heal();
  for (const std::uint32_t node : yard.nodes()) EXPECT_FALSE(world.host(node).paused());
  return seen;
}

// The catalogue has cuts of half an hour and pauses of ten minutes.
TEST(Adversary, NowAndThenACutOrAPauseIsVeryLongInARunThatIs) {
  Seen most;
  int with = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const Seen seen = watch(seed, seconds(70 * 60));
    most.cut = std::max(most.cut, seen.cut);
    most.pause = std::max(most.pause, seen.pause);
    with += seen.very_long > 0 ? 1 : 0;
  }
  EXPECT_GT(most.cut, seconds(20 * 60));
  EXPECT_GT(most.pause, seconds(5 * 60));
  EXPECT_GT(with, 5);
  EXPECT_LT(with, 40) << "not in every run";
}

TEST(Adversary, AShortRunHasNothingVeryLong) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Seen seen = watch(seed, seconds(9 * 60));
    EXPECT_EQ(seen.very_long, 0U);
    EXPECT_LE(seen.cut, seconds(9 * 60));
  }
}

// I15: nothing is wrong with the core, and the others are away, each as a family of the run has it.
TEST(Adversary, ACoreIsHealedWhileTheOthersAreKeptAway) {
  for (const char* families : {"cuts,pause,messages", "kill", "crash,cuts,limits", "messages"}) {
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
      Yard yard(seed, families);
      World& world = yard.world();
      const auto running = [&world](std::uint32_t node) { return world.host(node).running(); };
      yard.adversary().start(world.now() + seconds(100));
      world.run_for(seconds(50));
      const std::vector<std::uint32_t> core = {yard.nodes()[0], yard.nodes()[2], yard.nodes()[3]};
      yard.adversary().heal_core(core);
      const std::uint64_t strikes = yard.adversary().numbered();
      world.run_for(seconds(60));
      EXPECT_EQ(yard.adversary().numbered(), strikes);
      EXPECT_FALSE(world.buggify().on);
      const auto cut = [&world](std::uint32_t a, std::uint32_t b) {
        return world.wire().is_cut(a, b) && world.wire().is_cut(b, a);
      };
      const auto clear = [&world](std::uint32_t a, std::uint32_t b) {
        return !world.wire().is_cut(a, b) && !world.wire().is_cut(b, a) &&
               world.wire().faults(a, b).loss == 0;
      };
      const std::uint32_t client = 5;
      for (const std::uint32_t node : core) {
        EXPECT_TRUE(running(node) && !world.host(node).paused()) << families;
        EXPECT_TRUE(clear(node, client)) << families;
        for (const std::uint32_t other : core) EXPECT_TRUE(clear(node, other)) << families;
        for (const std::uint32_t away : {yard.nodes()[1], yard.nodes()[4]}) {
          EXPECT_TRUE(!running(away) || (cut(node, away) && cut(client, away))) << families;
          const bool may_die = *families == 'k' || *families == 'c';
          EXPECT_TRUE(running(away) || may_die) << families;
        }
      }
      yard.adversary().heal();
      for (const std::uint32_t node : yard.nodes()) {
        EXPECT_TRUE(running(node)) << families;
        for (const std::uint32_t other : yard.nodes()) EXPECT_TRUE(clear(node, other)) << families;
      }
    }
  }
}

// What fails for ever does so until all is healed, on one node of the run at most.
TEST(Adversary, WhatFailsForEverFailsUntilAllIsHealed) {
  int for_ever = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Yard yard(seed, "io");
    World& world = yard.world();
    const Duration length = seconds(300);
    yard.adversary().start(world.now() + length);
    world.run_for(length);
    int read_only = 0;
    for (const std::uint32_t node : yard.nodes()) {
      read_only += world.host(node).disk().read_only ? 1 : 0;
    }
    EXPECT_LE(read_only, 1);
    for_ever += read_only;
    yard.adversary().heal();
    for (const std::uint32_t node : yard.nodes()) {
      EXPECT_FALSE(world.host(node).disk().may_fail());
    }
  }
  EXPECT_GT(for_ever, 3);
}

// Nobody who looks when he is told to misses anything, however short it is.
TEST(Adversary, TellsEachTimeThatItHasDoneOrUndoneSomething) {
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    Yard yard(seed, "disks");
    World& world = yard.world();
    std::vector<double> before = yard.state();
    const MonoTime end = world.now() + seconds(60);
    yard.adversary().start(end);
    std::size_t changes = 0;
    while (world.now() < end && world.scheduler().step()) {
      std::vector<double> now = yard.state();
      if (now == before) continue;
      ++changes;
      EXPECT_EQ(now, yard.seen()) << seed;
      before = std::move(now);
    }
    EXPECT_GT(changes, 50U);
    yard.adversary().heal();
    EXPECT_EQ(yard.state(), yard.seen());
  }
}

// D30: records rot at one node of the run, which answers for all that it has as before.
TEST(Adversary, RecordsRotAtOneNodeAndThatIsNoLoss) {
  constexpr MonoTime kEnd{seconds(300).ns};
  int before_any_loss = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    Yard yard(seed, "rot");
    World& world = yard.world();
    yard.adversary().start(kEnd);
    while (world.now() < kEnd && yard.adversary().disk_lost_at() > world.now()) {
      world.run_for(milliseconds(100));
    }
    before_any_loss += yard.rotten().empty() ? 0 : 1;
    world.run_until(kEnd);
    for (const std::uint32_t node : yard.rotten()) EXPECT_EQ(node, yard.rotten().front());
  }
  EXPECT_GT(before_any_loss, 5);
  EXPECT_LT(before_any_loss, 40) << "files rot, too";
}

// D3: of a disk that is not its own a node must not say that it is.
TEST(Adversary, ADiskIsClonedAndReplacedAsTheOperatorDoes) {
  int clones = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Yard yard(seed, "wipe");
    World& world = yard.world();
    for (const std::uint32_t node : yard.nodes()) {
      (*world.host(node).disk().create("/name"))->write(0, world.host(node).name());
    }
    yard.adversary().start(world.now() + seconds(120));
    for (int step = 0; step < 1'200; ++step) {
      world.run_for(milliseconds(100));
      for (const std::uint32_t node : yard.nodes()) {
        if (!yard.adversary().has_clone(node)) continue;
        ++clones;
        const auto name = world.host(node).disk().find("/name");
        ASSERT_NE(name, nullptr);
        EXPECT_NE(name->bytes(), world.host(node).name());
        world.host(node).kill();
        yard.adversary().replace_disk(node);
        EXPECT_FALSE(yard.adversary().has_clone(node));
        EXPECT_FALSE(world.host(node).disk().exists("/name"));
        (*world.host(node).disk().create("/name"))->write(0, world.host(node).name());
        yard.start(node);
      }
    }
  }
  EXPECT_GT(clones, 3);
}

TEST(Adversary, WhenACopyHasEndedThatIsTold) {
  std::size_t copies = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    Yard yard(seed, "wipe");
    World& world = yard.world();
    yard.adversary().start(world.now() + seconds(120));
    while (world.now() < MonoTime{} + seconds(120) && yard.copies().empty()) {
      world.run_for(milliseconds(100));
    }
    if (yard.copies().empty()) continue;
    ++copies;
    EXPECT_TRUE(yard.ended().empty());
    world.run_for(seconds(61));
    ASSERT_FALSE(yard.ended().empty());
    EXPECT_EQ(yard.ended().front(), yard.copies().front());
  }
  EXPECT_GT(copies, 0U);
}

// D3: whoever runs as the copy, and whom it is the copy of, are started anew when that is over.
TEST(Adversary, ACopyRunsBesideItsOriginalUntilBothAreStartedAnew) {
  std::size_t copies = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    Yard yard(seed, "wipe");
    World& world = yard.world();
    yard.adversary().start(world.now() + seconds(120));
    while (world.now() < MonoTime{} + seconds(120) && yard.copies().empty()) {
      world.run_for(milliseconds(100));
    }
    if (yard.copies().empty()) continue;
    ++copies;
    const auto [copy, original] = yard.copies().front();
    EXPECT_NE(copy, original);
    EXPECT_TRUE(yard.adversary().has_clone(copy));
    const auto number = [&world](std::uint32_t node) {
      const Process* process = world.host(node).process();
      return process == nullptr ? 0U : process->number();
    };
    const std::uint32_t first = number(original);
    const std::uint32_t second = number(copy);
    EXPECT_NE(first, 0U);
    EXPECT_NE(second, 0U);
    world.run_for(milliseconds(100));
    yard.adversary().heal();
    EXPECT_NE(number(original), first);
    EXPECT_NE(number(copy), second);
    EXPECT_TRUE(world.host(original).running());
    EXPECT_TRUE(world.host(copy).running());
  }
  EXPECT_GT(copies, 0U);
}

}  // namespace
}  // namespace stator::sim

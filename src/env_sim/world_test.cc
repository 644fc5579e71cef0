#include "env_sim/world.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "env_sim/disk.h"
#include "env_sim/partition.h"

namespace stator::sim {
namespace {

// Gossips with everybody, keeps a journal that it syncs, and remembers how much of it was synced
// whenever it was told so.
class Chatter final : public Program, public env::FrameSink, public env::LinkEvents {
 public:
  Chatter(env::Env& env, const std::vector<std::string>& names, std::size_t self,
          std::uint64_t& promised)
      : env_(env), promised_(promised) {
    listener_ = *env.network.listen_frames({names[self], 1}, *this);
    for (const std::string& name : names) {
      if (name != names[self]) links_.push_back(env.network.open_link({name, 1}, *this));
    }
    file_ = *env.disk.open("/journal", env::Disk::Open::kCreate);
    EXPECT_TRUE(env.disk.sync_directory("/"));
    size_ = *file_->size();
    EXPECT_GE(size_, promised_);
    tick();
  }
  void on_frame(std::string_view frame) override { state_ ^= hash64(frame); }
  void on_link_up() override {}
  void on_link_down() override {}

 private:
  void tick() {
    for (const auto& link : links_) {
      append_u64(link->begin_frame(), state_ ^ env_.executor.random());
      link->end_frame();
    }
    EXPECT_TRUE(file_->write_at(size_, "entry"));
    size_ += 5;
    file_->sync([this, end = size_](const Result<void>& synced) {
      if (synced) promised_ = end;
    });
    env_.executor.after(milliseconds(5), [this] { tick(); });
  }

  env::Env& env_;
  std::uint64_t& promised_;
  std::uint64_t state_ = 0;
  std::uint64_t size_ = 0;
  std::unique_ptr<env::Listener> listener_;
  std::vector<std::unique_ptr<env::FrameLink>> links_;
  std::unique_ptr<env::File> file_;
};

struct Outcome {
  std::uint64_t hash = 0;
  std::uint64_t events = 0;
  double seconds = 0;
};

// Five hosts that chat under every fault for a simulated minute.
Outcome chaos(std::uint64_t seed) {
  const auto start = std::chrono::steady_clock::now();
  World world(seed);
  const std::vector<std::string> names{"n1", "n2", "n3", "n4", "n5"};
  const std::vector<std::uint32_t> indexes{0, 1, 2, 3, 4};
  std::vector<std::uint64_t> promised(names.size());
  for (const std::string& name : names) world.add_host(name);
  const auto begin = [&](std::size_t i) {
    world.host(i).start(
        [&, i](env::Env& env) { return std::make_unique<Chatter>(env, names, i, promised[i]); });
  };
  for (std::size_t i = 0; i < names.size(); ++i) begin(i);
  Random random = world.random().fork("chaos");
  NetworkFaults faults;
  faults.loss = faults.duplicate = faults.reorder = faults.corrupt = faults.replay = 0.02;
  world.wire().set_faults(faults);
  for (int round = 0; round < 60; ++round) {
    const std::size_t victim = random.below(names.size());
    Host& host = world.host(victim);
    switch (random.below(4)) {
      case 0: host.crash(); break;
      case 1: host.kill(); break;
      case 2: host.pause(); break;
      default:
        for (const auto& [from, to] : draw_partition(
                 static_cast<PartitionShape>(random.below(kPartitionShapes)), indexes, random)) {
          world.wire().set_cut(from, to, true);
        }
    }
    world.run_for(random.between(milliseconds(1), seconds(2)));
    world.wire().heal();
    host.resume();
    if (!host.running()) begin(victim);
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  for (const std::uint64_t bytes : promised) EXPECT_GT(bytes, 0U);
  return {world.trace().hash(), world.trace().events(), took.count()};
}

// I19; and, through Chatter's own checks, that a crash never takes what a sync has promised.
TEST(World, EqualSeedsGiveEqualTracesUnderEveryFault) {
  const Outcome first = chaos(17);
  const Outcome second = chaos(17);
  EXPECT_EQ(first.hash, second.hash);
  EXPECT_EQ(first.events, second.events);
  EXPECT_NE(first.hash, chaos(18).hash);
  std::printf("events per second of chatting hosts: %.0f (%llu events)\n",
              static_cast<double>(first.events) / first.seconds,
              static_cast<unsigned long long>(first.events));
}

TEST(World, TheDirectoryLockDiesWithItsProcess) {
  World world(1);
  Host& host = world.add_host("a");
  host.start([](env::Env& env) -> std::unique_ptr<Program> {
    class Holder final : public Program {
     public:
      explicit Holder(env::Env& env) : lock(*env.disk.lock("/")), again(env.disk.lock("/")) {
        EXPECT_FALSE(again);
        EXPECT_EQ(again.error().code, ErrorCode::kConflict);
      }
      std::unique_ptr<env::DirectoryLock> lock;
      Result<std::unique_ptr<env::DirectoryLock>> again;
    };
    return std::make_unique<Holder>(env);
  });
  world.run_for(milliseconds(1));
  host.kill();
  EXPECT_TRUE(host.disk().lock("/"));
}

TEST(World, ASyncThatFailedKillsTheFile) {
  World world(1);
  Host& host = world.add_host("a");
  std::vector<bool> synced;
  class Writer final : public Program {
   public:
    Writer(env::Env& env, Host& machine, std::vector<bool>& log)
        : file(*env.disk.open("/f", env::Disk::Open::kCreate)) {
      EXPECT_TRUE(file->write_at(0, "x"));
      machine.disk().faults.sync_fails = 1;
      file->sync([&log, &machine](const Result<void>& result) {
        log.push_back(result.has_value());
        machine.disk().faults.sync_fails = 0;
      });
      file->sync([&log](const Result<void>& result) { log.push_back(result.has_value()); });
      env.executor.after(seconds(1), [this, &log] { log.push_back(file->sync_now().has_value()); });
    }
    std::unique_ptr<env::File> file;
  };
  host.start([&](env::Env& env) { return std::make_unique<Writer>(env, host, synced); });
  world.run_for(seconds(2));
  EXPECT_EQ(synced, (std::vector<bool>{false, false, false}));
}

// D31, as Linux has it: the next process sees what it wrote, syncs it well, and loses it.
TEST(World, ADiskMayForgetWhatASyncThatFailedCovered) {
  World world(1);
  Host& host = world.add_host("a");
  host.disk().faults.crash_keeps_write = 1;
  std::string seen;
  const auto run = [&](auto use) {
    host.start([&seen, use](env::Env& env) {
      auto file = *env.disk.open("/f", env::Disk::Open::kCreate);
      EXPECT_TRUE(env.disk.sync_directory("/"));
      seen.clear();
      EXPECT_TRUE(file->read_at(0, 100, seen));
      use(*file);
      return std::make_unique<Program>();
    });
    world.run_for(seconds(1));
  };
  run([](env::File& file) {
    EXPECT_TRUE(file.write_at(0, "first"));
    EXPECT_TRUE(file.sync_now());
  });
  host.kill();
  run([&host](env::File& file) {
    host.disk().faults.sync_fails = 1;
    host.disk().faults.sync_forgets = true;
    EXPECT_TRUE(file.write_at(0, "other behind"));
    EXPECT_FALSE(file.sync_now());
    host.disk().faults.sync_fails = 0;
    EXPECT_FALSE(file.sync_now()) << "not by whoever has it open";
  });
  host.kill();
  run([](env::File& file) {
    EXPECT_TRUE(file.write_at(12, " more"));
    EXPECT_TRUE(file.sync_now());
  });
  EXPECT_EQ(seen, "other behind");
  host.crash();
  run([](env::File&) {});
  EXPECT_EQ(seen, std::string("first") + std::string(7, '\0') + " more");
}

TEST(World, AFullDiskRefusesAndTakesAgainWhenThereIsRoom) {
  World world(1);
  Host& host = world.add_host("a");
  host.disk().faults.capacity = 100;
  host.start([](env::Env& env) {
    auto file = *env.disk.open("/f", env::Disk::Open::kCreate);
    EXPECT_TRUE(file->write_at(0, std::string(80, 'x')));
    const auto refused = file->write_at(80, std::string(30, 'x'));
    EXPECT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kDiskFull);
    EXPECT_EQ(*file->size(), 80U);
    EXPECT_EQ(*env.disk.free_bytes("/"), 20U);
    EXPECT_TRUE(file->truncate(10));
    EXPECT_TRUE(file->write_at(10, std::string(30, 'x')));
    return std::make_unique<Program>();
  });
  world.run_for(milliseconds(1));
}

}  // namespace
}  // namespace stator::sim

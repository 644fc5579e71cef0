#include "node/disk_keeper.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "env_sim/world.h"

namespace stator::node {
namespace {

constexpr std::uint64_t kMiB = 1 << 20;
constexpr DiskOptions kOptions{
    .marks = {.low = 16 * kMiB, .refuse = 8 * kMiB, .read_only = 4 * kMiB},
    .reserve_bytes = 2 * kMiB};

/// A keeper on the simulator's disk, used inside a process as a node does.
class DiskKeeperTest : public ::testing::Test {
 protected:
  void in_process(const std::function<void(env::Disk&)>& use) {
    if (host.running()) host.kill();
    host.start([&use](env::Env& env) {
      use(env.disk);
      return std::make_unique<sim::Program>();
    });
    world.run_for(seconds(1));
  }
  /// Somebody else's file takes so much that `bytes` are left.
  static void leave_free(env::Disk& disk, std::uint64_t bytes) {
    auto file = disk.open("/data/other", env::Disk::Open::kCreate);
    ASSERT_TRUE(file);
    ASSERT_TRUE((*file)->truncate(0));
    const auto free = disk.free_bytes("/data");
    ASSERT_TRUE(free);
    ASSERT_GE(*free, bytes);
    ASSERT_TRUE((*file)->write_at(0, std::string(*free - bytes, 'x')));
  }
  static void expect_reserve(env::Disk& disk, bool there) {
    EXPECT_EQ(disk.exists("/data/reserve").value_or(!there), there);
  }

  sim::World world{1};
  sim::Host& host = world.add_host("n1");

  DiskKeeperTest() {
    host.disk().faults.capacity = 64 * kMiB;
    in_process([](env::Disk& disk) { ASSERT_TRUE(disk.create_directories("/data")); });
  }
};

TEST_F(DiskKeeperTest, TheReserveGrowsStepByStepAndCountsAsUsedFromTheStart) {  // D29
  in_process([](env::Disk& disk) {
    DiskKeeper keeper(disk, kOptions, "/data");
    keeper.prepare();
    keeper.look(std::nullopt);
    EXPECT_EQ(keeper.free_bytes(), 62 * kMiB);
    EXPECT_EQ(disk.free_bytes("/data").value(), 63 * kMiB);
    keeper.look(std::nullopt);
    keeper.look(std::nullopt);
    EXPECT_EQ(keeper.free_bytes(), 62 * kMiB);
    EXPECT_EQ(disk.free_bytes("/data").value(), 62 * kMiB);
    EXPECT_EQ(keeper.state(), DiskState::kRoomy);
  });
}

TEST_F(DiskKeeperTest, OnAFullDiskTheReserveGoesAndComesBackWithRoom) {  // D29
  in_process([](env::Disk& disk) {
    DiskKeeper keeper(disk, kOptions, "/data");
    for (int i = 0; i < 3; ++i) keeper.look(std::nullopt);
    leave_free(disk, 6 * kMiB);
    keeper.look(std::nullopt);
    EXPECT_EQ(keeper.state(), DiskState::kRefusing);
    expect_reserve(disk, true);
    leave_free(disk, 0);
    keeper.look(std::nullopt);
    EXPECT_EQ(keeper.state(), DiskState::kReadOnly);
    expect_reserve(disk, false);
    EXPECT_EQ(disk.free_bytes("/data").value(), 2 * kMiB);
    keeper.look(std::nullopt);
    EXPECT_EQ(keeper.state(), DiskState::kReadOnly) << "its own reserve is not for writes";
    leave_free(disk, 40 * kMiB);
    for (int i = 0; i < 3; ++i) keeper.look(std::nullopt);
    EXPECT_EQ(keeper.state(), DiskState::kRoomy);
    expect_reserve(disk, true);
    EXPECT_EQ(disk.free_bytes("/data").value(), 38 * kMiB);
  });
}

TEST_F(DiskKeeperTest, AStartOnAFullDiskLetsTheReserveGoFirst) {  // D29
  in_process([](env::Disk& disk) {
    DiskKeeper keeper(disk, kOptions, "/data");
    for (int i = 0; i < 3; ++i) keeper.look(std::nullopt);
    leave_free(disk, 0);
  });
  in_process([](env::Disk& disk) {
    DiskKeeper keeper(disk, kOptions, "/data");
    keeper.prepare();
    expect_reserve(disk, false);
    EXPECT_EQ(disk.free_bytes("/data").value(), 2 * kMiB);
  });
}

TEST_F(DiskKeeperTest, AStartWithRoomKeepsTheReserveThatStands) {
  for (int start = 0; start < 2; ++start) {
    in_process([](env::Disk& disk) {
      DiskKeeper keeper(disk, kOptions, "/data");
      keeper.prepare();
      for (int i = 0; i < 3; ++i) keeper.look(std::nullopt);
      EXPECT_EQ(disk.free_bytes("/data").value(), 62 * kMiB);
    });
  }
}

TEST_F(DiskKeeperTest, AnEngineWithoutSpaceCountsWhateverTheDiskSays) {  // D29
  in_process([](env::Disk& disk) {
    DiskKeeper keeper(disk, kOptions, "/data");
    for (int i = 0; i < 3; ++i) keeper.look(std::nullopt);
    keeper.look(ErrorCode::kDiskFull);
    EXPECT_EQ(keeper.state(), DiskState::kFull);
    expect_reserve(disk, false);
    keeper.look(std::nullopt);
    EXPECT_EQ(keeper.state(), DiskState::kRoomy);
  });
}

TEST_F(DiskKeeperTest, WithoutMarksAndReserveTheDiskIsNotAsked) {
  in_process([](env::Disk& disk) {
    DiskKeeper keeper(disk, {}, "/data");
    keeper.prepare();
    keeper.look(std::nullopt);
    EXPECT_FALSE(keeper.free_bytes().has_value());
    EXPECT_EQ(keeper.state(), DiskState::kRoomy);
  });
}

}  // namespace
}  // namespace stator::node

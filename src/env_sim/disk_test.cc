#include "env_sim/disk.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "env_sim/world.h"

namespace stator::sim {
namespace {

using Open = env::Disk::Open;

class Idle final : public Program {};

constexpr ErrorCode kWorks = ErrorCode::kBadRequest;  // which no disk answers
ErrorCode code(const Result<void>& result) {
  return result ? kWorks : result.error().code;
}

// What a program meets on a disk that fails it.
class ShardDiskTest : public testing::Test {
 protected:
  ShardDiskTest() { world_.add_host("a"); }

  // In a turn of a process that ends with it.
  void run(std::function<void(env::Disk&)> use) {
    Host& host = world_.host(0);
    host.start([&use](env::Env& env) {
      use(env.disk);
      return std::make_unique<Idle>();
    });
    world_.run_for(seconds(1));
    host.kill();
  }
  DiskImage& image() { return world_.host(0).disk(); }
  void make_file() {
    run([](env::Disk& disk) {
      auto file = disk.open("/file", Open::kCreate);
      ASSERT_TRUE(file);
      ASSERT_TRUE((*file)->write_at(0, "good"));
      ASSERT_TRUE((*file)->sync_now());
      ASSERT_TRUE(disk.sync_directory("/"));
    });
  }

  World world_{7};
};

TEST_F(ShardDiskTest, AReadOnlyDiskIsReadAndChangesNothing) {
  make_file();
  image().read_only = true;
  EXPECT_TRUE(image().may_fail());
  run([](env::Disk& disk) {
    auto file = disk.open("/file", Open::kCreate);
    ASSERT_TRUE(file) << "it is there";
    std::string read;
    EXPECT_TRUE((*file)->read_at(0, 10, read));
    EXPECT_EQ(read, "good");
    EXPECT_EQ(code((*file)->write_at(0, "x")), ErrorCode::kIo);
    EXPECT_EQ(code((*file)->truncate(0)), ErrorCode::kIo);
    EXPECT_EQ(code((*file)->sync_now()), ErrorCode::kIo);
    EXPECT_FALSE(disk.open("/new", Open::kCreate));
    EXPECT_EQ(code(disk.rename("/file", "/other")), ErrorCode::kIo);
    EXPECT_EQ(code(disk.remove("/file")), ErrorCode::kIo);
    EXPECT_EQ(code(disk.create_directories("/d/e")), ErrorCode::kIo);
    EXPECT_EQ(code(disk.create_directories("/")), kWorks);
    EXPECT_EQ(code(disk.sync_directory("/")), ErrorCode::kIo);
  });
  image().mend();
  run([](env::Disk& disk) {
    auto file = disk.open("/file", Open::kExisting);
    ASSERT_TRUE(file);
    std::string read;
    EXPECT_TRUE((*file)->read_at(0, 10, read));
    EXPECT_EQ(read, "good");
    EXPECT_TRUE((*file)->write_at(0, "x"));
    EXPECT_EQ(code((*file)->sync_now()), ErrorCode::kIo) << "a failed sync is not believed again";
  });
}

TEST_F(ShardDiskTest, AnyCallThatMayNeedRoomMayFindNone) {
  make_file();
  image().faults.no_room = 1;
  EXPECT_TRUE(image().may_fail());
  run([](env::Disk& disk) {
    auto file = disk.open("/file", Open::kExisting);
    ASSERT_TRUE(file);
    EXPECT_EQ(code((*file)->write_at(0, "x")), ErrorCode::kDiskFull);
    EXPECT_EQ(code((*file)->truncate(100)), ErrorCode::kDiskFull);
    EXPECT_EQ(code((*file)->sync_now()), ErrorCode::kDiskFull);
    EXPECT_EQ(code((*file)->sync_now()), ErrorCode::kDiskFull);
    const auto made = disk.open("/new", Open::kCreate);
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, ErrorCode::kDiskFull);
    EXPECT_EQ(code(disk.rename("/file", "/other")), ErrorCode::kDiskFull);
    EXPECT_EQ(code(disk.create_directories("/d")), ErrorCode::kDiskFull);
    EXPECT_EQ(code(disk.sync_directory("/")), ErrorCode::kDiskFull);
    std::string read;
    EXPECT_TRUE((*file)->read_at(0, 10, read));
    EXPECT_EQ(read, "good");
    EXPECT_TRUE(disk.remove("/file")) << "which gives room";
  });
  EXPECT_FALSE(image().exists("/new"));
}

TEST_F(ShardDiskTest, AFileThatBreaksStaysBrokenUntilItIsMendedOrAnotherTakesItsPlace) {
  make_file();
  image().faults.file_breaks = 1;
  run([](env::Disk& disk) {
    auto file = disk.open("/file", Open::kExisting);
    ASSERT_TRUE(file);
    EXPECT_EQ(code((*file)->write_at(0, "x")), ErrorCode::kIo);
  });
  image().faults = {};
  EXPECT_TRUE(image().may_fail());
  const auto reads = [this](ErrorCode expected) {
    run([expected](env::Disk& disk) {
      auto file = disk.open("/file", Open::kExisting);
      ASSERT_TRUE(file);
      std::string read;
      EXPECT_EQ(code((*file)->read_at(0, 10, read)), expected);
      EXPECT_EQ(read, expected == kWorks ? "good" : "");
    });
  };
  reads(ErrorCode::kIo);
  image().mend();
  EXPECT_FALSE(image().may_fail());
  reads(kWorks);
  image().find("/file")->broken = true;
  run([](env::Disk& disk) {
    EXPECT_TRUE(disk.remove("/file"));
    auto file = disk.open("/file", Open::kCreateNew);
    ASSERT_TRUE(file);
    EXPECT_TRUE((*file)->write_at(0, "good"));
  });
  reads(kWorks);
}

// I20 counts them.
TEST_F(ShardDiskTest, WhatAProcessHoldsOpenIsClosedWithIt) {
  make_file();
  EXPECT_EQ(image().descriptors(), 0U);
  run([this](env::Disk& disk) {
    auto file = disk.open("/file", Open::kExisting);
    auto again = disk.open("/file", Open::kExisting);
    auto lock = disk.lock("/");
    EXPECT_EQ(image().descriptors(), 3U);
    again->reset();
    EXPECT_EQ(image().descriptors(), 2U);
  });
  EXPECT_EQ(image().descriptors(), 0U);
}

}  // namespace
}  // namespace stator::sim

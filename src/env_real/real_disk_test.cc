#include "env_real/real_disk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "env_real/runtime.h"

// What only a real disk can be asked; the rest is the contract's (test/contract).

namespace stator::env {
namespace {

using testing::HasSubstr;

class RealDiskTest : public testing::Test {
 protected:
  RealDiskTest() {
    std::string name = (std::filesystem::temp_directory_path() / "stator_disk_XXXXXX").string();
    root_ = ::mkdtemp(name.data());
  }
  ~RealDiskTest() override { std::filesystem::remove_all(root_); }

  Disk& disk() { return runtime_.shard_env(0).disk; }

  std::string root_;
  Runtime runtime_;
};

TEST_F(RealDiskTest, FullDiskIsSaidToBeFull) {
  auto file = disk().open("/dev/full", Disk::Open::kExisting);
  ASSERT_TRUE(file.has_value());
  const auto written = (*file)->write_at(0, "x");
  ASSERT_FALSE(written.has_value());
  EXPECT_EQ(written.error().code, ErrorCode::kDiskFull);
  EXPECT_THAT(written.error().detail, HasSubstr("cannot write /dev/full"));
}

// The descriptor of this process that is open on `path`.
int descriptor_of(const std::string& path) {
  for (int fd = 0; fd < 1024; ++fd) {
    std::error_code error;
    if (std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd), error) == path) {
      return fd;
    }
  }
  return -1;
}

TEST_F(RealDiskTest, FileIsDeadAfterAFailedSyncThoughTheNextOneWouldSucceed) {
  // A pipe cannot be synced; putting a good file in its place stands for a disk that recovers.
  const std::string pipe = root_ + "/pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  auto file = disk().open(pipe, Disk::Open::kExisting);
  auto good = disk().open(root_ + "/good", Disk::Open::kCreate);
  ASSERT_TRUE(file.has_value() && good.has_value());
  int failed = 0;
  (*file)->sync([&](Result<void> result) { failed += result ? 0 : 1; });
  ASSERT_TRUE(runtime_.run_until([&] { return failed == 1; }, seconds(60)));

  ASSERT_GE(::dup2(descriptor_of(root_ + "/good"), descriptor_of(pipe)), 0);
  std::string detail;
  (*file)->sync([&](Result<void> result) {
    if (!result) detail = result.error().detail;
    ++failed;
  });
  ASSERT_TRUE(runtime_.run_until([&] { return failed == 2; }, seconds(60)));
  EXPECT_THAT(detail, HasSubstr("an earlier sync of " + pipe + " failed"));
  EXPECT_FALSE((*file)->sync_now().has_value());
}

TEST_F(RealDiskTest, LockNamesItsHolder) {
  const auto lock = disk().lock(root_);
  ASSERT_TRUE(lock.has_value());
  EXPECT_EQ(read_whole_file(disk(), root_ + "/LOCK", 100).value(),
            std::to_string(::getpid()) + "\n");
  const auto second = disk().lock(root_);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().detail,
            "the directory " + root_ + " is in use by process " + std::to_string(::getpid()));
}

TEST_F(RealDiskTest, ErrorsNameThePathAndTheReason) {
  const auto missing = disk().open(root_ + "/none", Disk::Open::kExisting);
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code, ErrorCode::kIo);
  EXPECT_EQ(missing.error().detail, "cannot open " + root_ + "/none: No such file or directory");
}

}  // namespace
}  // namespace stator::env

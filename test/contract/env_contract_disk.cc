#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "contract/env_contract.h"

namespace stator::env::contract {

using testing::ElementsAre;
using testing::HasSubstr;

namespace {

std::string content_of(File& file) {
  std::string bytes;
  EXPECT_TRUE(file.read_at(0, file.size().value(), bytes).has_value());
  return bytes;
}

}  // namespace

TEST_P(EnvContract, FileHoldsWhatWasWrittenAtEachPlace) {
  const std::string path = world().directory() + "/data";
  auto file = here().disk.open(path, Disk::Open::kCreate);
  ASSERT_TRUE(file.has_value()) << file.error().detail;
  ASSERT_TRUE((*file)->write_at(0, "hello world").has_value());
  ASSERT_TRUE((*file)->write_at(6, "there").has_value());
  ASSERT_TRUE((*file)->write_at(13, "!").has_value());
  EXPECT_EQ(content_of(**file), std::string("hello there\0\0!", 14));
  EXPECT_EQ((*file)->size().value(), 14U);
}

TEST_P(EnvContract, ReadAppendsAndIsShortAtTheEnd) {
  auto file = here().disk.open(world().directory() + "/data", Disk::Open::kCreate);
  ASSERT_TRUE(file.has_value());
  ASSERT_TRUE((*file)->write_at(0, "0123456789").has_value());
  std::string out = "before:";
  ASSERT_TRUE((*file)->read_at(2, 3, out).has_value());
  EXPECT_EQ(out, "before:234");
  ASSERT_TRUE((*file)->read_at(8, 1'000'000'000, out).has_value());
  EXPECT_EQ(out, "before:23489");
  ASSERT_TRUE((*file)->read_at(10, 5, out).has_value());
  ASSERT_TRUE((*file)->read_at(1000, 5, out).has_value());
  EXPECT_EQ(out, "before:23489");
}

TEST_P(EnvContract, LargeFileComesBackWhole) {
  auto file = here().disk.open(world().directory() + "/large", Disk::Open::kCreate);
  ASSERT_TRUE(file.has_value());
  std::string bytes(5'000'003, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 7 + i / 251);
  ASSERT_TRUE((*file)->write_at(0, bytes).has_value());
  EXPECT_TRUE(content_of(**file) == bytes);
}

TEST_P(EnvContract, TruncateCutsAndExtendsWithZeros) {
  auto file = here().disk.open(world().directory() + "/data", Disk::Open::kCreate);
  ASSERT_TRUE(file.has_value());
  ASSERT_TRUE((*file)->write_at(0, "0123456789").has_value());
  ASSERT_TRUE((*file)->truncate(4).has_value());
  ASSERT_TRUE((*file)->truncate(6).has_value());
  EXPECT_EQ(content_of(**file), std::string("0123\0\0", 6));
}

TEST_P(EnvContract, OpenKeepsToItsMode) {
  Disk& disk = here().disk;
  const std::string path = world().directory() + "/data";
  EXPECT_FALSE(disk.open(path, Disk::Open::kExisting).has_value());
  EXPECT_FALSE(disk.exists(path).value());
  {
    auto made = disk.open(path, Disk::Open::kCreateNew);
    ASSERT_TRUE(made.has_value());
    ASSERT_TRUE((*made)->write_at(0, "kept").has_value());
  }
  EXPECT_TRUE(disk.exists(path).value());
  const auto again = disk.open(path, Disk::Open::kCreateNew);
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, ErrorCode::kConflict);
  auto kept = disk.open(path, Disk::Open::kCreate);
  ASSERT_TRUE(kept.has_value());
  EXPECT_EQ(content_of(**kept), "kept");
  EXPECT_FALSE(disk.open(world().directory() + "/no/such", Disk::Open::kCreate).has_value());
}

TEST_P(EnvContract, DirectoriesAreMadeListedAndRemoved) {
  Disk& disk = here().disk;
  const std::string root = world().directory();
  EXPECT_THAT(disk.list(root).value(), ElementsAre());
  ASSERT_TRUE(disk.create_directories(root + "/b/c").has_value());
  ASSERT_TRUE(disk.create_directories(root + "/b/c").has_value());
  for (const char* name : {"/z", "/a", "/b/x"}) {
    ASSERT_TRUE(disk.open(root + name, Disk::Open::kCreate).has_value());
  }
  EXPECT_THAT(disk.list(root).value(), ElementsAre("a", "b", "z"));
  EXPECT_THAT(disk.list(root + "/b").value(), ElementsAre("c", "x"));
  ASSERT_TRUE(disk.remove(root + "/a").has_value());
  EXPECT_FALSE(disk.remove(root + "/a").has_value());
  EXPECT_THAT(disk.list(root).value(), ElementsAre("b", "z"));
  EXPECT_FALSE(disk.list(root + "/nowhere").has_value());
  EXPECT_FALSE(disk.create_directories(root + "/z/below-a-file").has_value());
}

TEST_P(EnvContract, RenameReplacesWhatWasThere) {
  Disk& disk = here().disk;
  const std::string root = world().directory();
  ASSERT_TRUE(write_whole_file(disk, root + "/old", "old").has_value());
  ASSERT_TRUE(write_whole_file(disk, root + "/new", "new").has_value());
  ASSERT_TRUE(disk.rename(root + "/new", root + "/old").has_value());
  ASSERT_TRUE(disk.sync_directory(root).has_value());
  EXPECT_THAT(disk.list(root).value(), ElementsAre("old"));
  EXPECT_EQ(read_whole_file(disk, root + "/old", 100).value(), "new");
  EXPECT_FALSE(disk.rename(root + "/none", root + "/old").has_value());
}

TEST_P(EnvContract, SyncsCompleteInOrderOnALaterTurn) {
  auto file = here().disk.open(world().directory() + "/data", Disk::Open::kCreate);
  ASSERT_TRUE(file.has_value());
  std::vector<int> done;
  here().executor.post([&] {
    for (int i = 0; i < 5; ++i) {
      ASSERT_TRUE((*file)->write_at(static_cast<std::uint64_t>(i), "x").has_value());
      (*file)->sync([&done, i](Result<void> result) {
        EXPECT_TRUE(result.has_value());
        done.push_back(i);
      });
    }
    EXPECT_TRUE(done.empty());
  });
  ASSERT_TRUE(run_until([&] { return done.size() == 5; }));
  EXPECT_THAT(done, ElementsAre(0, 1, 2, 3, 4));
  EXPECT_TRUE((*file)->sync_now().has_value());
}

TEST_P(EnvContract, SyncCompletesThoughTheFileWasClosedMeanwhile) {
  auto file = here().disk.open(world().directory() + "/data", Disk::Open::kCreate);
  ASSERT_TRUE(file.has_value());
  bool done = false;
  here().executor.post([&] {
    ASSERT_TRUE((*file)->write_at(0, "x").has_value());
    (*file)->sync([&done](Result<void> result) { done = result.has_value(); });
    file->reset();
  });
  ASSERT_TRUE(run_until([&] { return done; }));
}

TEST_P(EnvContract, DirectoryIsLockedForOneHolder) {
  Disk& disk = here().disk;
  const std::string root = world().directory();
  {
    const auto lock = disk.lock(root);
    ASSERT_TRUE(lock.has_value()) << lock.error().detail;
    const auto second = disk.lock(root);
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().code, ErrorCode::kConflict);
    EXPECT_THAT(second.error().detail, HasSubstr(root));
  }
  EXPECT_TRUE(disk.lock(root).has_value());
}

TEST_P(EnvContract, WholeFileIsReplacedWhole) {
  Disk& disk = here().disk;
  const std::string path = world().directory() + "/identity";
  EXPECT_FALSE(read_whole_file(disk, path, 100).has_value());
  ASSERT_TRUE(write_whole_file(disk, path, "a long first version").has_value());
  ASSERT_TRUE(write_whole_file(disk, path, "second").has_value());
  EXPECT_EQ(read_whole_file(disk, path, 6).value(), "second");
  EXPECT_THAT(disk.list(world().directory()).value(), ElementsAre("identity"));
  const auto too_large = read_whole_file(disk, path, 5);
  ASSERT_FALSE(too_large.has_value());
  EXPECT_EQ(too_large.error().code, ErrorCode::kTooLarge);
}

TEST_P(EnvContract, LeftOverOfACrashedWriteDoesNoHarm) {
  Disk& disk = here().disk;
  const std::string path = world().directory() + "/identity";
  {
    auto left_over = disk.open(path + ".tmp", Disk::Open::kCreate);
    ASSERT_TRUE(left_over.has_value());
    ASSERT_TRUE((*left_over)->write_at(0, "much longer than what follows").has_value());
  }
  ASSERT_TRUE(write_whole_file(disk, path, "short").has_value());
  EXPECT_EQ(read_whole_file(disk, path, 100).value(), "short");
}

TEST_P(EnvContract, DiskKnowsItsFreeSpace) {
  EXPECT_GT(here().disk.free_bytes(world().directory()).value(), 0U);
  EXPECT_FALSE(here().disk.free_bytes(world().directory() + "/nowhere").has_value());
}

}  // namespace stator::env::contract

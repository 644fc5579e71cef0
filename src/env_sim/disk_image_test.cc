#include "env_sim/disk_image.h"

#include <gtest/gtest.h>

#include <bit>
#include <set>
#include <string>

namespace stator::sim {
namespace {

DiskImage disk_that(double keeps_write, double tears_write, double keeps_name,
                    std::uint64_t seed = 1) {
  DiskImage disk{Random(seed)};
  disk.faults.crash_keeps_write = keeps_write;
  disk.faults.crash_tears_write = tears_write;
  disk.faults.crash_keeps_name = keeps_name;
  return disk;
}

std::shared_ptr<FileContent> durable_file(DiskImage& disk, const std::string& path) {
  auto file = *disk.create(path);
  EXPECT_TRUE(disk.sync_directory("/"));
  return file;
}

TEST(DiskImage, ALossOfPowerTakesExactlyWhatWasNotSynced) {
  DiskImage disk = disk_that(0, 0, 0);
  auto file = durable_file(disk, "/log");
  file->write(0, "first");
  file->make_durable(file->changes());
  file->write(5, " second");
  file->write(0, "FIRST");
  EXPECT_EQ(file->bytes(), "FIRST second");
  disk.lose_power();
  EXPECT_EQ(disk.find("/log")->bytes(), "first");
}

TEST(DiskImage, ASyncCoversOnlyWhatWasWrittenBeforeItBegan) {
  DiskImage disk = disk_that(0, 0, 0);
  auto file = durable_file(disk, "/log");
  file->write(0, "one");
  const std::uint64_t begun = file->changes();
  file->write(3, "two");
  file->make_durable(begun);
  disk.lose_power();
  EXPECT_EQ(disk.find("/log")->bytes(), "one");
}

TEST(DiskImage, ATruncationThatWasNotSyncedIsTakenBack) {
  DiskImage disk = disk_that(0, 0, 0);
  auto file = durable_file(disk, "/log");
  file->write(0, "0123456789");
  file->make_durable(file->changes());
  file->truncate(4);
  file->write(4, "abc");
  file->truncate(20);
  EXPECT_EQ(file->bytes().size(), 20U);
  disk.lose_power();
  EXPECT_EQ(disk.find("/log")->bytes(), "0123456789");
}

TEST(DiskImage, WritesThatWereNotSyncedMayAllSurvive) {
  DiskImage disk = disk_that(1, 0, 0);
  auto file = durable_file(disk, "/log");
  file->write(0, "0123456789");
  file->truncate(4);
  file->write(6, "x");
  const std::string before = file->bytes();
  disk.lose_power();
  EXPECT_EQ(disk.find("/log")->bytes(), before);
}

TEST(DiskImage, EachUnsyncedWriteIsKeptOrLostForItself) {
  std::set<std::string> outcomes;
  for (std::uint64_t seed = 0; seed < 64; ++seed) {
    DiskImage disk = disk_that(0.5, 0, 0, seed);
    auto file = durable_file(disk, "/f");
    file->write(0, "...");
    file->make_durable(file->changes());
    file->write(0, "a");
    file->write(1, "b");
    file->write(2, "c");
    disk.lose_power();
    outcomes.insert(disk.find("/f")->bytes());
  }
  EXPECT_EQ(outcomes.size(), 8U);
}

TEST(DiskImage, ATornWriteKeepsWholeSectors) {
  bool torn = false;
  for (std::uint64_t seed = 0; seed < 32; ++seed) {
    DiskImage disk = disk_that(0, 1, 0, seed);
    auto file = durable_file(disk, "/f");
    file->write(0, std::string(4096, '-'));
    file->make_durable(file->changes());
    file->write(100, std::string(2000, '#'));
    disk.lose_power();
    const std::string& bytes = disk.find("/f")->bytes();
    ASSERT_EQ(bytes.size(), 4096U);
    std::set<std::string> kinds;
    for (std::size_t sector = 512; sector < 2048; sector += 512) {
      const std::string part = bytes.substr(sector, 512);
      EXPECT_TRUE(part == std::string(512, '-') || part == std::string(512, '#'));
      kinds.insert(part);
    }
    torn = torn || kinds.size() == 2;
  }
  EXPECT_TRUE(torn);
}

TEST(DiskImage, ANameIsLostWithoutASyncOfItsDirectory) {
  DiskImage disk = disk_that(0, 0, 0);
  auto file = *disk.create("/a");
  file->write(0, "x");
  file->make_durable(file->changes());  // content alone does not make a name
  disk.lose_power();
  EXPECT_FALSE(disk.exists("/a"));
}

TEST(DiskImage, ARenameWithoutASyncOfItsDirectoryIsTakenBack) {
  DiskImage disk = disk_that(0, 0, 0);
  durable_file(disk, "/old")->write(0, "x");
  disk.find("/old")->make_durable(1);
  ASSERT_TRUE(disk.rename("/old", "/new"));
  EXPECT_FALSE(disk.exists("/old"));
  disk.lose_power();
  EXPECT_TRUE(disk.exists("/old"));
  EXPECT_FALSE(disk.exists("/new"));
  ASSERT_TRUE(disk.rename("/old", "/new"));
  ASSERT_TRUE(disk.sync_directory("/"));
  disk.lose_power();
  EXPECT_FALSE(disk.exists("/old"));
  EXPECT_EQ(disk.find("/new")->bytes(), "x");
}

TEST(DiskImage, ARemovedNameComesBackWithItsContent) {
  DiskImage disk = disk_that(0, 0, 0);
  auto file = durable_file(disk, "/a");
  file->write(0, "x");
  file->make_durable(1);
  ASSERT_TRUE(disk.remove("/a"));
  disk.lose_power();
  ASSERT_TRUE(disk.exists("/a"));
  EXPECT_EQ(disk.find("/a")->bytes(), "x");
}

TEST(DiskImage, ADirectoryThatWasNotSyncedIsLostWithAllBelowIt) {
  DiskImage disk = disk_that(0, 0, 0);
  ASSERT_TRUE(disk.create_directories("/data/node"));
  auto file = *disk.create("/data/node/log");
  file->write(0, "x");
  file->make_durable(1);
  ASSERT_TRUE(disk.sync_directory("/data/node"));
  ASSERT_TRUE(disk.sync_directory("/data"));
  disk.lose_power();  // "/" was never synced
  EXPECT_FALSE(disk.exists("/data"));
  EXPECT_FALSE(disk.exists("/data/node/log"));
}

TEST(DiskImage, RotFlipsOneBitOfWhatIsStored) {
  DiskImage disk = disk_that(0, 0, 0);
  disk.rot();
  auto a = durable_file(disk, "/a");
  auto b = durable_file(disk, "/b");
  const std::string zeros(100, '\0');
  bool hit_a = false;
  bool hit_b = false;
  for (int i = 0; i < 50; ++i) {
    a->write(0, zeros);
    b->write(0, zeros);
    disk.rot();
    int bits = 0;
    for (const auto& file : {a, b}) {
      for (const char byte : file->bytes()) bits += std::popcount(static_cast<unsigned char>(byte));
    }
    EXPECT_EQ(bits, 1);
    hit_a = hit_a || a->bytes() != zeros;
    hit_b = hit_b || b->bytes() != zeros;
  }
  EXPECT_TRUE(hit_a && hit_b);
}

TEST(DiskImage, AStaleBlockReadsAsItWasSomeWritesAgoUntilItIsWrittenAgain) {
  bool older = false;
  bool nothing = false;
  for (std::uint64_t seed = 0; seed < 32; ++seed) {
    DiskImage disk = disk_that(0, 0, 0, seed);
    disk.go_stale();  // where nothing stands
    auto file = durable_file(disk, "/log");
    file->write(0, std::string(10'000, 'x'));
    for (int i = 0; i < 20; ++i) {
      file->write(5'000, std::string(100, static_cast<char>('a' + i)));
    }
    disk.go_stale();
    std::string read;
    file->read(0, 20'000, read);
    ASSERT_EQ(read.size(), 10'000U);
    ASSERT_NE(read, file->bytes());
    std::size_t first = 0;
    while (read[first] == file->bytes()[first]) ++first;
    std::size_t last = read.size() - 1;
    while (read[last] == file->bytes()[last]) --last;
    EXPECT_EQ(first / 4096, last / 4096) << "one block";
    older = older || (read[first] >= 'a' && read[first] < 't');
    nothing = nothing || read[first] == '\0';
    std::string part;
    file->read(first, 1, part);
    EXPECT_EQ(part, read.substr(first, 1));
    file->write(first, "new");
    read.clear();
    file->read(0, 20'000, read);
    EXPECT_EQ(read, file->bytes());
  }
  EXPECT_TRUE(older);
  EXPECT_TRUE(nothing);
}

TEST(DiskImage, AWriteGoesAstrayOnceAndSpoilsWhatItHits) {
  int other_file = 0;
  for (std::uint64_t seed = 0; seed < 32; ++seed) {
    DiskImage disk = disk_that(0, 0, 0, seed);
    auto log = durable_file(disk, "/log");
    auto other = durable_file(disk, "/other");
    const std::string zeros(3'000, '\0');
    other->write(0, zeros);
    log->write(0, zeros);
    EXPECT_FALSE(disk.write_astray(*log, 3'000, "entry"));
    disk.misdirect_next();
    EXPECT_TRUE(disk.write_astray(*log, 3'000, "entry"));
    EXPECT_FALSE(disk.write_astray(*log, 3'005, "entry")) << "once";
    EXPECT_EQ(log->bytes().size(), 3'005U);
    EXPECT_EQ(other->bytes().size(), 3'000U);
    EXPECT_EQ(log->bytes().substr(3'000), std::string(5, '\0')) << "not where it belongs";
    const std::size_t in_log = log->bytes().find("entry");
    const std::size_t in_other = other->bytes().find("entry");
    EXPECT_NE(in_log == std::string::npos, in_other == std::string::npos);
    EXPECT_EQ((in_log == std::string::npos ? in_other : in_log) % 512, 0U);
    other_file += in_other == std::string::npos ? 0 : 1;
    disk.misdirect_next();
    disk.mend();
    EXPECT_FALSE(disk.write_astray(*log, 0, "entry"));
  }
  EXPECT_GT(other_file, 5);
  EXPECT_LT(other_file, 27);
}

TEST(DiskImage, ACloneHoldsWhatTheOtherDiskDoes) {
  DiskImage disk = disk_that(0, 0, 0);
  ASSERT_TRUE(disk.create_directories("/d"));
  (*disk.create("/d/name"))->write(0, "first");
  DiskImage clone = disk_that(0, 0, 0, 2);
  ASSERT_TRUE(clone.create("/own"));
  clone.read_only = true;
  clone.become_copy_of(disk);
  EXPECT_FALSE(clone.exists("/own"));
  EXPECT_EQ(clone.find("/d/name")->bytes(), "first");
  EXPECT_FALSE(clone.may_fail()) << "it is another disk";
  clone.find("/d/name")->write(0, "other");
  EXPECT_EQ(disk.find("/d/name")->bytes(), "first");
}

TEST(DiskImage, AnImageBringsBackWhatWasThereAndAWipeLeavesNothing) {
  DiskImage disk = disk_that(0, 0, 0);
  ASSERT_TRUE(disk.create_directories("/d"));
  (*disk.create("/d/old"))->write(0, "old");
  disk.keep_image();
  disk.find("/d/old")->write(0, "new");
  ASSERT_TRUE(disk.create("/d/later"));
  disk.restore_image();
  EXPECT_EQ(*disk.list("/d"), std::vector<std::string>{"old"});
  EXPECT_EQ(disk.find("/d/old")->bytes(), "old");
  disk.lose_power();
  EXPECT_EQ(disk.find("/d/old")->bytes(), "old");
  disk.wipe();
  EXPECT_FALSE(disk.exists("/d"));
  EXPECT_EQ(disk.used_bytes(), 0U);
}

TEST(DiskImage, ListsNamesOfOneDirectorySorted) {
  DiskImage disk = disk_that(0, 0, 0);
  ASSERT_TRUE(disk.create_directories("/d/e"));
  ASSERT_TRUE(disk.create("/d/b"));
  ASSERT_TRUE(disk.create("/d/a"));
  ASSERT_TRUE(disk.create("/d/e/deep"));
  EXPECT_EQ(*disk.list("/d"), (std::vector<std::string>{"a", "b", "e"}));
  EXPECT_FALSE(disk.list("/nothing"));
  EXPECT_FALSE(disk.remove("/d"));
}

}  // namespace
}  // namespace stator::sim

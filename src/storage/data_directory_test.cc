#include "storage/data_directory.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "base/bytes.h"
#include "base/hash.h"
#include "storage/testing/fake_disk.h"

namespace stator::storage {
namespace {

const std::string kPath = "var/lib/n1";
const NodeIdentity kIdentity{
    .cluster_id = "shop", .node_id = NodeId{42}, .name = "n1", .engine = "rocksdb"};

class DataDirectoryTest : public ::testing::Test {
 protected:
  Result<std::unique_ptr<DataDirectory>> open(const NodeIdentity& wanted) {
    return open_data_directory(disk, {.path = kPath, .identity = wanted, .new_engine = "memory"});
  }
  void make() { ASSERT_TRUE(open(kIdentity)); }
  std::string& bytes(const std::string& name) { return disk.files().at(kPath + "/" + name)->bytes; }
  void expect_refused(const NodeIdentity& wanted, ErrorCode code, const std::string& advice) {
    const auto before = contents();
    const auto opened = open(wanted);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, code);
    EXPECT_NE(opened.error().detail.find(kPath), std::string::npos) << opened.error().detail;
    EXPECT_NE(opened.error().detail.find(advice), std::string::npos) << opened.error().detail;
    EXPECT_EQ(contents(), before);  // nothing is damaged
  }
  std::map<std::string, std::string> contents() {
    std::map<std::string, std::string> all;
    for (const auto& [path, content] : disk.files()) all[path] = content->bytes;
    return all;
  }

  testing::FakeDisk disk;
};

TEST_F(DataDirectoryTest, IsMadeOnceAndFoundAgain) {
  {
    const auto made = open(kIdentity);
    ASSERT_TRUE(made);
    EXPECT_FALSE((*made)->existed());
    EXPECT_EQ((*made)->identity(), kIdentity);
  }
  disk.crash();  // it was durable when the call returned
  const auto found = open({});
  ASSERT_TRUE(found);
  EXPECT_TRUE((*found)->existed());
  EXPECT_EQ((*found)->identity(), kIdentity);
}

TEST_F(DataDirectoryTest, ANewOneTakesWhatTheWishLeavesOpenFromTheDefaults) {
  const auto made = open_data_directory(
      disk, {.path = kPath, .identity = {}, .new_node_id = NodeId{7}, .new_engine = "memory"});
  ASSERT_TRUE(made);
  EXPECT_EQ((*made)->identity().node_id, NodeId{7});
  EXPECT_EQ((*made)->identity().engine, "memory");
}

TEST_F(DataDirectoryTest, ANodeThatWaitedTakesTheClusterThatFoundsIt) {
  {
    const auto waiting = open_data_directory(
        disk, {.path = kPath, .identity = {}, .new_node_id = NodeId{7}, .new_engine = "rocksdb"});
    ASSERT_TRUE(waiting);
  }
  {
    NodeIdentity founded = kIdentity;
    founded.name = "";
    ASSERT_TRUE(open(founded));
  }
  const auto again = open({});
  ASSERT_TRUE(again);
  EXPECT_EQ((*again)->identity().cluster_id, "shop");
  EXPECT_EQ((*again)->identity().node_id, NodeId{42});
}

TEST_F(DataDirectoryTest, ASecondProcessIsRefused) {
  const auto first = open(kIdentity);
  ASSERT_TRUE(first);
  expect_refused(kIdentity, ErrorCode::kConflict, "stop it, or give another --data-dir");
}

TEST_F(DataDirectoryTest, WhatBelongsToSomethingElseIsRefusedWithWhatToDo) {
  make();
  NodeIdentity other = kIdentity;
  other.cluster_id = "bank";
  expect_refused(other, ErrorCode::kConflict, "--data-dir");
  other = kIdentity;
  other.name = "n2";
  expect_refused(other, ErrorCode::kConflict, "--name n1");
  other = kIdentity;
  other.engine = "memory";
  expect_refused(other, ErrorCode::kConflict, "--engine rocksdb");
  other = kIdentity;
  other.node_id = NodeId{43};
  expect_refused(other, ErrorCode::kConflict, "--data-dir");
}

TEST_F(DataDirectoryTest, SomebodysFolderIsLeftAlone) {
  ASSERT_TRUE(disk.create_directories(kPath));
  ASSERT_TRUE(disk.open(kPath + "/thesis.txt", env::Disk::Open::kCreate));
  expect_refused(kIdentity, ErrorCode::kConflict, "thesis.txt");
  // Nor was it locked, which makes a file: that would have failed first.
  const auto lock = disk.lock(kPath);
  ASSERT_TRUE(lock);
  expect_refused(kIdentity, ErrorCode::kConflict, "thesis.txt");
}

TEST_F(DataDirectoryTest, EveryDamageToOneCopyIsMendedFromTheOther) {
  make();
  const std::string good = bytes("identity");
  EXPECT_EQ(bytes("identity.copy"), good);
  for (const std::string name : {"identity", "identity.copy"}) {
    for (std::size_t at = 0; at < good.size(); ++at) {
      bytes(name)[at] = static_cast<char>(good[at] ^ (1 << (at % 8)));
      const auto opened = open(kIdentity);
      ASSERT_TRUE(opened) << name << " at " << at << ": " << opened.error().detail;
      EXPECT_EQ((*opened)->identity(), kIdentity);
      EXPECT_TRUE((*opened)->mended());
      EXPECT_EQ(bytes(name), good);
    }
    for (std::size_t size = 0; size < good.size(); ++size) {
      bytes(name).resize(size);
      ASSERT_TRUE(open(kIdentity)) << name << " cut to " << size;
      EXPECT_EQ(bytes(name), good);
    }
    disk.files().erase(kPath + "/" + name);
    const auto opened = open(kIdentity);
    ASSERT_TRUE(opened);
    EXPECT_TRUE((*opened)->mended());
    EXPECT_EQ(bytes(name), good);
  }
  const auto whole = open(kIdentity);
  ASSERT_TRUE(whole);
  EXPECT_FALSE((*whole)->mended());
}

TEST_F(DataDirectoryTest, TwoDamagedCopiesAreCorruptAndLeftAlone) {
  make();
  bytes("identity")[30] ^= 1;
  bytes("identity.copy")[31] ^= 1;
  expect_refused(kIdentity, ErrorCode::kCorrupt, "backup");
}

// Nobody is told to empty a directory that a failing disk did not give this time.
TEST_F(DataDirectoryTest, CopiesThatCannotBeReadAreNotCalledDamaged) {
  make();
  disk.reads_fail = ErrorCode::kIo;
  expect_refused(kIdentity, ErrorCode::kIo, "start this node again");
  bytes("identity.copy").resize(5);
  expect_refused(kIdentity, ErrorCode::kIo, "start this node again");
  disk.reads_fail.reset();
  const auto opened = open(kIdentity);
  ASSERT_TRUE(opened);
  EXPECT_EQ((*opened)->identity(), kIdentity);
}

TEST_F(DataDirectoryTest, DataWithoutAnIdentityIsNeverTakenForANewNode) {
  make();
  ASSERT_TRUE(disk.create_directories(kPath + "/rocksdb"));
  ASSERT_TRUE(disk.open(kPath + "/rocksdb/ENGINE", env::Disk::Open::kCreate));
  disk.files().erase(kPath + "/identity");
  disk.files().erase(kPath + "/identity.copy");
  expect_refused(kIdentity, ErrorCode::kCorrupt, "restore");
}

TEST_F(DataDirectoryTest, ANewerFormatIsRefusedAndLeftAlone) {
  make();
  std::string newer = "stator data directory\n";
  append_u32(newer, 2);
  newer += "whatever stands there then";
  append_u64(newer, hash64(newer));
  bytes("identity") = newer;
  bytes("identity.copy") = newer;
  expect_refused(kIdentity, ErrorCode::kNotSupported, "version");
}

TEST_F(DataDirectoryTest, AStartThatWasInterruptedIsTakenUpAgain) {
  ASSERT_TRUE(disk.create_directories(kPath));
  ASSERT_TRUE(disk.open(kPath + "/LOCK", env::Disk::Open::kCreate));
  ASSERT_TRUE(disk.open(kPath + "/identity.tmp", env::Disk::Open::kCreate));
  const auto opened = open(kIdentity);
  ASSERT_TRUE(opened);
  EXPECT_FALSE((*opened)->existed());
}

// D31: killed between a failed sync and the end of its start, a process leaves a dead file.
TEST_F(DataDirectoryTest, AFileWhoseSyncFailedIsNotUsedAgain) {
  make();
  auto dead = std::make_shared<testing::FakeDisk::Content>();
  dead->sync_failed = true;
  disk.files()[kPath + "/identity.tmp"] = dead;
  bytes("identity.copy").clear();
  ASSERT_TRUE(open(kIdentity));
  EXPECT_EQ(bytes("identity.copy"), bytes("identity"));
  EXPECT_FALSE(disk.files().contains(kPath + "/identity.tmp"));
}

TEST_F(DataDirectoryTest, ALeftOverFileThatCannotBeRemovedIsAFailureOfTheDisk) {
  make();
  disk.files()[kPath + "/identity.tmp"] = std::make_shared<testing::FakeDisk::Content>();
  bytes("identity.copy").clear();
  disk.removes_fail = ErrorCode::kIo;
  EXPECT_EQ(open(kIdentity).error().code, ErrorCode::kIo);
  disk.removes_fail.reset();
  EXPECT_TRUE(open(kIdentity));
}

TEST_F(DataDirectoryTest, AFullDiskIsReportedAndLeavesAFolderThatCanBeUsedLater) {
  disk.writes_fail = ErrorCode::kDiskFull;
  const auto refused = open(kIdentity);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kDiskFull);
  EXPECT_NE(refused.error().detail.find("docs/ops/disk-full.md"), std::string::npos);
  disk.writes_fail.reset();
  const auto opened = open(kIdentity);
  ASSERT_TRUE(opened);
  EXPECT_FALSE((*opened)->existed());
}

// Who has no room is not sent to look for rights that are not missing.
TEST_F(DataDirectoryTest, ADirectoryThatCannotBeMadeSaysWhetherRoomOrRightsAreMissing) {
  const auto advice_for = [this](ErrorCode code) {
    disk.directory_syncs_fail = code;
    const auto refused = open(kIdentity);
    EXPECT_FALSE(refused);
    return refused ? std::string() : refused.error().detail;
  };
  const std::string full = advice_for(ErrorCode::kDiskFull);
  EXPECT_NE(full.find("free some space"), std::string::npos) << full;
  EXPECT_EQ(full.find("--data-dir"), std::string::npos) << full;
  const std::string closed = advice_for(ErrorCode::kIo);
  EXPECT_NE(closed.find("--data-dir, one that this user may write"), std::string::npos) << closed;
}

TEST_F(DataDirectoryTest, ADiskThatFailsUnderIdentityIsToBeChecked) {
  disk.writes_fail = ErrorCode::kIo;
  const auto refused = open(kIdentity);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kIo);
  EXPECT_NE(refused.error().detail.find("check the disk"), std::string::npos)
      << refused.error().detail;
  EXPECT_NE(refused.error().detail.find(kPath), std::string::npos) << refused.error().detail;
}

}  // namespace
}  // namespace stator::storage

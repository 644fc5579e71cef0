#include "storage/rocksdb/synced_logs.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <tuple>

#include "base/bytes.h"
#include "base/hash.h"
#include "storage/testing/temporary_folder.h"

namespace stator::storage::rocks {
namespace {

namespace fs = std::filesystem;

std::uint64_t digest_of(std::string_view bytes) {
  Digest digest;
  digest.add(bytes);
  return digest.value();
}

class SyncedLogsTest : public ::testing::Test {
 protected:
  std::shared_ptr<SyncedLogs> open() const {
    auto logs = SyncedLogs::open(folder.string());
    EXPECT_TRUE(logs) << logs.error().detail;
    return logs ? *logs : nullptr;
  }
  [[nodiscard]] Error refusal() const {
    const auto logs = SyncedLogs::open(folder.string());
    EXPECT_FALSE(logs);
    return logs ? Error{} : logs.error();
  }
  [[nodiscard]] fs::path file(const std::string& name) const { return folder / name; }
  void write(const std::string& name, const std::string& bytes) const {
    std::ofstream(file(name), std::ios::binary | std::ios::trunc) << bytes;
  }
  [[nodiscard]] std::string read(const std::string& name) const {
    std::ifstream from(file(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(from), {}};
  }
  /// Two logs: all of the first is synced, and the first 300 kB of the second.
  void make_two_logs() const {
    write("000007.log", first);
    write("000012.log", second);
    const auto logs = open();
    logs->synced(7, first.size(), digest_of(first));
    logs->synced(12, kSynced, digest_of(second.substr(0, kSynced)));
    logs->save();
  }

  static constexpr std::size_t kSynced = 300'000;
  storage::testing::TemporaryFolder temporary;
  const fs::path folder = temporary.path();
  const std::string first = std::string(5000, 'a') + "b";
  const std::string second = std::string(310'000, 'c');
};

TEST(Digest, DoesNotDependOnHowTheBytesWereCut) {
  std::string bytes;
  for (int i = 0; i < 20'000; ++i) bytes.push_back(static_cast<char>(i * 31 + i / 256));
  for (const std::size_t step : {1UL, 7UL, 4095UL, 4096UL, 4097UL, 9000UL}) {
    Digest digest;
    for (std::size_t at = 0; at < bytes.size(); at += step) digest.add(bytes.substr(at, step));
    EXPECT_EQ(digest.value(), digest_of(bytes)) << step;
    EXPECT_EQ(digest.bytes(), bytes.size());
  }
  EXPECT_NE(digest_of(bytes), digest_of(bytes.substr(1)));
  EXPECT_NE(digest_of(std::string(4096, '\0')), digest_of(std::string(8192, '\0')));
}

TEST(LogNumber, IsThatOfRocksdbsName) {
  EXPECT_EQ(log_number_of("/data/engine/000012.log"), 12U);
  EXPECT_EQ(log_number_of("1234567.log"), 1234567U);
  EXPECT_EQ(log_number_of("/data/engine/000012.sst"), 0U);
  EXPECT_EQ(log_number_of("/data/a.log"), 0U);
  EXPECT_EQ(log_number_of("/data/engine/LOG"), 0U);
}

TEST(ListedNumber, IsThatOfALogOrOfAManifest) {
  EXPECT_EQ(listed_number_of("/data/engine/000012.log"), 12U);
  EXPECT_EQ(listed_number_of("/data/engine/MANIFEST-000005"), 5 | kManifest);
  EXPECT_EQ(listed_number_of("MANIFEST-1234567"), 1234567 | kManifest);
  EXPECT_EQ(listed_number_of("/data/engine/MANIFEST-"), 0U);
  EXPECT_EQ(listed_number_of("/data/engine/MANIFEST-000005.dbtmp"), 0U);
  EXPECT_EQ(listed_number_of("/data/engine/CURRENT"), 0U);
}

TEST_F(SyncedLogsTest, AFolderOfWhichNothingIsSaidOpensAndIsLeftAlone) {
  open();
  EXPECT_TRUE(fs::is_empty(folder));
  fs::remove(folder);
  open();
}

TEST_F(SyncedLogsTest, AFlippedByteOfWhatWasSyncedIsDamageInAnyLog) {  // D30, I16
  make_two_logs();
  open();
  for (const auto& [name, content, synced] :
       {std::tuple{"000007.log", first, first.size()}, std::tuple{"000012.log", second, kSynced}}) {
    for (std::size_t at : {0UL, synced / 2, synced - 1}) {
      std::string rotten = content;
      rotten[at] ^= 1;
      write(name, rotten);
      const Error error = refusal();
      EXPECT_EQ(error.code, ErrorCode::kCorrupt) << at;
      EXPECT_NE(error.detail.find(file(name).string()), std::string::npos) << error.detail;
    }
    write(name, content);
  }
  open();
}

TEST_F(SyncedLogsTest, ACutOrMissingLogIsDamage) {  // D30, I16
  make_two_logs();
  fs::resize_file(file("000012.log"), kSynced);  // only what nobody was promised
  open();
  fs::resize_file(file("000012.log"), kSynced - 1);
  EXPECT_EQ(refusal().code, ErrorCode::kCorrupt);
  write("000012.log", second);
  fs::remove(file("000007.log"));
  EXPECT_NE(refusal().detail.find("000007.log is missing"), std::string::npos);
}

TEST_F(SyncedLogsTest, AManifestIsALogUnderItsOwnName) {  // D30
  write("000005.log", "log");
  write("MANIFEST-000005", "which tables there are");
  const auto logs = open();
  logs->synced(5, 3, digest_of("log"));
  logs->synced(5 | kManifest, 11, digest_of("which table"));
  logs->save();
  open();
  write("MANIFEST-000005", "which tablet");
  open();
  write("MANIFEST-000005", "which tab");
  EXPECT_NE(refusal().detail.find("MANIFEST-000005 is cut"), std::string::npos);
  fs::remove(file("MANIFEST-000005"));
  EXPECT_NE(refusal().detail.find("MANIFEST-000005 is missing"), std::string::npos);
  EXPECT_TRUE(logs->forget(5 | kManifest));
  open();
}

TEST_F(SyncedLogsTest, AListOfTheFirstVersionIsReadAndOneOfALaterSaysNothing) {
  write("000007.log", "x");
  const auto with_version = [](char version) {
    std::string bytes = "stator synced logs\n";
    append_u32(bytes, static_cast<std::uint32_t>(version));
    append_u32(bytes, 1);
    append_u64(bytes, 7);
    append_u64(bytes, 1);
    append_u64(bytes, digest_of("y"));
    append_u64(bytes, hash64(bytes));
    return bytes;
  };
  for (const char version : {1, 2}) {
    write("synced", with_version(version));
    EXPECT_EQ(refusal().code, ErrorCode::kCorrupt);
  }
  write("synced", with_version(3));
  open();
}

TEST_F(SyncedLogsTest, WhateverStandsBehindTheSyncedPartIsNoDamage) {  // I16
  make_two_logs();
  for (std::size_t at = kSynced; at < second.size(); at += 1000) {
    std::string torn = second;
    torn[at] ^= 1;
    write("000012.log", torn);
    open();
  }
}

TEST_F(SyncedLogsTest, ALogThatIsDeletedIsForgottenBefore) {
  make_two_logs();
  {
    const auto logs = open();
    EXPECT_TRUE(logs->forget(7));
    EXPECT_TRUE(logs->forget(99));  // of which nothing was said
    fs::remove(file("000007.log"));
  }
  open();
  write("000012.log", "");
  EXPECT_EQ(refusal().code, ErrorCode::kCorrupt);  // the other one is still known
}

TEST_F(SyncedLogsTest, ASyncThatEndsLateTakesNothingBack) {
  make_two_logs();
  const auto logs = open();
  logs->synced(12, 10, digest_of(second.substr(0, 10)));
  logs->save();
  fs::resize_file(file("000012.log"), 10);
  EXPECT_EQ(refusal().code, ErrorCode::kCorrupt);
}

TEST_F(SyncedLogsTest, ADamagedListSaysNothingAndStopsNoStart) {  // I16: a crash may tear it
  make_two_logs();
  const std::string right = read("synced");
  write("000012.log", "");
  for (std::size_t at = 0; at < right.size(); ++at) {
    std::string wrong = right;
    wrong[at] ^= 0x40;
    write("synced", wrong);
    open();
    write("synced", right.substr(0, at));
    open();
  }
  write("synced", right + "what is left of a longer list");
  EXPECT_EQ(refusal().code, ErrorCode::kCorrupt);
}

TEST_F(SyncedLogsTest, TheListLooksAsDocumented) {  // docs/format/rocksdb.md
  write("000007.log", "x");
  const auto logs = open();
  logs->synced(7, 1, digest_of("x"));
  logs->save();
  const std::string bytes = read("synced");
  ASSERT_EQ(bytes.size(), 19U + 4 + 4 + 24 + 8);
  EXPECT_EQ(bytes.substr(0, 43), std::string("stator synced logs\n\x02\0\0\0\x01\0\0\0"
                                             "\x07\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0",
                                             43));
}

}  // namespace
}  // namespace stator::storage::rocks

// What only the rocksdb engine can meet: slow disks, failing syncs, full disks, rot, and a log that
// ends in the middle of a record.

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "engine_stores.h"
#include "storage/rocksdb/rocksdb_engine.h"

namespace stator::storage {
namespace {

namespace fs = std::filesystem;
using testing::Store;
using testing::TemporaryFolder;

constexpr PartitionId kPlace{300};

std::string key_of(int number) {
  return "key" + std::to_string(1000 + number);
}

class RocksdbEngine : public ::testing::Test {
 protected:
  RocksdbEngine() { store.open(); }

  void fill(int keys) {
    for (int i = 0; i < keys; ++i) {
      ASSERT_TRUE(store.put(kPlace, key_of(i), std::string(1000, static_cast<char>('a' + i % 26))));
    }
  }
  std::vector<fs::path> files(const fs::path& folder_of, const std::string& extension) {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(folder_of)) {
      if (entry.path().extension() == extension) found.push_back(entry.path());
    }
    std::sort(found.begin(), found.end());
    return found;
  }

  TemporaryFolder folder;
  std::shared_ptr<rocks::FileEvents> events = std::make_shared<rocks::FileEvents>();
  Store store{"rocksdb", false, folder, [this](const EngineOptions& options, const env::Env&) {
                return rocks::open_with_events(options, events);
              }};
};

/// A second store on a copy of the files: what is left when the process is killed now.
class Image {
 public:
  explicit Image(const fs::path& directory) {
    fs::copy(directory, folder.path() / "engine", fs::copy_options::recursive);
  }
  TemporaryFolder folder;
  Store store{"rocksdb", false, folder, [](const EngineOptions& options, const env::Env&) {
                return rocks::open_with_events(options, std::make_shared<rocks::FileEvents>());
              }};
};

TEST_F(RocksdbEngine, AReadThatWouldWaitForTheDiskIsAnsweredLater) {
  fill(200);
  store.reopen();  // from the log into tables
  events->no_page_cache = true;
  const auto first = store.get(kPlace, key_of(7));
  EXPECT_TRUE(first.was_pending);
  EXPECT_EQ(first.status, GetStatus::kFound);
  EXPECT_EQ(first.value, std::string(1000, 'h'));
  const auto missing = store.get(PartitionId{301}, key_of(7));
  EXPECT_EQ(missing.status, GetStatus::kMissing);
  EXPECT_GE(events->reads_handed_over.load(), 1U);
  const auto cached = store.get(kPlace, key_of(7));
  EXPECT_FALSE(cached.was_pending);
  EXPECT_EQ(cached.value, first.value);

  int answered = 0;
  std::string value;
  for (int i = 0; i < 200; ++i) {
    const GetStatus status = store.engine().get(
        kPlace, key_of(i), value, [&answered, i](GetStatus late, std::string_view bytes) {
          EXPECT_EQ(late, GetStatus::kFound);
          EXPECT_EQ(bytes, std::string(1000, static_cast<char>('a' + i % 26)));
          ++answered;
        });
    if (status != GetStatus::kPending) ++answered;
  }
  store.loop().run_until([&answered] { return answered == 200; });
}

TEST_F(RocksdbEngine, WhatThePageCacheHoldsIsReadInsideTheCall) {
  fill(200);
  store.reopen();
  for (int i = 0; i < 200; ++i) EXPECT_EQ(store.get(kPlace, key_of(i)).status, GetStatus::kFound);
  EXPECT_EQ(events->reads_handed_over.load(), 0U);
}

TEST_F(RocksdbEngine, CloseWaitsForReads) {
  fill(50);
  store.reopen();
  events->no_page_cache = true;
  int answered = 0;
  std::string value;
  for (int i = 0; i < 50; ++i) {
    const GetStatus status = store.engine().get(
        kPlace, key_of(i), value, [&answered](GetStatus, std::string_view) { ++answered; });
    if (status != GetStatus::kPending) ++answered;
  }
  EXPECT_TRUE(store.close());
  EXPECT_EQ(answered, 50);
}

TEST_F(RocksdbEngine, ABatchWithSyncCompletesAfterASyncOfTheLogAndManyShareOne) {
  const std::uint64_t before = events->log_syncs.load();
  ASSERT_TRUE(store.put(kPlace, "key", "value", true));
  EXPECT_EQ(events->log_syncs.load(), before + 1);
  ASSERT_TRUE(store.put(kPlace, "key", "value", false));
  EXPECT_EQ(events->log_syncs.load(), before + 1);
  int completed = 0;
  WriteBatch batch;
  batch.put(kPlace, "key", "value");
  for (int i = 0; i < 100; ++i) {
    store.engine().submit(batch, true, [&completed](const Result<void>&) { ++completed; });
  }
  store.loop().run_until([&completed] { return completed == 100; });
  EXPECT_EQ(events->log_syncs.load(), before + 3);  // the first, and all that gathered meanwhile
}

TEST_F(RocksdbEngine, AFailedSyncOfTheLogIsFinalUntilTheStoreIsOpenedAgain) {
  ASSERT_TRUE(store.put(kPlace, "acknowledged", "1", true));
  events->fail_log_syncs = true;
  EXPECT_EQ(store.put(kPlace, "unknown", "2", true).error().code, ErrorCode::kIo);
  events->fail_log_syncs = false;
  EXPECT_FALSE(store.put(kPlace, "refused", "3", true));
  EXPECT_FALSE(store.put(kPlace, "refused", "3", false));
  EXPECT_FALSE(store.drop(kPlace));
  EXPECT_EQ(store.get(kPlace, "acknowledged").value, "1");  // reads go on
  EXPECT_FALSE(store.close());
  events->log_sync_failed = false;  // a new run
  store.open();
  EXPECT_EQ(store.get(kPlace, "acknowledged").value, "1");
  EXPECT_EQ(store.get(kPlace, "refused").status, GetStatus::kMissing);
  EXPECT_TRUE(store.put(kPlace, "again", "4", true));
}

TEST_F(RocksdbEngine, AFullDiskRefusesWritesAndHealsByItself) {
  ASSERT_TRUE(store.put(kPlace, "before", "1", true));
  events->no_space = true;
  EXPECT_EQ(store.put(kPlace, "refused", "2", true).error().code, ErrorCode::kDiskFull);
  EXPECT_EQ(store.put(kPlace, "refused", "2", false).error().code, ErrorCode::kDiskFull);
  EXPECT_EQ(store.get(kPlace, "before").value, "1");
  events->no_space = false;
  const auto start = std::chrono::steady_clock::now();
  Result<void> put = std::unexpected(Error{});
  while (!put && std::chrono::steady_clock::now() - start < std::chrono::seconds(120)) {
    put = store.put(kPlace, "after", "3", true);
    if (put) break;
    ASSERT_EQ(put.error().code, ErrorCode::kDiskFull);
    // Some turns pass; the store looks at the disk every few seconds.
    std::this_thread::yield();
  }
  ASSERT_TRUE(put);
  Image image(store.options().directory);
  image.store.open();
  EXPECT_EQ(image.store.get(kPlace, "before").value, "1");
  EXPECT_EQ(image.store.get(kPlace, "after").value, "3");
}

TEST_F(RocksdbEngine, ADamagedTableIsUnreadableNeverMissing) {
  fill(100);
  store.reopen();
  ASSERT_TRUE(store.close());
  const auto tables = files(store.options().directory, ".sst");
  ASSERT_EQ(tables.size(), 1U);
  {
    std::fstream table(tables[0], std::ios::in | std::ios::out | std::ios::binary);
    table.seekg(20);
    const int byte = table.get();
    table.seekp(20);
    table.put(static_cast<char>(byte ^ 0x10));
  }
  store.open();
  EXPECT_EQ(store.get(kPlace, key_of(0)).status, GetStatus::kUnreadable);
  EXPECT_EQ(store.get(kPlace, key_of(99)).status, GetStatus::kFound);  // another block
  class Nothing final : public ScanVisitor {
    void visit(std::string_view, std::string_view) override {}
  } visitor;
  const auto scanned = store.engine().scan(kPlace, "", {}, visitor);
  ASSERT_FALSE(scanned);
  EXPECT_EQ(scanned.error().code, ErrorCode::kUnreadable);
  EXPECT_TRUE(store.put(kPlace, key_of(0), "repaired", true));
  EXPECT_EQ(store.get(kPlace, key_of(0)).value, "repaired");
}

TEST_F(RocksdbEngine, AKilledProcessLosesNothingThatWasCompleted) {
  fill(100);  // without sync
  Image image(store.options().directory);
  image.store.open();
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(image.store.get(kPlace, key_of(i)).status, GetStatus::kFound);
  }
}

TEST_F(RocksdbEngine, EveryTornTailOfTheLogLeavesAPrefixOfWholeBatches) {
  constexpr int kBatches = 12;
  for (int i = 0; i < kBatches; ++i) {
    WriteBatch batch;
    batch.put(kPlace, "left" + std::to_string(i), std::string(200, 'l'));
    batch.put(PartitionId{7}, "right" + std::to_string(i), std::string(200, 'r'));
    ASSERT_TRUE(store.submit(batch, true));
  }
  const auto logs = files(store.options().directory, ".log");
  ASSERT_EQ(logs.size(), 1U);
  const std::uint64_t size = 12 * 2 * 200;  // at least; behind it the log may be preallocated
  int last = 0;
  for (std::uint64_t cut = 0; cut < size + 2000; cut += 97) {
    Image image(store.options().directory);
    const auto log = image.folder.path() / "engine" / logs[0].filename();
    if (cut < fs::file_size(log)) fs::resize_file(log, cut);
    image.store.open();
    int whole = 0;
    while (whole < kBatches &&
           image.store.get(kPlace, "left" + std::to_string(whole)).status == GetStatus::kFound) {
      ++whole;
    }
    for (int i = 0; i < kBatches; ++i) {
      const GetStatus expected = i < whole ? GetStatus::kFound : GetStatus::kMissing;
      EXPECT_EQ(image.store.get(kPlace, "left" + std::to_string(i)).status, expected) << cut;
      EXPECT_EQ(image.store.get(PartitionId{7}, "right" + std::to_string(i)).status, expected);
    }
    EXPECT_GE(whole, last);
    last = whole;
  }
  EXPECT_EQ(last, kBatches);
}

TEST_F(RocksdbEngine, ADirectoryThatIsNoDatabaseAnyMoreIsCorruptAndLeftAlone) {
  ASSERT_TRUE(store.put(kPlace, "key", "value", true));
  ASSERT_TRUE(store.close());
  const fs::path current = fs::path(store.options().directory) / "CURRENT";
  std::ofstream(current, std::ios::trunc) << "MANIFEST-";
  const auto opened = store.try_open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kCorrupt);
  EXPECT_NE(opened.error().detail.find(store.options().directory), std::string::npos);
}

}  // namespace
}  // namespace stator::storage

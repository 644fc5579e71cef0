// What only the rocksdb engine can meet: slow disks, failing syncs, full disks, rot, and a log that
// ends in the middle of a record.

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
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
  static std::vector<fs::path> files(const fs::path& folder_of, const std::string& extension) {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(folder_of)) {
      if (entry.path().extension() == extension) found.push_back(entry.path());
    }
    std::sort(found.begin(), found.end());
    return found;
  }

  static void flip(const fs::path& file, std::uint64_t at) {
    std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
    bytes.seekg(static_cast<std::streamoff>(at));
    const int byte = bytes.get();
    bytes.seekp(static_cast<std::streamoff>(at));
    bytes.put(static_cast<char>(byte ^ 0x10));
  }
  static std::map<std::string, std::string> contents(const fs::path& folder_of) {
    std::map<std::string, std::string> found;
    for (const auto& entry : fs::directory_iterator(folder_of)) {
      std::ifstream file(entry.path(), std::ios::binary);
      found[entry.path().filename()] = std::string(std::istreambuf_iterator<char>(file), {});
    }
    return found;
  }

  TemporaryFolder folder;
  std::shared_ptr<rocks::FileEvents> events = std::make_shared<rocks::FileEvents>();
  Store store{"rocksdb", false, folder, [this](const EngineOptions& options, const env::Env&) {
                return rocks::open_with_events(options, events);
              }};
};

/// Another shard of the store, with side threads of its own.
class AnotherShard {
 public:
  explicit AnotherShard(Store& store)
      : env_{loop_, store.env().network, store.env().disk}, engine_(store.home().attach(env_)) {}
  ~AnotherShard() {
    bool closed = false;
    engine_->close([&closed](const Result<void>&) { closed = true; });
    loop_.run_until([&closed] { return closed; });
  }
  AnotherShard(const AnotherShard&) = delete;
  AnotherShard& operator=(const AnotherShard&) = delete;

  void begin_sync() {
    engine_->sync([this](const Result<void>& result) { synced_ = result; });
  }
  [[nodiscard]] Result<void> await_sync() {
    loop_.run_until([this] { return synced_.has_value(); });
    return *synced_;
  }

 private:
  testing::LoopExecutor loop_;
  const env::Env env_;
  std::unique_ptr<Engine> engine_;
  std::optional<Result<void>> synced_;
};

void await(const std::atomic<std::uint64_t>& counter, std::uint64_t value) {
  while (counter.load() < value) std::this_thread::yield();
}

/// A second store on a copy of the files: what is left when the process is killed now.
class Image {
 public:
  explicit Image(const fs::path& directory) {
    // The engine may take a file away that it needs no longer, after the copy has listed it: then
    // once more.
    std::error_code problem;
    for (int attempt = 0; attempt < 100; ++attempt) {
      fs::remove_all(folder.path() / "engine");
      fs::copy(directory, folder.path() / "engine", fs::copy_options::recursive, problem);
      if (problem != std::errc::no_such_file_or_directory) break;
    }
    if (problem) throw fs::filesystem_error("cannot copy", directory, problem);
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
  std::string room;
  std::string_view value;
  for (int i = 0; i < 200; ++i) {
    const GetStatus status = store.engine().get(
        kPlace, key_of(i), room, value, [&answered, i](GetStatus late, std::string_view bytes) {
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
  std::string room;
  std::string_view value;
  for (int i = 0; i < 50; ++i) {
    const GetStatus status = store.engine().get(
        kPlace, key_of(i), room, value, [&answered](GetStatus, std::string_view) { ++answered; });
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

TEST_F(RocksdbEngine, ASyncSyncsTheLogAndOneThatFailsIsFinal) {  // D31
  ASSERT_TRUE(store.put(kPlace, "key", "value"));
  const std::uint64_t before = events->log_syncs.load();
  std::optional<Result<void>> synced;
  const auto sync = [&] {
    synced.reset();
    store.engine().sync([&synced](const Result<void>& result) { synced = result; });
    store.loop().run_until([&synced] { return synced.has_value(); });
    return synced->has_value();
  };
  EXPECT_TRUE(sync());
  EXPECT_EQ(events->log_syncs.load(), before + 1);
  ASSERT_TRUE(store.put(kPlace, "key", "another"));
  events->fail_log_syncs = true;
  EXPECT_FALSE(sync());
  EXPECT_EQ(synced->error().code, ErrorCode::kIo);
  events->fail_log_syncs = false;
  EXPECT_FALSE(sync());
  EXPECT_FALSE(store.put(kPlace, "refused", "value"));
}

TEST_F(RocksdbEngine, ASyncOfWhatIsDurableAlreadyTroublesNoDisk) {
  AnotherShard shard(store);
  ASSERT_TRUE(store.put(kPlace, "key", "value", true));
  const std::uint64_t before = events->log_syncs.load();
  shard.begin_sync();
  EXPECT_TRUE(shard.await_sync());
  EXPECT_EQ(events->log_syncs.load(), before);
}

TEST_F(RocksdbEngine, ShardsThatWaitForASyncShareTheNextOne) {
  AnotherShard first(store);
  AnotherShard second(store);
  AnotherShard third(store);
  const std::uint64_t asked = events->syncs_asked.load();
  const std::uint64_t begun = events->log_syncs_begun.load();
  const std::uint64_t synced = events->log_syncs.load();
  const auto allow = [this](std::uint64_t syncs) {
    events->log_syncs_allowed = syncs;
    events->log_syncs_allowed.notify_all();
  };
  allow(begun);
  ASSERT_TRUE(store.put(kPlace, "key", "1"));
  first.begin_sync();
  await(events->log_syncs_begun, begun + 1);
  ASSERT_TRUE(store.put(kPlace, "key", "2")) << "nobody waits for it";
  second.begin_sync();
  third.begin_sync();
  await(events->syncs_asked, asked + 3);
  allow(begun + 1);
  EXPECT_TRUE(first.await_sync());
  await(events->log_syncs_begun, begun + 2);
  ASSERT_TRUE(store.put(kPlace, "key", "3")) << "for this one nobody has asked";
  allow(UINT64_MAX);
  EXPECT_TRUE(second.await_sync());
  EXPECT_TRUE(third.await_sync());
  EXPECT_EQ(events->log_syncs.load(), synced + 2);
}

// RocksDB takes such a log for a failed disk, or asserts that there is none, and another shard may
// meet the full disk while a sync waits for its turn.
TEST_F(RocksdbEngine, ADiskThatBecomesFullWhileASyncWaitsFailsItAndEndsNothing) {  // D29
  AnotherShard first(store);
  AnotherShard second(store);
  ASSERT_TRUE(store.put(kPlace, "before", "1"));
  const std::uint64_t asked = events->syncs_asked.load();
  const std::uint64_t begun = events->log_syncs_begun.load();
  events->log_syncs_allowed = begun;
  first.begin_sync();
  await(events->log_syncs_begun, begun + 1);
  second.begin_sync();
  await(events->syncs_asked, asked + 2);
  events->no_space = true;
  EXPECT_EQ(store.put(kPlace, "refused", "2").error().code, ErrorCode::kDiskFull);
  events->log_syncs_allowed = UINT64_MAX;
  events->log_syncs_allowed.notify_all();
  EXPECT_TRUE(first.await_sync()) << "what it was for was in the log";
  const Result<void> refused = second.await_sync();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kDiskFull);
  events->no_space = false;
  Image image(store.options().directory);
  image.store.open();
  EXPECT_EQ(image.store.get(kPlace, "before").value, "1");
}

TEST_F(RocksdbEngine, AFailedSyncOfTheNameOfALogIsFinal) {  // D31
  events->fail_folder_syncs = true;
  store.reopen();  // begins a log
  events->fail_folder_syncs = false;
  const auto put = store.put(kPlace, "refused", "value", true);
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code, ErrorCode::kIo);
  EXPECT_FALSE(store.put(kPlace, "refused", "value"));
  AnotherShard shard(store);
  shard.begin_sync();
  EXPECT_FALSE(shard.await_sync());
  events->log_sync_failed = false;  // a new run
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

// RocksDB ends the error, and begins another log only if there is something to flush.
TEST_F(RocksdbEngine, AFullDiskAtTheFirstRecordOfALogEndsNothing) {  // D29
  ASSERT_TRUE(store.put(kPlace, "before", "1", true));
  store.reopen();
  events->no_space = true;
  EXPECT_EQ(store.put(kPlace, "refused", "2", true).error().code, ErrorCode::kDiskFull);
  events->no_space = false;
  const auto start = std::chrono::steady_clock::now();
  Result<void> put = std::unexpected(Error{});
  while (!put && std::chrono::steady_clock::now() - start < std::chrono::seconds(8)) {
    put = store.put(kPlace, "after", "3", true);
    if (!put) {
      EXPECT_EQ(put.error().code, ErrorCode::kDiskFull);
    }
    std::this_thread::yield();
  }
  const bool stored = put.has_value();
  EXPECT_EQ(store.close().has_value(), stored);
  store.open();
  EXPECT_EQ(store.get(kPlace, "before").value, "1");
  EXPECT_EQ(store.get(kPlace, "after").status, stored ? GetStatus::kFound : GetStatus::kMissing);
  EXPECT_TRUE(store.put(kPlace, "again", "4", true));
}

TEST_F(RocksdbEngine, ADamagedTableIsUnreadableNeverMissing) {
  fill(100);
  store.reopen();
  ASSERT_TRUE(store.close());
  const auto tables = files(store.options().directory, ".sst");
  ASSERT_EQ(tables.size(), 1U);
  flip(tables[0], 20);
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

/// Batches of two records in different partitions, `synced` of them with sync and then `more`
/// without.
class LogDamage : public RocksdbEngine {
 protected:
  void write(int synced, int more) {
    for (int i = 0; i < synced + more; ++i) {
      WriteBatch batch;
      batch.put(kPlace, "left" + std::to_string(i), std::string(200, 'l'));
      batch.put(PartitionId{7}, "right" + std::to_string(i), std::string(200, 'r'));
      ASSERT_TRUE(store.submit(batch, i < synced));
      if (i < synced) synced_bytes = fs::file_size(log());
    }
    written_bytes = fs::file_size(log());
  }
  [[nodiscard]] fs::path log() {
    const auto logs = files(store.options().directory, ".log");
    EXPECT_EQ(logs.size(), 1U);
    return logs.at(0);
  }
  [[nodiscard]] fs::path log_of(const Image& image) {
    return image.folder.path() / "engine" / log().filename();
  }
  /// The batches of which both records are there; none may have one alone, or none behind a gap.
  static int whole_batches(Store& from, int written) {
    int whole = 0;
    for (int i = 0; i < written; ++i) {
      const GetStatus left = from.get(kPlace, "left" + std::to_string(i)).status;
      EXPECT_EQ(from.get(PartitionId{7}, "right" + std::to_string(i)).status, left) << i;
      if (left == GetStatus::kFound && whole == i) ++whole;
      EXPECT_EQ(left, i < whole ? GetStatus::kFound : GetStatus::kMissing) << i;
    }
    return whole;
  }

  std::uint64_t synced_bytes = 0;
  std::uint64_t written_bytes = 0;
};

TEST_F(LogDamage, EveryTornTailLeavesAPrefixOfWholeBatchesAndAllThatWasSynced) {  // I16
  write(6, 6);
  int last = 6;
  for (std::uint64_t cut = synced_bytes; cut <= written_bytes; cut += 61) {
    Image image(store.options().directory);
    fs::resize_file(log_of(image), cut);
    image.store.open();
    const int whole = whole_batches(image.store, 12);
    EXPECT_GE(whole, last) << cut;
    last = whole;
  }
  Image image(store.options().directory);
  image.store.open();
  EXPECT_EQ(whole_batches(image.store, 12), 12);
}

TEST_F(LogDamage, AHoleAmongWritesThatWereNeverSyncedIsATornTail) {  // I16
  write(6, 6);
  // Pages reach the disk in any order, so after a loss of power good records may stand behind it.
  for (std::uint64_t at = synced_bytes; at < written_bytes; at += 173) {
    Image image(store.options().directory);
    flip(log_of(image), at);
    image.store.open();
    EXPECT_GE(whole_batches(image.store, 12), 6) << at;
  }
}

TEST_F(LogDamage, AFlippedByteOfWhatWasSyncedRefusesTheStartAndChangesNothing) {  // D30, I16
  write(12, 0);
  Image image(store.options().directory);
  const auto directory = image.folder.path() / "engine";
  const auto before = contents(directory);
  for (std::uint64_t at = 0; at < synced_bytes; at += 23) {
    flip(log_of(image), at);
    const auto damaged = contents(directory);
    const auto opened = image.store.try_open();
    ASSERT_FALSE(opened) << at;
    EXPECT_EQ(opened.error().code, ErrorCode::kCorrupt);
    EXPECT_NE(opened.error().detail.find(log_of(image).string()), std::string::npos);
    EXPECT_EQ(contents(directory), damaged) << at;
    flip(log_of(image), at);
  }
  EXPECT_EQ(contents(directory), before);
  image.store.open();
  EXPECT_EQ(whole_batches(image.store, 12), 12);
}

TEST_F(LogDamage, ACutOrMissingLogOfWhatWasSyncedRefusesTheStart) {  // D30, I16
  write(12, 0);
  for (std::uint64_t cut = 0; cut < synced_bytes; cut += 397) {
    Image image(store.options().directory);
    fs::resize_file(log_of(image), cut);
    EXPECT_EQ(image.store.try_open().error().code, ErrorCode::kCorrupt) << cut;
  }
  Image image(store.options().directory);
  fs::remove(log_of(image));
  EXPECT_EQ(image.store.try_open().error().code, ErrorCode::kCorrupt);
}

TEST_F(LogDamage, AfterACleanStopWritesWithoutSyncAreGuardedToo) {  // D30
  write(0, 12);
  const fs::path file = log();
  ASSERT_TRUE(store.close());
  flip(file, written_bytes / 2);
  EXPECT_EQ(store.try_open().error().code, ErrorCode::kCorrupt);
  flip(file, written_bytes / 2);
  store.open();
  EXPECT_EQ(whole_batches(store, 12), 12);
}

TEST_F(LogDamage, WithoutTheListOfWhatWasSyncedItStartsWithWhatIsLeft) {
  // docs/ops/damaged-log.md: somebody has decided so.
  write(12, 0);
  Image image(store.options().directory);
  flip(log_of(image), synced_bytes / 2);
  fs::remove(image.folder.path() / "engine" / "synced");
  image.store.open();
  const int whole = whole_batches(image.store, 12);
  EXPECT_GT(whole, 0);
  EXPECT_LT(whole, 12);
}

TEST_F(LogDamage, LogsThatAreInTablesAreForgotten) {
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 12; ++i) {  // 12 MiB: three logs and more
      ASSERT_TRUE(store.put(kPlace, key_of(i), std::string(1 << 20, 'x'), true));
    }
    store.reopen();
    for (int i = 0; i < 12; ++i) EXPECT_EQ(store.get(kPlace, key_of(i)).status, GetStatus::kFound);
  }
  EXPECT_LE(fs::file_size(fs::path(store.options().directory) / "synced"), 500U);
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

#include "storage/rocksdb/rocksdb_store.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/experimental.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/assert.h"
#include "storage/rocksdb/open_logs.h"
#include "storage/rocksdb/rocksdb_files.h"
#include "storage/rocksdb/synced_logs.h"

namespace stator::storage::rocks {
namespace {

constexpr std::uint64_t kMiB = 1 << 20;

// RocksDB writes the batches of those who came meanwhile, too, which other shards have filled. A
// function of its own: so its callers stand on the stacks of ThreadSanitizer, and can be named in
// tools/tsan.supp.
[[gnu::noinline]] ::rocksdb::Status write_with_others(::rocksdb::DB& db,
                                                      const ::rocksdb::WriteOptions& options,
                                                      ::rocksdb::WriteBatch& batch) {
  return db.Write(options, &batch);
}

std::shared_ptr<::rocksdb::TableFactory> table_options(std::uint64_t cache_bytes) {
  ::rocksdb::BlockBasedTableOptions table;
  table.format_version = 5;
  table.checksum = ::rocksdb::kXXH3;
  table.filter_policy.reset(::rocksdb::NewBloomFilterPolicy(10));
  table.data_block_index_type =
      ::rocksdb::BlockBasedTableOptions::DataBlockIndexType::kDataBlockBinaryAndHash;
  // Filters and indexes live in the cache too: so the cache bounds all memory for reading.
  table.cache_index_and_filter_blocks = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  table.block_cache = ::rocksdb::NewLRUCache(cache_bytes, /*num_shard_bits=*/2);
  return std::shared_ptr<::rocksdb::TableFactory>(::rocksdb::NewBlockBasedTableFactory(table));
}

/// Everything is allocated as it is used: an empty store takes a few MiB, whatever its bounds are.
::rocksdb::Options make_options(std::uint64_t memory_bytes_max, ::rocksdb::Env* env) {
  const std::uint64_t memory = std::max(memory_bytes_max, 8 * kMiB);
  ::rocksdb::Options options;
  options.env = env;
  options.create_if_missing = true;
  options.paranoid_checks = true;
  // The log ends at the first record that is cut or does not pass its checksum: everything synced
  // stands before it (SyncedLogs has seen to that), and half a record never counts.
  options.wal_recovery_mode = ::rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  options.track_and_verify_wals_in_manifest = true;
  // RocksDB 7.8 does not recycle log files in this mode: old records behind the end would look like
  // a hole. Said here so that a newer one does not begin to by a default.
  options.recycle_log_file_num = 0;
  // A failed sync is final (D31). A full disk is not, and is watched by RocksDB itself.
  options.max_bgerror_resume_count = 0;

  options.write_buffer_size = memory / 4;
  options.max_write_buffer_number = 3;
  options.db_write_buffer_size = memory / 2;
  // Each write first asks what is there, and most keys are in none of these tables: the filter
  // spares the search, a tenth of what a write costs.
  options.memtable_whole_key_filtering = true;
  options.memtable_prefix_bloom_size_ratio = 0.05;
  options.table_factory = table_options(memory / 2);
  options.max_open_files = 512;
  options.max_file_opening_threads = 1;

  options.compression = ::rocksdb::kLZ4Compression;
  options.level_compaction_dynamic_level_bytes = true;
  options.target_file_size_base = std::max(memory / 4, 2 * kMiB);
  options.max_bytes_for_level_base = std::max(memory, 8 * kMiB);
  options.max_subcompactions = 1;
  options.bytes_per_sync = kMiB;
  options.avoid_unnecessary_blocking_io = true;

  options.info_log_level = ::rocksdb::WARN_LEVEL;
  options.max_log_file_size = kMiB;
  options.keep_log_file_num = 2;
  options.max_manifest_file_size = 16 * kMiB;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  return options;
}

std::string prefix_of(std::uint32_t partition) {
  return {static_cast<char>(partition >> 8), static_cast<char>(partition & 0xFF)};
}

// Where there is no CURRENT, RocksDB begins a new database and removes what else stands there. It
// made that file before it wrote anything, so that it is missing only where it was lost (D24).
Result<void> check_current(const std::string& directory) {
  std::error_code failed;
  if (std::filesystem::exists(directory + "/CURRENT", failed)) return {};
  for (auto at = std::filesystem::directory_iterator(directory, failed);
       !failed && at != std::filesystem::directory_iterator(); at.increment(failed)) {
    const std::string name = at->path().filename().string();
    if (!name.ends_with(".sst") && log_number_of(name) == 0) continue;
    return std::unexpected(Error{
        .code = ErrorCode::kCorrupt,
        .detail = directory + " holds data (" + name +
                  "), and the file CURRENT, which says where it begins, is missing: nothing was "
                  "changed. Restore the directory, or remove it and let this node be replaced."});
  }
  return {};
}

Error cannot_open(const std::string& directory, const ::rocksdb::Status& status) {
  Error error = to_error(status);
  const std::string text = status.ToString();
  if (text.find("lock") != std::string::npos && status.IsIOError()) {
    error.code = ErrorCode::kConflict;
    error.detail = directory + " is in use by another process. Stop it, or use another directory.";
  } else if (status.IsCorruption() || status.IsInvalidArgument()) {
    error.code = ErrorCode::kCorrupt;
    error.detail = directory + " cannot be recovered (" + text +
                   "). Restore it, or remove it and let this node be replaced.";
  } else if (error.code == ErrorCode::kDiskFull) {
    error.detail = "No space left for " + directory +
                   ". Free some (docs/ops/disk-full.md says how) and start again.";
  } else {
    error.detail = directory + " cannot be opened (" + text +
                   "). Check the disk and the permissions and start again.";
  }
  return error;
}

}  // namespace

void set_key(PartitionId partition, std::string_view key, std::string& out) {
  STATOR_ASSERT(partition.value <= 0xFFFF);
  out.resize(2);
  out[0] = static_cast<char>(partition.value >> 8);
  out[1] = static_cast<char>(partition.value & 0xFF);
  out.append(key);
}

void set_key_after(PartitionId partition, std::string& out) {
  STATOR_ASSERT(partition.value <= 0xFFFF);
  // Behind the last partition: longer than any key, and above all of them.
  out = partition.value == 0xFFFF ? std::string(1 << 16, '\xFF') : prefix_of(partition.value + 1);
}

Error to_error(const ::rocksdb::Status& status) {
  const ErrorCode code = status.IsNoSpace()      ? ErrorCode::kDiskFull
                         : status.IsCorruption() ? ErrorCode::kUnreadable
                                                 : ErrorCode::kIo;
  return {.code = code, .detail = status.ToString()};
}

struct RocksStore::Parts {
  std::shared_ptr<SyncedLogs> synced;
  std::shared_ptr<OpenLogs> open = std::make_shared<OpenLogs>();
  std::unique_ptr<::rocksdb::Env> env;
};

RocksStore::RocksStore() = default;
RocksStore::~RocksStore() = default;

Result<std::shared_ptr<RocksStore>> RocksStore::open(const EngineOptions& options,
                                                     std::shared_ptr<FileEvents> events) {
  std::shared_ptr<RocksStore> store(new RocksStore);
  store->events_ = std::move(events);
  store->parts_ = std::make_unique<Parts>();
  if (auto there = check_current(options.directory); !there) {
    return std::unexpected(std::move(there.error()));
  }
  // Before RocksDB sees the logs: it would put into tables what it can read of them, and delete
  // them.
  auto synced = SyncedLogs::open(options.directory);
  if (!synced) return std::unexpected(std::move(synced.error()));
  store->parts_->synced = std::move(*synced);
  store->parts_->env = ::rocksdb::NewCompositeEnv(
      watched_files(store->events_, store->parts_->synced, store->parts_->open));
  ::rocksdb::Env* env = store->parts_->env.get();
  env->SetBackgroundThreads(1, ::rocksdb::Env::HIGH);  // flushes
  env->SetBackgroundThreads(1, ::rocksdb::Env::LOW);   // compactions
  ::rocksdb::DB* db = nullptr;
  const ::rocksdb::Status opened =
      ::rocksdb::DB::Open(make_options(options.memory_bytes_max, env), options.directory, &db);
  if (!opened.ok()) return std::unexpected(cannot_open(options.directory, opened));
  store->db_.reset(db);
  return store;
}

Result<void> RocksStore::outcome(const ::rocksdb::Status& status) {
  if (status.ok()) return {};
  if (events_->log_sync_failed.load()) return std::unexpected(refusal());
  Error error = to_error(status);
  if (error.code == ErrorCode::kUnreadable) error.code = ErrorCode::kCorrupt;
  return std::unexpected(std::move(error));
}

Error RocksStore::refusal() const {
  return {.code = ErrorCode::kIo,
          .detail =
              "The log could not be made durable: nothing is written until a restart. Check the "
              "disk; if it is sound, restart the node."};
}

// RocksDB must not be asked to write or sync a log to which something could not be appended: it
// asserts that nobody does, and yet lets writes come as soon as there is space. It begins another
// log when it has flushed what it holds; if that is nothing, then with the next start.
bool RocksStore::log_is_broken() const {
  return events_->broken_logs.load() > 0;
}

Error RocksStore::broken_log() const {
  return {.code = events_->log_append_full.load() ? ErrorCode::kDiskFull : ErrorCode::kIo,
          .detail = "The log could not be written to its end, and no other one is begun yet."};
}

Result<void> RocksStore::write(::rocksdb::WriteBatch& batch, bool sync) {
  if (events_->log_sync_failed.load()) return std::unexpected(refusal());
  if (log_is_broken()) return std::unexpected(broken_log());
  ::rocksdb::WriteOptions options;
  options.sync = sync;
  if (sync) syncs_under_way_.fetch_add(1);
  const ::rocksdb::Status status = write_with_others(*db_, options, batch);
  if (sync) syncs_under_way_.fetch_sub(1);
  if (sync && status.ok()) parts_->synced->save();
  return outcome(status);
}

// A sync that began after a call is good for it, whoever runs it: so nobody waits for more than
// two, however many shards ask.
Result<void> RocksStore::sync() {
  const std::uint64_t begun = syncs_begun_.load();
  events_->syncs_asked.fetch_add(1);
  const std::lock_guard one_at_a_time(syncing_);
  if (syncs_begun_.load() > begun) return last_sync_;
  syncs_begun_.fetch_add(1);
  last_sync_ = sync_logs();
  return last_sync_;
}

// A write with sync would make every other write wait until it is through.
Result<void> RocksStore::sync_logs() {
  if (events_->log_sync_failed.load()) return std::unexpected(refusal());
  if (log_is_broken()) return std::unexpected(broken_log());
  const bool synced = parts_->open->sync();
  // RocksDB may have met the failure in a sync of its own.
  if (!synced || events_->log_sync_failed.load()) return std::unexpected(refusal());
  parts_->synced->save();
  return {};
}

bool RocksStore::try_write(::rocksdb::WriteBatch& batch, Result<void>& result) {
  // RocksDB would make it wait for the sync of another shard.
  if (syncs_under_way_.load() != 0) return false;
  if (events_->log_sync_failed.load()) {
    result = std::unexpected(refusal());
    return true;
  }
  if (log_is_broken()) {
    result = std::unexpected(broken_log());
    return true;
  }
  ::rocksdb::WriteOptions options;
  options.no_slowdown = true;
  const ::rocksdb::Status status = write_with_others(*db_, options, batch);
  if (status.IsIncomplete()) return false;
  result = outcome(status);
  return true;
}

void RocksStore::suggest_compaction(PartitionId partition) {
  std::string end;
  set_key_after(partition, end);
  const std::string begin = prefix_of(partition.value);
  const ::rocksdb::Slice first(begin);
  const ::rocksdb::Slice last(end);
  // Only the space comes back earlier by it; deleted it is already.
  ::rocksdb::experimental::SuggestCompactRange(db_.get(), &first, &last).PermitUncheckedError();
}

Result<void> RocksStore::remove_user() {
  Result<void> result = sync();  // what was promised is synced, also where this fails
  if (users_.fetch_sub(1) > 1) return result;
  parts_->synced->save_durably();
  const ::rocksdb::Status closed = db_->Close();
  db_.reset();
  if (!result) return result;
  return outcome(closed);
}

}  // namespace stator::storage::rocks

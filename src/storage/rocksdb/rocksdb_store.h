#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "storage/rocksdb/rocksdb_engine.h"

namespace rocksdb {
class DB;
class Status;
class WriteBatch;
}  // namespace rocksdb

namespace stator::storage::rocks {

/// RocksDB's key of (partition, key): the partition as two bytes, big endian, so that a partition
/// is one range; then the key.
inline constexpr std::size_t kPrefixSize = 2;
void set_key(PartitionId partition, std::string_view key, std::string& out);
/// The first key behind a partition.
void set_key_after(PartitionId partition, std::string& out);

/// kDiskFull, kUnreadable (corruption), kConflict (in use) or kIo, with RocksDB's words.
[[nodiscard]] Error to_error(const ::rocksdb::Status& status);

/// The database that the shards of a node share. Every call on any thread.
class RocksStore {
 public:
  [[nodiscard]] static Result<std::shared_ptr<RocksStore>> open(const EngineOptions& options,
                                                                std::shared_ptr<FileEvents> events);
  ~RocksStore();
  RocksStore(const RocksStore&) = delete;
  RocksStore& operator=(const RocksStore&) = delete;

  [[nodiscard]] ::rocksdb::DB& db() { return *db_; }
  [[nodiscard]] FileEvents& events() { return *events_; }

  /// Blocks.
  [[nodiscard]] Result<void> write(::rocksdb::WriteBatch& batch, bool sync);
  /// Makes durable what is written; others may write meanwhile. Shared by those who ask at one
  /// time. Blocks.
  [[nodiscard]] Result<void> sync();
  /// Without sync; false when it would block (nothing is written then).
  [[nodiscard]] bool try_write(::rocksdb::WriteBatch& batch, Result<void>& result);
  /// Reclaims a deleted range some day. Does not block for long.
  void suggest_compaction(PartitionId partition);

  void add_user() { users_.fetch_add(1); }
  /// Syncs; the last one closes the database. Blocks.
  [[nodiscard]] Result<void> remove_user();

 private:
  RocksStore();
  [[nodiscard]] Result<void> sync_logs();
  [[nodiscard]] Result<void> outcome(const ::rocksdb::Status& status);
  [[nodiscard]] Error refusal() const;
  [[nodiscard]] bool log_is_broken() const;
  [[nodiscard]] Error broken_log() const;

  std::shared_ptr<FileEvents> events_;
  struct Parts;  // what the database needs and outlives it
  std::unique_ptr<Parts> parts_;
  std::unique_ptr<::rocksdb::DB> db_;
  std::atomic<int> syncs_under_way_ = 0;  // in RocksDB
  std::mutex syncing_;                    // beside it
  std::atomic<std::uint64_t> syncs_begun_ = 0;
  Result<void> last_sync_;  // how it ended; with `syncing_` held
  std::atomic<int> users_ = 0;
};

}  // namespace stator::storage::rocks

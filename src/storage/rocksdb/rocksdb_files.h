#pragma once

#include <memory>

#include "storage/rocksdb/rocksdb_engine.h"

namespace rocksdb {
class FileSystem;
}  // namespace rocksdb

namespace stator::storage::rocks {

class OpenLogs;
class SyncedLogs;

/// While one lives, reads of tables on this thread that would wait for the disk fail instead.
class NoWaiting {
 public:
  NoWaiting();
  ~NoWaiting();
  NoWaiting(const NoWaiting&) = delete;
  NoWaiting& operator=(const NoWaiting&) = delete;
  /// A read has failed for this reason.
  [[nodiscard]] bool would_have_waited() const;
};

/// The system's files, with an eye on what happens to them: notices failed syncs of the log and of
/// its name, which RocksDB does not tell from other errors, keeps in `synced` how far each log is
/// durable and in `open` which are there to be synced, and reads tables without waiting where
/// NoWaiting says so.
[[nodiscard]] std::shared_ptr<::rocksdb::FileSystem> watched_files(
    std::shared_ptr<FileEvents> events, std::shared_ptr<SyncedLogs> synced,
    std::shared_ptr<OpenLogs> open);

}  // namespace stator::storage::rocks

#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "storage/engine.h"

namespace stator::storage::rocks {

/// `rocksdb`: the embedded default (docs/format/rocksdb.md says what stands where). One RocksDB for
/// the whole node.
///
/// Writes of a shard gather while its last group is being written on a side thread; a group is one
/// RocksDB batch and at most one fsync, and groups of several shards share RocksDB's own group
/// commit. A batch without sync that finds nothing in its way is written inside the call, since its
/// cost is a copy into memory and into the page cache. A sync alone has a side thread of its own
/// and keeps nobody waiting in RocksDB's queue, and those of several shards share one; what the
/// file system lets an append wait for while the same file is synced is another matter. Reads try
/// on the loop what RocksDB has in memory, and what the system has in its page cache; only what
/// would wait for the disk goes to a side thread.
///
/// After a failed fsync of the log, or of its name, the store takes no writes any more until it is
/// opened again (D31). A full disk refuses writes with kDiskFull and heals within seconds when
/// there is space again, unless it became full at the first record of a log: then it takes a new
/// start.
[[nodiscard]] const Capabilities& capabilities();
[[nodiscard]] Result<std::unique_ptr<EngineHome>> open(const EngineOptions& options,
                                                       const env::Env& env);

/// What the files of a store have met; and, for tests, what they shall meet. Any thread.
struct FileEvents {
  std::atomic<bool> log_sync_failed = false;   // of a log, or of its name; for good
  std::atomic<int> broken_logs = 0;            // open ones to which something could not be appended
  std::atomic<bool> log_append_full = false;   // why the last of them is: for want of space
  std::atomic<std::uint64_t> syncs_asked = 0;  // by shards, which share them
  std::atomic<std::uint64_t> log_syncs_begun = 0;
  std::atomic<std::uint64_t> log_syncs = 0;  // that worked
  std::atomic<std::uint64_t> reads_handed_over = 0;

  std::atomic<bool> fail_log_syncs = false;     // the next syncs of the log fail with EIO
  std::atomic<bool> fail_folder_syncs = false;  // the name of the next log cannot be made durable
  // So many may begin; the others wait until it is more, and notified.
  std::atomic<std::uint64_t> log_syncs_allowed = UINT64_MAX;
  std::atomic<bool> no_space = false;       // nothing can be appended
  std::atomic<bool> no_page_cache = false;  // every read of a table waits for the disk
};
[[nodiscard]] Result<std::unique_ptr<EngineHome>> open_with_events(
    const EngineOptions& options, std::shared_ptr<FileEvents> events);

}  // namespace stator::storage::rocks

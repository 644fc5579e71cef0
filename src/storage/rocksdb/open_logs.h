#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>

namespace stator::storage::rocks {

/// The logs that RocksDB has open, so that they can be synced without it. Its own call must not
/// come to a log to which something could not be appended: where it never synced that log before,
/// it asserts that there is none, and else it takes a full disk for one that failed. That cannot be
/// made sure of before the call: a disk becomes full at any moment, on the thread of another shard,
/// while the call waits for a sync under way. Here such a log is a file like any other, and what
/// completed before stands in it.
///
/// RocksDB, which is not told, goes on as where nobody ever syncs: it keeps a log open until what
/// that holds is in tables, durably. So what was completed is in an open log, or needs none. Any
/// thread.
class OpenLogs {
 public:
  class Log {
   public:
    /// Makes durable what is appended; true when it is. Blocks.
    [[nodiscard]] virtual bool sync_appended() = 0;

   protected:
    ~Log() = default;
  };

  /// `number` as in its name: a younger log has a higher one.
  void add(std::uint64_t number, Log& log);
  /// From then on it is not touched any more: waits for its sync, if one is under way. Nothing for
  /// one that is not there.
  void remove(std::uint64_t number);
  /// Syncs those that are open now, the oldest first, since a log is read up to its first gap and
  /// none behind it. False when one could not be synced: the younger ones were not, then. By one
  /// caller at a time. Blocks.
  [[nodiscard]] bool sync();

 private:
  std::mutex mutex_;
  std::condition_variable synced_;
  std::map<std::uint64_t, Log*> logs_;
  std::uint64_t syncing_ = 0;  // the log whose sync is under way
};

}  // namespace stator::storage::rocks

#include "storage/rocksdb/open_logs.h"

#include "base/assert.h"

namespace stator::storage::rocks {

void OpenLogs::add(std::uint64_t number, Log& log) {
  STATOR_ASSERT(number > 0);
  const std::lock_guard lock(mutex_);
  const bool is_new = logs_.emplace(number, &log).second;
  STATOR_ASSERT(is_new);
}

void OpenLogs::remove(std::uint64_t number) {
  std::unique_lock lock(mutex_);
  synced_.wait(lock, [this, number] { return syncing_ != number; });
  logs_.erase(number);
}

bool OpenLogs::sync() {
  std::unique_lock lock(mutex_);
  STATOR_ASSERT(syncing_ == 0);
  if (logs_.empty()) return true;
  const std::uint64_t youngest = logs_.rbegin()->first;
  bool works = true;
  for (auto at = logs_.begin(); works && at != logs_.end() && at->first <= youngest;
       at = logs_.upper_bound(syncing_)) {
    syncing_ = at->first;
    Log& log = *at->second;
    // Others may come and go meanwhile.
    lock.unlock();
    works = log.sync_appended();
    lock.lock();
    synced_.notify_all();
  }
  syncing_ = 0;
  return works;
}

}  // namespace stator::storage::rocks

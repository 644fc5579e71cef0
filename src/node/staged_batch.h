#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/callback.h"
#include "base/error.h"
#include "base/ids.h"
#include "storage/write_batch.h"

namespace stator::node {

using StoreDone = Callback<void(const Result<void>&)>;

/// The writes of one loop turn (or of the turns that passed while an earlier batch was under way),
/// with an index, so that reads see them before the engine does. Keeps its memory from use to use;
/// belongs to one RecordStore.
class StagedBatch {
 public:
  /// Append the record to what begin_put() returns, then end_put(); nothing else in between.
  std::string& begin_put(PartitionId partition, std::string_view key, std::uint64_t hash);
  void end_put(bool sync, StoreDone done);
  void erase(PartitionId partition, std::string_view key, std::uint64_t hash, StoreDone done);
  /// The newest record staged for the key; empty: it is erased.
  [[nodiscard]] std::optional<std::string_view> find(PartitionId partition, std::string_view key,
                                                     std::uint64_t hash) const;
  /// Also called when the batch completes.
  void add_waiter(StoreDone done) { waiters_.push_back(std::move(done)); }
  /// Waits for a sync behind the batch.
  void add_sync_waiter(StoreDone done) { sync_waiters_.push_back(std::move(done)); }
  [[nodiscard]] bool has_sync_waiters() const { return !sync_waiters_.empty(); }
  /// Appends them to `into`: who is taken is not called by complete().
  void take_sync_waiters(std::vector<StoreDone>& into);
  /// Calls all waiters, in order of their arrival, and those for a sync after them, and empties the
  /// batch.
  void complete(const Result<void>& result);

  [[nodiscard]] bool empty() const { return batch_.empty(); }
  [[nodiscard]] bool sync() const { return sync_; }
  [[nodiscard]] const storage::WriteBatch& writes() const { return batch_; }
  /// Of the keys, with repeats, as they were given.
  [[nodiscard]] std::span<const std::uint64_t> hashes() const { return hashes_; }

 private:
  [[nodiscard]] std::size_t slot_of(PartitionId partition, std::string_view key,
                                    std::uint64_t hash) const;
  void grow();

  storage::WriteBatch batch_;
  std::vector<std::uint64_t> hashes_;  // per entry of the batch
  std::vector<std::uint32_t>
      slots_;  // open addressing: entry + 1, the newest of its key; 0 is free
  std::vector<StoreDone> waiters_;
  std::vector<StoreDone> sync_waiters_;
  std::vector<StoreDone> completing_;
  std::size_t slot_ = 0;    // of the put that has begun
  std::uint64_t hash_ = 0;  // of the put that has begun
  bool sync_ = false;
};

}  // namespace stator::node

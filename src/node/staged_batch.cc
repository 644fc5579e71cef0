#include "node/staged_batch.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace stator::node {
namespace {

constexpr std::size_t kSlotsMin = 64;
// A batch that once held a flood gives its memory back.
constexpr std::size_t kKeptBytesMax = 4 << 20;

}  // namespace

std::size_t StagedBatch::slot_of(PartitionId partition, std::string_view key,
                                 std::uint64_t hash) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = hash & mask;
  while (slots_[slot] != 0) {
    const std::size_t entry = slots_[slot] - 1;
    const auto& written = batch_.entries()[entry];
    if (hashes_[entry] == hash && written.partition == partition && batch_.key(written) == key)
      break;
    slot = (slot + 1) & mask;
  }
  return slot;
}

void StagedBatch::grow() {
  const std::size_t size = slots_.empty() ? kSlotsMin : slots_.size() * 2;
  slots_.assign(size, 0);
  for (std::size_t entry = 0; entry < hashes_.size(); ++entry) {
    const auto& written = batch_.entries()[entry];
    slots_[slot_of(written.partition, batch_.key(written), hashes_[entry])] =
        static_cast<std::uint32_t>(entry + 1);
  }
}

std::string& StagedBatch::begin_put(PartitionId partition, std::string_view key,
                                    std::uint64_t hash) {
  if ((hashes_.size() + 1) * 2 > slots_.size()) grow();
  slot_ = slot_of(partition, key, hash);
  hash_ = hash;
  return batch_.begin_put(partition, key);
}

void StagedBatch::end_put(bool sync, StoreDone done) {
  batch_.end_put();
  hashes_.push_back(hash_);
  slots_[slot_] = static_cast<std::uint32_t>(hashes_.size());
  sync_ = sync_ || sync;
  waiters_.push_back(std::move(done));
}

void StagedBatch::erase(PartitionId partition, std::string_view key, std::uint64_t hash,
                        StoreDone done) {
  if ((hashes_.size() + 1) * 2 > slots_.size()) grow();
  const std::size_t slot = slot_of(partition, key, hash);
  batch_.erase(partition, key);
  hashes_.push_back(hash);
  slots_[slot] = static_cast<std::uint32_t>(hashes_.size());
  waiters_.push_back(std::move(done));
}

std::optional<std::string_view> StagedBatch::find(PartitionId partition, std::string_view key,
                                                  std::uint64_t hash) const {
  if (hashes_.empty()) return std::nullopt;
  const std::size_t slot = slot_of(partition, key, hash);
  if (slots_[slot] == 0) return std::nullopt;
  return batch_.value(batch_.entries()[slots_[slot] - 1]);
}

void StagedBatch::take_sync_waiters(std::vector<StoreDone>& into) {
  for (StoreDone& done : sync_waiters_) into.push_back(std::move(done));
  sync_waiters_.clear();
}

void StagedBatch::complete(const Result<void>& result) {
  completing_.swap(waiters_);
  take_sync_waiters(completing_);
  if (batch_.bytes() > kKeptBytesMax) {
    batch_ = storage::WriteBatch();
    slots_ = {};
  } else {
    batch_.clear();
    std::fill(slots_.begin(), slots_.end(), 0U);
  }
  hashes_.clear();
  sync_ = false;
  for (StoreDone& done : completing_) {
    if (done) done(result);
  }
  completing_.clear();
}

}  // namespace stator::node

#include "node/disk_keeper.h"

#include <algorithm>
#include <utility>

namespace stator::node {
namespace {

constexpr std::uint64_t kStep = 1 << 20;

}  // namespace

DiskKeeper::DiskKeeper(env::Disk& disk, const DiskOptions& options, std::string directory)
    : disk_(disk), options_(options), directory_(std::move(directory)), watch_(options.marks) {}

void DiskKeeper::measure() {
  free_.reset();
  const auto free = disk_.free_bytes(directory_);
  if (!free) return;  // then only the engine can tell
  const std::uint64_t missing = options_.reserve_bytes - std::min(held_, options_.reserve_bytes);
  free_ = *free - std::min(*free, missing);
  watch_.on_free(*free_);
}

void DiskKeeper::prepare() {
  if (const auto there = disk_.exists(path()); !there || !*there) return;
  if (options_.reserve_bytes == 0) {
    static_cast<void>(disk_.remove(path()));  // of a start with another setting
    return;
  }
  auto file = disk_.open(path(), env::Disk::Open::kExisting);
  if (!file) return;
  held_ = (*file)->size().value_or(0);
  reserve_ = std::move(*file);
  measure();
  if (state() >= DiskState::kReadOnly) release_reserve();
}

void DiskKeeper::look(std::optional<ErrorCode> failure) {
  watch_.on_engine(failure);
  if (!options_.marks.any() && options_.reserve_bytes == 0) return;
  measure();
  const bool full = state() == DiskState::kReadOnly || state() == DiskState::kFull;
  if (full) release_reserve();
  if (state() == DiskState::kRoomy && held_ < options_.reserve_bytes) grow_reserve();
}

void DiskKeeper::release_reserve() {
  if (reserve_ == nullptr) return;
  reserve_.reset();
  // A failure leaves it where it is; the next look tries again.
  if (disk_.remove(path())) {
    held_ = 0;
  } else if (auto again = disk_.open(path(), env::Disk::Open::kExisting)) {
    reserve_ = std::move(*again);
  }
}

// A step at a time: a loop must not stand still, and nobody is in a hurry. Nothing reads it, so it
// needs no sync.
void DiskKeeper::grow_reserve() {
  if (reserve_ == nullptr) {
    auto file = disk_.open(path(), env::Disk::Open::kCreate);
    if (!file) return;
    reserve_ = std::move(*file);
  }
  const std::string zeros(std::min(kStep, options_.reserve_bytes - held_), '\0');
  if (reserve_->write_at(held_, zeros)) held_ += zeros.size();
}

}  // namespace stator::node

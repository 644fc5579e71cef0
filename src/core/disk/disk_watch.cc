#include "core/disk/disk_watch.h"

namespace stator {

std::string_view to_string(DiskState state) {
  switch (state) {
    case DiskState::kRoomy: return "roomy";
    case DiskState::kLow: return "low";
    case DiskState::kRefusing: return "refusing";
    case DiskState::kReadOnly: return "read_only";
    case DiskState::kFull: return "full";
    case DiskState::kFailed: return "failed";
  }
  return "unknown";
}

// Whoever is in the state, or in a worse one, leaves it with something to spare.
bool DiskWatch::below(std::uint64_t bytes, std::uint64_t mark, DiskState state) const {
  const std::uint64_t spare = by_space_ >= state ? mark / 8 : 0;
  return bytes < mark || bytes - mark < spare;
}

void DiskWatch::on_free(std::uint64_t bytes) {
  DiskState now = DiskState::kRoomy;
  if (below(bytes, marks_.low, DiskState::kLow)) now = DiskState::kLow;
  if (below(bytes, marks_.refuse, DiskState::kRefusing)) now = DiskState::kRefusing;
  if (below(bytes, marks_.read_only, DiskState::kReadOnly)) now = DiskState::kReadOnly;
  by_space_ = now;
}

DiskState DiskWatch::state() const {
  if (!failure_) return by_space_;
  return *failure_ == ErrorCode::kDiskFull ? DiskState::kFull : DiskState::kFailed;
}

}  // namespace stator

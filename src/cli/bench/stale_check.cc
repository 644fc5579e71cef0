#include "cli/bench/stale_check.h"

#include <algorithm>

namespace stator::bench {

StaleCheck::Write StaleCheck::begin_write(std::uint64_t key) {
  Key& state = keys_[key];
  const std::uint64_t number = ++last_;
  state.open.push_back(number);
  return {number, *std::min_element(state.open.begin(), state.open.end())};
}

void StaleCheck::end_write(std::uint64_t key, Write write, WriteEnd end) {
  Key& state = keys_[key];
  const auto* const found = std::find(state.open.begin(), state.open.end(), write.number);
  if (found != state.open.end()) {
    state.open.erase(static_cast<std::size_t>(found - state.open.begin()));
  }
  if (end == WriteEnd::kAcknowledged) state.floor = std::max(state.floor, write.floor);
  if (end != WriteEnd::kUnknown) return;
  if (unknown_.size() < kUnknownMax) {
    unknown_.insert(write.number);
  } else {
    too_many_unknown_ = true;
  }
}

Verdict StaleCheck::judge(std::uint64_t floor, std::optional<std::uint64_t> found) const {
  if (floor == 0) return Verdict::kFresh;  // nothing was acknowledged when the read began
  if (!found) return Verdict::kLost;
  if (*found >= floor || unknown_.contains(*found)) return Verdict::kFresh;
  return too_many_unknown_ ? Verdict::kUndecided : Verdict::kStale;
}

}  // namespace stator::bench

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <set>

#include "base/ids.h"

namespace stator::node {

/// Which writes were forwarded to this process lately (design 4.2 "owners keep recent ids in
/// memory"). Bounded: when the oldest are forgotten, ids made no later than they are not taken any
/// more, since they might be repeats. One per shard.
class RecentIds {
 public:
  static constexpr std::size_t kIdsMax = 65'536;
  explicit RecentIds(std::size_t ids_max = kIdsMax) : ids_max_(ids_max) {}

  /// False for a repeat, and for an id as old as one that was forgotten.
  [[nodiscard]] bool first_time(const WriteId& id) {
    if (id.time_ms() <= forgotten_until_ms_ || !ids_.insert(id).second) return false;
    order_.push_back(id);
    if (order_.size() > ids_max_) {
      forgotten_until_ms_ = std::max(forgotten_until_ms_, order_.front().time_ms());
      ids_.erase(order_.front());
      order_.pop_front();
    }
    return true;
  }

 private:
  std::size_t ids_max_;
  std::set<WriteId> ids_;
  std::deque<WriteId> order_;
  std::uint64_t forgotten_until_ms_ = 0;
};

}  // namespace stator::node

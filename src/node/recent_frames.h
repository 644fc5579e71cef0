#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <unordered_set>

#include "base/hash.h"
#include "wire/frame.h"

namespace stator::node {

/// Which request frames came lately, so that one that the network brings twice is served once. For
/// requests whose answer may say "not applied": the second copy could be applied after that was
/// said (I2). Bounded: of the oldest it is forgotten that they came. One per shard.
class RecentFrames {
 public:
  static constexpr std::size_t kFramesMax = 65'536;

  [[nodiscard]] bool first_time(const wire::FrameHeader& header) {
    // A process gives each request an id of its own.
    const std::uint64_t key = mix64(header.incarnation.value ^ mix64(header.request_id));
    if (!keys_.insert(key).second) return false;
    order_.push_back(key);
    if (order_.size() > kFramesMax) {
      keys_.erase(order_.front());
      order_.pop_front();
    }
    return true;
  }

 private:
  std::unordered_set<std::uint64_t> keys_;
  std::deque<std::uint64_t> order_;
};

}  // namespace stator::node

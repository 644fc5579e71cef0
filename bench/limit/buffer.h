#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>

#include "base/assert.h"

namespace stator::limit {

/// Bytes that come in at the end and go out at the front. Keeps its memory, so that a connection
/// reaches a steady state without allocations. Views into it die with the next append, write_area
/// or consume. Not thread-safe.
class Buffer {
 public:
  [[nodiscard]] std::string_view view() const { return {bytes_.get() + begin_, end_ - begin_}; }
  [[nodiscard]] bool empty() const { return begin_ == end_; }
  [[nodiscard]] std::size_t size() const { return end_ - begin_; }

  void append(std::string_view bytes) {
    if (bytes.empty()) return;
    std::memcpy(write_area(bytes.size()), bytes.data(), bytes.size());
    end_ += bytes.size();
  }
  /// At least `wanted` free bytes behind the contents; `wrote` tells how many were filled.
  char* write_area(std::size_t wanted) {
    if (capacity_ - end_ < wanted) make_room(wanted);
    return bytes_.get() + end_;
  }
  [[nodiscard]] std::size_t free_behind() const { return capacity_ - end_; }
  void wrote(std::size_t count) {
    STATOR_ASSERT(count <= capacity_ - end_);
    end_ += count;
  }
  void consume(std::size_t count) {
    STATOR_ASSERT(count <= size());
    begin_ += count;
    if (begin_ == end_) clear();
  }
  void clear() { begin_ = end_ = 0; }

 private:
  void make_room(std::size_t wanted) {
    const std::size_t held = size();
    if (capacity_ - held >= wanted && begin_ >= held) {  // sliding is cheap: no overlap, no growth
      if (held > 0) std::memcpy(bytes_.get(), bytes_.get() + begin_, held);
    } else {
      const std::size_t grown = std::max(held + wanted, capacity_ * 2);
      std::unique_ptr<char[]> bigger(new char[grown]);  // not zeroed: a page untouched is free
      if (held > 0) std::memcpy(bigger.get(), bytes_.get() + begin_, held);
      bytes_ = std::move(bigger);
      capacity_ = grown;
    }
    begin_ = 0;
    end_ = held;
  }

  std::unique_ptr<char[]> bytes_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace stator::limit

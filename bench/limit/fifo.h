#pragma once

#include <cstddef>
#include <vector>

#include "base/assert.h"

namespace stator::limit {

/// A queue in one piece of memory that it keeps: no allocation in steady state, unlike std::deque.
template <typename T>
class Fifo {
 public:
  [[nodiscard]] bool empty() const { return head_ == items_.size(); }
  [[nodiscard]] const T& front() const {
    STATOR_ASSERT(!empty());
    return items_[head_];
  }
  void push(const T& item) { items_.push_back(item); }
  void pop() {
    STATOR_ASSERT(!empty());
    ++head_;
    if (head_ == items_.size()) {
      clear();
    } else if (head_ >= kCompactAt && head_ * 2 >= items_.size()) {
      items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(head_));
      head_ = 0;
    }
  }
  void clear() {
    items_.clear();
    head_ = 0;
  }

 private:
  static constexpr std::size_t kCompactAt = 256;

  std::vector<T> items_;
  std::size_t head_ = 0;
};

}  // namespace stator::limit

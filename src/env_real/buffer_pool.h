#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace stator::env {

/// Buffers that wait between connections of one loop, so that an idle connection holds none and a
/// busy loop uses few, warm ones. Not thread-safe.
class BufferPool {
 public:
  /// Gives an empty `buffer` some capacity, if there is any.
  void equip(std::string& buffer) {
    if (free_.empty() || buffer.capacity() > kInside) return;
    buffer.swap(free_.back());
    free_.pop_back();
  }
  /// Empties `buffer` and takes its memory back. Above kKeptMax it goes to the heap instead.
  void recover(std::string& buffer) {
    buffer.clear();
    if (buffer.capacity() <= kInside) return;
    if (buffer.capacity() > kKeptMax || free_.size() == kCountMax) {
      std::string().swap(buffer);
      return;
    }
    free_.emplace_back().swap(buffer);
  }

  static constexpr std::size_t kKeptMax = 64 * 1024;

 private:
  static constexpr std::size_t kCountMax = 64;
  static constexpr std::size_t kInside = 15;  // what a string holds without memory of its own

  std::vector<std::string> free_;
};

}  // namespace stator::env

#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

namespace stator::env {

/// Buffers that wait between connections of one loop, so that an idle connection holds none and a
/// busy loop uses few, warm ones. A few are large, for connections that send much in a turn: links
/// under load. Holds at most 12 MiB. Not thread-safe.
class BufferPool {
 public:
  /// Gives an empty `buffer` capacity for `expected` bytes at least, of those that wait if there
  /// are any: a large one where twice as many might not fit into the others.
  void equip(std::string& buffer, std::size_t expected) {
    if (buffer.capacity() > kInside) return;
    const bool large = expected > kKeptMax / 2;
    std::vector<std::string>& from = large ? large_ : free_;
    if (!from.empty()) {
      buffer.swap(from.back());
      from.pop_back();
    }
    if (large) buffer.reserve(std::max(expected, kKeptMax + 1));
  }
  /// Empties `buffer` and takes its memory back. Above kLargeMax it goes to the heap instead.
  void recover(std::string& buffer) {
    buffer.clear();
    if (buffer.capacity() <= kInside) return;
    const bool large = buffer.capacity() > kKeptMax;
    std::vector<std::string>& to = large ? large_ : free_;
    if (buffer.capacity() > kLargeMax || to.size() == (large ? kLargeCountMax : kCountMax)) {
      std::string().swap(buffer);
      return;
    }
    to.emplace_back().swap(buffer);
  }

  static constexpr std::size_t kKeptMax = 64 * 1024;

 private:
  static constexpr std::size_t kLargeMax = 1024 * 1024;
  static constexpr std::size_t kCountMax = 64;
  static constexpr std::size_t kLargeCountMax = 8;
  static constexpr std::size_t kInside = 15;  // what a string holds without memory of its own

  std::vector<std::string> free_;
  std::vector<std::string> large_;
};

}  // namespace stator::env

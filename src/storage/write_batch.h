#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"

namespace stator::storage {

/// The writes of one loop turn, in order, in one buffer that keeps its memory from turn to turn.
class WriteBatch {
 public:
  struct Entry {
    PartitionId partition;
    bool erase;
    std::uint32_t key_size;
    std::uint32_t value_size;
    std::size_t offset;  // of the key in the buffer; the value follows it
  };

  void put(PartitionId partition, std::string_view key, std::string_view value) {
    entries_.push_back({partition, false, static_cast<std::uint32_t>(key.size()),
                        static_cast<std::uint32_t>(value.size()), buffer_.size()});
    buffer_.append(key).append(value);
  }
  /// The same in two steps, so that a value is made in place: append it to what begin_put()
  /// returns, then end_put(). Nothing else may be called in between.
  std::string& begin_put(PartitionId partition, std::string_view key) {
    put(partition, key, {});
    return buffer_;
  }
  void end_put() {
    Entry& entry = entries_.back();
    entry.value_size = static_cast<std::uint32_t>(buffer_.size() - entry.offset - entry.key_size);
  }
  void erase(PartitionId partition, std::string_view key) {
    entries_.push_back(
        {partition, true, static_cast<std::uint32_t>(key.size()), 0, buffer_.size()});
    buffer_.append(key);
  }
  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
  [[nodiscard]] std::string_view key(const Entry& e) const { return view(e.offset, e.key_size); }
  [[nodiscard]] std::string_view value(const Entry& e) const {
    return view(e.offset + e.key_size, e.value_size);
  }
  [[nodiscard]] bool empty() const { return entries_.empty(); }
  [[nodiscard]] std::size_t bytes() const { return buffer_.size(); }
  void clear() {
    entries_.clear();
    buffer_.clear();
  }

 private:
  [[nodiscard]] std::string_view view(std::size_t offset, std::size_t size) const {
    return std::string_view(buffer_).substr(offset, size);
  }
  std::vector<Entry> entries_;
  std::string buffer_;
};

}  // namespace stator::storage

#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace stator::limit {

/// One key's newest value. Never moves and is never removed, so that operations may hold on to it.
struct Record {
  std::uint64_t version = 0;  // 0: a key that was asked for and not written yet
  std::string key;
  std::string value;
};

/// The map of one node, in memory: open addressing over records that stay where they are.
/// Overwriting a value of the same size allocates nothing. Not thread-safe.
class Store {
 public:
  Store();

  /// The record of `key`, made with version 0 where there is none.
  [[nodiscard]] Record& at(std::string_view key);
  /// Takes the value if `version` is newer than what is there (last writer wins).
  static void merge(Record& record, std::uint64_t version, std::string_view value);
  [[nodiscard]] std::size_t size() const { return records_.size(); }

 private:
  struct Entry {
    std::uint64_t hash = 0;
    Record* record = nullptr;
  };

  void grow();

  std::vector<Entry> table_;  // a power of two, at most half full
  std::deque<Record> records_;
};

/// The next version for a key whose newest known version is `previous`: a counter with the minting
/// node's number in the low two bits, so that two nodes never mint the same one.
[[nodiscard]] constexpr std::uint64_t next_version(std::uint64_t previous, std::uint32_t node) {
  return (((previous >> 2) + 1) << 2) | node;
}

}  // namespace stator::limit

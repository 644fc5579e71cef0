#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "storage/engine.h"
#include "storage/memory/arena.h"

namespace stator::storage::memory {

/// The keys and values of one partition, in one array of (hash, entry) that is sorted by hash.
///
/// A key's home is given by the top bits of its hash, and a new one is inserted so that the array
/// stays sorted (linear probing in the order of the hashes, without wrapping around). So a lookup
/// is one probe as in any open addressing, and a scan walks the array in an order (hash, then key)
/// that no insertion, erasure or growth changes: the cursor is simply the last key, and an ordered
/// structure beside the table is not needed. The hash is seeded, since clients choose the keys.
///
/// An entry is one block of the arena with key and value; overwriting with something that fits
/// allocates nothing. A block is given back early only when a much smaller value (a tombstone)
/// leaves more than 3/4 of 4 KiB or more unused. Not thread-safe.
///
/// A node has a table per partition, and asks another one with each request: so that to begin with
/// one costs one cache miss, all that a table is in itself lies in one line.
class alignas(64) HashTable {
 public:
  /// `arena` outlives the table.
  HashTable(std::uint64_t seed, Arena& arena) : arena_(arena), seed_(seed) {}
  ~HashTable();
  HashTable(const HashTable&) = delete;
  HashTable& operator=(const HashTable&) = delete;

  /// A view that is valid until the next change.
  [[nodiscard]] std::optional<std::string_view> find(std::string_view key) const;
  void put(std::string_view key, std::string_view value) { put(hash_of(key), key, value); }
  void erase(std::string_view key);

  /// A put in steps, so that whoever has many lets their cache misses overlap: each step asks for
  /// the memory that the next one reads.
  [[nodiscard]] std::uint64_t hash_of(std::string_view key) const;
  void prefetch_slot(std::uint64_t hash) const;
  void prefetch_entry(std::uint64_t hash) const;
  /// For a find: all of an entry that is as long as those of this table are in the mean, 2 KiB at
  /// most.
  void prefetch_whole(std::uint64_t hash) const;
  void put(std::uint64_t hash, std::string_view key, std::string_view value);

  /// As Engine::scan. The key to continue after is a view that is valid until the next change.
  std::string_view scan(std::string_view after, ScanBudget budget, ScanVisitor& visitor) const;

  [[nodiscard]] std::uint64_t size() const { return size_; }
  /// Of keys and values.
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  struct Entry;
  struct Slot {
    std::uint64_t hash;
    Entry* entry;  // nullptr: free
  };

  [[nodiscard]] std::size_t home_of(std::uint64_t hash) const { return hash >> shift_; }
  /// Of the first slot that is free or not before (hash, key) in the table's order.
  [[nodiscard]] std::size_t lower_bound(std::uint64_t hash, std::string_view key) const;
  /// The first slot that is free or not before `hash`; nullptr: the table is empty.
  [[nodiscard]] const Slot* near(std::uint64_t hash) const;
  [[nodiscard]] bool holds(std::size_t slot, std::uint64_t hash, std::string_view key) const;
  void insert(std::uint64_t hash, Entry* entry);
  void grow();
  [[nodiscard]] Slot* make_slots(std::size_t count);
  void free_slots(Slot* slots, std::size_t count);
  [[nodiscard]] Entry* make_entry(std::string_view key, std::string_view value);
  void free_entry(Entry* entry);

  Arena& arena_;
  Slot* slots_ = nullptr;
  std::size_t homes_ = 0;  // a power of two, or 0 before the first put
  std::size_t slot_count_ =
      0;  // homes, room for what runs over behind the last one, one always free
  unsigned shift_ = 63;
  std::uint64_t seed_;
  std::uint64_t size_ = 0;
  std::uint64_t bytes_ = 0;
};
static_assert(sizeof(HashTable) == 64);

}  // namespace stator::storage::memory

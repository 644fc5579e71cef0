#include "storage/memory/hash_table.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <memory>
#include <new>

#include "base/assert.h"
#include "base/hash.h"

namespace stator::storage::memory {
namespace {

constexpr std::size_t kHomesMin = 8;
constexpr std::size_t kShrinkFrom = 4096;

constexpr std::size_t kLine = 64;
// The processor sees by itself where a copy goes on, but not where it begins.
constexpr std::size_t kHeadLines = 4;
// Together with what is worked on, well within the first cache.
constexpr std::size_t kWholeLinesMax = 32;

void prefetch(const void* begin, std::size_t lines) {
  const auto* line = static_cast<const char*>(begin);
  for (; lines > 0; --lines, line += kLine) __builtin_prefetch(line, 1);
}

}  // namespace

/// Followed by the key, then by room for `capacity` bytes of value.
struct HashTable::Entry {
  std::uint32_t key_size;
  std::uint32_t value_size;
  std::uint32_t capacity;

  [[nodiscard]] char* key_begin() { return reinterpret_cast<char*>(this + 1); }
  [[nodiscard]] char* value_begin() { return key_begin() + key_size; }
  [[nodiscard]] std::string_view key() { return {key_begin(), key_size}; }
  [[nodiscard]] std::string_view value() { return {value_begin(), value_size}; }
  void set_value(std::string_view value) {
    value_size = static_cast<std::uint32_t>(value.size());
    if (!value.empty()) std::memcpy(value_begin(), value.data(), value.size());
  }
  [[nodiscard]] std::size_t size() const { return sizeof(Entry) + key_size + capacity; }
};

HashTable::Entry* HashTable::make_entry(std::string_view key, std::string_view value) {
  // A little more than needed: a record grows by some bytes with each writer that its clock sees.
  const std::size_t size =
      Arena::usable_size(sizeof(Entry) + key.size() + value.size() + value.size() / 32);
  auto* entry = new (arena_.allocate(size)) Entry;
  entry->key_size = static_cast<std::uint32_t>(key.size());
  entry->capacity = static_cast<std::uint32_t>(size - sizeof(Entry) - key.size());
  if (!key.empty()) std::memcpy(entry->key_begin(), key.data(), key.size());
  entry->set_value(value);
  return entry;
}

void HashTable::free_entry(Entry* entry) {
  if (entry != nullptr) arena_.free(entry, entry->size());
}

HashTable::Slot* HashTable::make_slots(std::size_t count) {
  auto* slots = static_cast<Slot*>(arena_.allocate(count * sizeof(Slot)));
  std::uninitialized_fill_n(slots, count, Slot{});
  return slots;
}

void HashTable::free_slots(Slot* slots, std::size_t count) {
  if (slots != nullptr) arena_.free(slots, count * sizeof(Slot));
}

HashTable::~HashTable() {
  for (std::size_t i = 0; i < slot_count_; ++i) free_entry(slots_[i].entry);
  free_slots(slots_, slot_count_);
}

std::uint64_t HashTable::hash_of(std::string_view key) const {
  return hash64(key, seed_);
}

std::size_t HashTable::lower_bound(std::uint64_t hash, std::string_view key) const {
  std::size_t slot = home_of(hash);
  while (slots_[slot].entry != nullptr &&
         (slots_[slot].hash < hash ||
          (slots_[slot].hash == hash && slots_[slot].entry->key() < key))) {
    ++slot;
  }
  return slot;
}

bool HashTable::holds(std::size_t slot, std::uint64_t hash, std::string_view key) const {
  const Slot& candidate = slots_[slot];
  return candidate.entry != nullptr && candidate.hash == hash && candidate.entry->key() == key;
}

std::optional<std::string_view> HashTable::find(std::string_view key) const {
  if (homes_ == 0) return std::nullopt;
  const std::uint64_t hash = hash_of(key);
  const std::size_t slot = lower_bound(hash, key);
  if (!holds(slot, hash, key)) return std::nullopt;
  return slots_[slot].entry->value();
}

void HashTable::prefetch_slot(std::uint64_t hash) const {
  if (homes_ != 0) __builtin_prefetch(&slots_[home_of(hash)]);
}

const HashTable::Slot* HashTable::near(std::uint64_t hash) const {
  if (homes_ == 0) return nullptr;
  std::size_t slot = home_of(hash);
  while (slots_[slot].entry != nullptr && slots_[slot].hash < hash) ++slot;
  return &slots_[slot];
}

void HashTable::prefetch_entry(std::uint64_t hash) const {
  const Slot* slot = near(hash);
  if (slot != nullptr && slot->entry != nullptr) prefetch(slot->entry, kHeadLines);
}

void HashTable::prefetch_whole(std::uint64_t hash) const {
  const Slot* slot = near(hash);
  const bool there = slot != nullptr && slot->entry != nullptr && slot->hash == hash;
  if (!there) return;
  // Not by what stands in the entry: that would wait for it. It begins and ends inside of lines.
  const std::size_t mean = sizeof(Entry) + bytes_ / size_;
  prefetch(slot->entry, std::min(mean / kLine + 2, kWholeLinesMax));
}

void HashTable::put(std::uint64_t hash, std::string_view key, std::string_view value) {
  const std::size_t slot = homes_ == 0 ? 0 : lower_bound(hash, key);
  if (homes_ == 0 || !holds(slot, hash, key)) {
    insert(hash, make_entry(key, value));
    ++size_;
    bytes_ += key.size() + value.size();
    return;
  }
  Entry*& entry = slots_[slot].entry;
  bytes_ += value.size();
  bytes_ -= entry->value_size;
  const bool wasteful = entry->capacity >= kShrinkFrom && value.size() < entry->capacity / 4;
  if (value.size() <= entry->capacity && !wasteful) {
    entry->set_value(value);
    return;
  }
  Entry* replacement = make_entry(key, value);
  free_entry(entry);
  entry = replacement;
}

void HashTable::insert(std::uint64_t hash, Entry* entry) {
  // At most 3/4 of the homes taken, and the last slot always free, so that every walk ends.
  while ((size_ + 1) * 4 > homes_ * 3) grow();
  std::size_t slot = lower_bound(hash, entry->key());
  std::size_t free = slot;
  while (slots_[free].entry != nullptr) ++free;
  if (free + 1 == slot_count_) {
    // The overflow behind the last home is full: only keys that crowd at the end of the hash's
    // range come here.
    grow();
    insert(hash, entry);
    return;
  }
  if (free > slot) std::memmove(&slots_[slot + 1], &slots_[slot], (free - slot) * sizeof(Slot));
  slots_[slot] = {hash, entry};
}

void HashTable::grow() {
  const std::size_t old_count = slot_count_;
  Slot* old = slots_;
  homes_ = std::max(kHomesMin, homes_ * 2);
  shift_ = 64U - static_cast<unsigned>(std::countr_zero(homes_));
  for (bool fits = false; !fits;) {
    slot_count_ = homes_ + homes_ / 8 + 8;
    slots_ = make_slots(slot_count_);
    fits = true;
    std::size_t next = 0;  // sorted in, sorted out: each goes to its home or behind its predecessor
    for (std::size_t i = 0; i < old_count && fits; ++i) {
      if (old[i].entry == nullptr) continue;
      next = std::max(next, home_of(old[i].hash));
      fits = next + 1 < slot_count_;
      if (fits) slots_[next++] = old[i];
    }
    if (!fits) {
      free_slots(slots_, slot_count_);
      homes_ *= 2;
      --shift_;
    }
  }
  free_slots(old, old_count);
}

void HashTable::erase(std::string_view key) {
  if (homes_ == 0) return;
  const std::uint64_t hash = hash_of(key);
  std::size_t slot = lower_bound(hash, key);
  if (!holds(slot, hash, key)) return;
  bytes_ -= key.size() + slots_[slot].entry->value_size;
  --size_;
  free_entry(slots_[slot].entry);
  // Those behind it that are not at home move up.
  while (slots_[slot + 1].entry != nullptr && home_of(slots_[slot + 1].hash) <= slot) {
    slots_[slot] = slots_[slot + 1];
    ++slot;
  }
  slots_[slot].entry = nullptr;
}

std::string_view HashTable::scan(std::string_view after, ScanBudget budget,
                                 ScanVisitor& visitor) const {
  if (homes_ == 0) return {};
  std::size_t slot = 0;
  if (!after.empty()) {
    const std::uint64_t hash = hash_of(after);
    slot = lower_bound(hash, after);
    if (holds(slot, hash, after)) ++slot;
  }
  std::string_view last;
  std::size_t keys = 0;
  std::size_t bytes = 0;
  for (; slot < slot_count_; ++slot) {
    Entry* entry = slots_[slot].entry;
    if (entry == nullptr) continue;
    if (keys > 0 && (keys >= budget.keys_max || bytes >= budget.bytes_max)) return last;
    last = entry->key();
    visitor.visit(last, entry->value());
    ++keys;
    bytes += last.size() + entry->value_size;
  }
  return {};
}

}  // namespace stator::storage::memory

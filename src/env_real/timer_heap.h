#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/callback.h"
#include "base/time.h"
#include "env/executor.h"

namespace stator::env {

/// The timers of one loop, as a binary heap with positions: add and cancel in O(log n), nothing is
/// allocated once the largest number of waiting timers has been seen. Not thread-safe.
class TimerHeap {
 public:
  TimerId add(MonoTime due, Callback<void()> task);
  /// No effect on a timer that ran, was cancelled or is 0.
  void cancel(TimerId timer);

  [[nodiscard]] bool empty() const { return heap_.empty(); }
  /// When the first one is due; there must be one.
  [[nodiscard]] MonoTime next_due() const { return heap_.front().due; }
  /// Runs what is due at `now` in order of due time, then of creation. A timer that was created
  /// meanwhile waits for the next call, so that a timer that sets itself again cannot hold the
  /// loop. Returns how many ran.
  std::size_t fire(MonoTime now);
  void clear();

 private:
  static constexpr std::uint32_t kNone = 0xFFFFFFFF;
  // An id is the number of its slot and how often the slot was used before: 2^24 timers at a time,
  // and 2^40 uses of each before an id would come again.
  static constexpr unsigned kSlotBits = 24;

  struct Entry {
    MonoTime due;
    std::uint64_t sequence;
    std::uint32_t slot;
  };
  struct Slot {
    Callback<void()> task;
    std::uint64_t uses = 0;
    std::uint32_t position = kNone;  // in heap_, kNone while free
  };

  static bool before(const Entry& a, const Entry& b) {
    return a.due != b.due ? a.due < b.due : a.sequence < b.sequence;
  }
  void place(std::size_t position, const Entry& entry) {
    heap_[position] = entry;
    slots_[entry.slot].position = static_cast<std::uint32_t>(position);
  }
  void rise(std::size_t position, Entry entry);
  void sink(std::size_t position, Entry entry);
  void remove_at(std::size_t position);
  [[nodiscard]] Callback<void()> release(std::uint32_t slot);

  std::vector<Entry> heap_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
  std::uint64_t next_sequence_ = 0;
};

}  // namespace stator::env

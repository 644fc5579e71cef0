#include "env_real/timer_heap.h"

#include "base/assert.h"

namespace stator::env {

TimerId TimerHeap::add(MonoTime due, Callback<void()> task) {
  if (free_.empty()) {
    STATOR_ASSERT(slots_.size() < (1U << kSlotBits));
    free_.push_back(static_cast<std::uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const std::uint32_t slot = free_.back();
  free_.pop_back();
  slots_[slot].task = std::move(task);
  heap_.emplace_back();
  rise(heap_.size() - 1, {due, next_sequence_++, slot});
  // One use more than before, so that no id is 0.
  return {(++slots_[slot].uses << kSlotBits) | slot};
}

void TimerHeap::cancel(TimerId timer) {
  const std::uint64_t slot = timer.value & ((1U << kSlotBits) - 1);
  if (slot >= slots_.size()) return;
  const Slot& found = slots_[slot];
  if (found.uses != timer.value >> kSlotBits || found.position == kNone) return;
  remove_at(found.position);
  // The task may own things whose destructors come back here; it ends after the heap is whole.
  const Callback<void()> unused = release(static_cast<std::uint32_t>(slot));
}

std::size_t TimerHeap::fire(MonoTime now) {
  const std::uint64_t created_before = next_sequence_;
  std::size_t ran = 0;
  while (!heap_.empty()) {
    const Entry first = heap_.front();
    // What is created meanwhile is due at `now` or later, so it stands behind everything else.
    if (first.due > now || first.sequence >= created_before) break;
    remove_at(0);
    Callback<void()> task = release(first.slot);
    task();
    ++ran;
  }
  return ran;
}

void TimerHeap::clear() {
  while (!heap_.empty()) {
    const std::uint32_t slot = heap_.front().slot;
    remove_at(0);
    const Callback<void()> unused = release(slot);
  }
}

void TimerHeap::rise(std::size_t position, Entry entry) {
  while (position > 0) {
    const std::size_t parent = (position - 1) / 2;
    if (!before(entry, heap_[parent])) break;
    place(position, heap_[parent]);
    position = parent;
  }
  place(position, entry);
}

void TimerHeap::sink(std::size_t position, Entry entry) {
  for (;;) {
    std::size_t child = 2 * position + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && before(heap_[child + 1], heap_[child])) ++child;
    if (!before(heap_[child], entry)) break;
    place(position, heap_[child]);
    position = child;
  }
  place(position, entry);
}

void TimerHeap::remove_at(std::size_t position) {
  const Entry last = heap_.back();
  heap_.pop_back();
  if (position == heap_.size()) return;
  if (position > 0 && before(last, heap_[(position - 1) / 2])) {
    rise(position, last);
  } else {
    sink(position, last);
  }
}

Callback<void()> TimerHeap::release(std::uint32_t slot) {
  slots_[slot].position = kNone;
  free_.push_back(slot);
  return std::move(slots_[slot].task);
}

}  // namespace stator::env

#include "cli/allocation_count.h"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STATOR_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define STATOR_SANITIZED 1
#endif
#endif

// Each thread counts in a slot of its own, with a load and a store: no locked instruction, no
// shared cache line. Threads beyond the number of slots share the last one, and add atomically. A
// slot is not given back: the threads of a node live as long as it does.

namespace stator::cli {

namespace {

constexpr unsigned kSlots = 256;

struct alignas(64) Slot {
  std::atomic<std::uint64_t> count = 0;
};
constinit std::array<Slot, kSlots> slots{};
constinit std::atomic<unsigned> slots_taken = 0;
constinit thread_local Slot* own_slot = nullptr;

// Out of line: once per thread.
[[gnu::noinline]] Slot* take_slot() {
  const unsigned number = slots_taken.fetch_add(1, std::memory_order_relaxed);
  return &slots[number < kSlots ? number : kSlots - 1];
}

[[maybe_unused]] void count_one() {
  Slot* slot = own_slot;
  if (slot == nullptr) slot = own_slot = take_slot();
  if (slot == &slots.back()) {
    slot->count.fetch_add(1, std::memory_order_relaxed);
  } else {
    slot->count.store(slot->count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
}

}  // namespace

std::uint64_t heap_allocations() {
  std::uint64_t sum = 0;
  for (const Slot& slot : slots) sum += slot.count.load(std::memory_order_relaxed);
  return sum;
}

bool counts_heap_allocations() {
#ifdef STATOR_SANITIZED
  return false;
#else
  return true;
#endif
}

}  // namespace stator::cli

#ifndef STATOR_SANITIZED

namespace {

void* allocate(std::size_t size) {
  stator::cli::count_one();
  return std::malloc(size == 0 ? 1 : size);
}
void* allocate(std::size_t size, std::align_val_t alignment) {
  stator::cli::count_one();
  void* memory = nullptr;
  return ::posix_memalign(&memory, static_cast<std::size_t>(alignment), size == 0 ? 1 : size) == 0
             ? memory
             : nullptr;
}
void* or_throw(void* memory) {
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

// The array forms and the sized forms of the library call these.
void* operator new(std::size_t size) {
  return or_throw(allocate(size));
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  return or_throw(allocate(size, alignment));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return allocate(size);
}
void* operator new(std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return allocate(size, alignment);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}

#endif

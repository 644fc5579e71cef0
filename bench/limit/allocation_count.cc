#include <atomic>
#include <cstddef>

#include "limit/counters.h"

// malloc interposed: the executable's definition wins over the C library's, counts, and passes on.
// free is left alone, since the memory is the C library's own.

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STATOR_LIMIT_COUNTS_ALLOCATIONS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define STATOR_LIMIT_COUNTS_ALLOCATIONS 0
#endif
#endif
#ifndef STATOR_LIMIT_COUNTS_ALLOCATIONS
#define STATOR_LIMIT_COUNTS_ALLOCATIONS 1
#endif

namespace {

// Constant-initialised: malloc is called before any constructor runs.
constinit std::atomic<std::uint64_t> allocations = 0;

}  // namespace

#if STATOR_LIMIT_COUNTS_ALLOCATIONS
extern "C" {

void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* old, std::size_t size);

void* malloc(std::size_t size) noexcept {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) noexcept {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_calloc(count, size);
}
void* realloc(void* old, std::size_t size) noexcept {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_realloc(old, size);
}

}  // extern "C"
#endif

namespace stator::limit {

std::uint64_t allocation_count() {
  return allocations.load(std::memory_order_relaxed);
}

}  // namespace stator::limit

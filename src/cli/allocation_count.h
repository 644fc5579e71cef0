#pragma once

#include <cstdint>

namespace stator::cli {

/// Calls of operator new in this process since its start, on all threads. The benchmark divides by
/// the number of requests.
[[nodiscard]] std::uint64_t heap_allocations();

/// False in builds with a sanitizer, which bring an operator new of their own.
[[nodiscard]] bool counts_heap_allocations();

}  // namespace stator::cli

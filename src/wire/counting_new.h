#pragma once

#include <cstddef>

namespace stator {

/// For tests: how often this program has called operator new. Linking counting_new.cc replaces it.
[[nodiscard]] std::size_t allocations();

}  // namespace stator

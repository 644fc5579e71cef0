#pragma once

#include <cstdint>
#include <string_view>

namespace stator {

/// hash64 of input that is long enough to be worth the widest vectors that the processor has. In a
/// file of its own, since the library's inlined functions and those that choose at run time cannot
/// be used in one.
[[nodiscard]] std::uint64_t hash64_long(std::string_view bytes, std::uint64_t seed);

}  // namespace stator

#pragma once

#include <cstdint>
#include <string_view>

// Hashes that are part of what is stored and sent: they never change (docs/format). XXH3 by
// libxxhash.

namespace stator {

struct Hash128 {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  bool operator==(const Hash128&) const = default;
};

[[nodiscard]] std::uint64_t hash64(std::string_view bytes, std::uint64_t seed = 0);
[[nodiscard]] Hash128 hash128(std::string_view bytes, std::uint64_t seed = 0);

/// CRC-16/XMODEM, the function of Redis Cluster's slots.
[[nodiscard]] std::uint16_t crc16(std::string_view bytes);

/// Spreads an integer over 64 bits (a bijection).
[[nodiscard]] constexpr std::uint64_t mix64(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15ULL;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31);
}

}  // namespace stator

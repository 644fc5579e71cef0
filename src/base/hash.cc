#include "base/hash.h"

// Inlined, since most of what is hashed are keys: a call into a library costs more than the hash.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <array>

#include "base/hash_long.h"

namespace stator {
namespace {

// kCrc16Tables[k][b]: the CRC of byte `b` followed by `k` zero bytes. With eight of them, eight
// bytes cost one step instead of a chain of eight dependent loads: a slot is computed for every
// request.
using Crc16Tables = std::array<std::array<std::uint16_t, 256>, 8>;

constexpr Crc16Tables make_crc16_tables() {
  Crc16Tables tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte << 8;
    for (auto& table : tables) {
      for (int bit = 0; bit < 8; ++bit) {
        crc = (crc & 0x8000U) != 0 ? (crc << 1) ^ 0x1021U : crc << 1;
      }
      crc &= 0xFFFFU;
      table[byte] = static_cast<std::uint16_t>(crc);
    }
  }
  return tables;
}

constexpr auto kCrc16Tables = make_crc16_tables();

constexpr std::size_t kShort = XXH3_MIDSIZE_MAX;

}  // namespace

std::uint64_t hash64(std::string_view bytes, std::uint64_t seed) {
  if (bytes.size() <= kShort) return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
  return hash64_long(bytes, seed);
}

Hash128 hash128(std::string_view bytes, std::uint64_t seed) {
  const XXH128_hash_t hash = XXH3_128bits_withSeed(bytes.data(), bytes.size(), seed);
  return {hash.high64, hash.low64};
}

std::uint16_t crc16(std::string_view bytes) {
  const auto* next = reinterpret_cast<const std::uint8_t*>(bytes.data());
  std::uint32_t crc = 0;
  // The odd bytes first: the register is still zero, so they need no step of their own each.
  const std::size_t odd = bytes.size() % 8;
  for (std::size_t i = 0; i < odd; ++i) crc ^= kCrc16Tables[odd - 1 - i][next[i]];
  next += odd;
  for (std::size_t left = bytes.size() / 8; left > 0; --left, next += 8) {
    crc = kCrc16Tables[7][next[0] ^ (crc >> 8)] ^ kCrc16Tables[6][next[1] ^ (crc & 0xFFU)] ^
          kCrc16Tables[5][next[2]] ^ kCrc16Tables[4][next[3]] ^ kCrc16Tables[3][next[4]] ^
          kCrc16Tables[2][next[5]] ^ kCrc16Tables[1][next[6]] ^ kCrc16Tables[0][next[7]];
  }
  return static_cast<std::uint16_t>(crc);
}

}  // namespace stator

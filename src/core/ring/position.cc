#include "core/ring/position.h"

#include <array>
#include <cstddef>
#include <cstring>
#include <string>

#include "base/hash.h"

namespace stator {
namespace {

constexpr std::size_t kMaxBucket = 255;
constexpr std::size_t kUsualKey = 4096;

/// The part of a key that decides its slot.
std::string_view hash_tag(std::string_view key) {
  const std::size_t open = key.find('{');
  if (open == std::string_view::npos) return key;
  const std::size_t close = key.find('}', open + 1);
  if (close == std::string_view::npos || close == open + 1) return key;
  return key.substr(open + 1, close - open - 1);
}

std::uint16_t slot_of_bytes(std::string_view bytes) {
  return static_cast<std::uint16_t>(crc16(bytes) % kSlots);
}

/// XXH3-128 over the bucket's length (one byte), the bucket and the key: no two pairs give the same
/// bytes.
Hash128 hash_of(std::string_view bucket, std::string_view key) {
  const std::size_t size = 1 + bucket.size() + key.size();
  if (key.size() > kUsualKey) [[unlikely]] {
    std::string framed(1, static_cast<char>(bucket.size()));
    framed.append(bucket).append(key);
    return hash128(framed);
  }
  std::array<char, 1 + kMaxBucket + kUsualKey> framed;  // not initialised: this is the hot path
  framed[0] = static_cast<char>(bucket.size());
  if (!bucket.empty()) std::memcpy(framed.data() + 1, bucket.data(), bucket.size());
  if (!key.empty()) std::memcpy(framed.data() + 1 + bucket.size(), key.data(), key.size());
  return hash128({framed.data(), size});
}

}  // namespace

std::uint16_t slot_of_key(std::string_view key) {
  return slot_of_bytes(hash_tag(key));
}

Position position_of(std::string_view bucket, std::string_view key) {
  STATOR_ASSERT(bucket.size() <= kMaxBucket);
  const bool tagged = bucket == kDefaultBucket;
  const std::uint64_t slot = slot_of_bytes(tagged ? hash_tag(key) : key);
  const Hash128 hash = hash_of(bucket, key);
  return {slot << (64 - kSlotBits) | (hash.high & (~0ULL >> kSlotBits)), hash.low};
}

}  // namespace stator

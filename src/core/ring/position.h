#pragma once

#include <bit>
#include <compare>
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "base/ids.h"

// Where a key lies on the ring (paper 4.2; design 2.6).
//
// The ring is 128 bits wide. The top 14 bits of a position are the key's Redis Cluster slot, so
// that every Redis Cluster client finds the right node by itself; the other 114 bits are the low
// bits of XXH3-128 over bucket and key. The paper takes MD5 of the key for all 128.
//
// The slot is the CRC16 of the key, mod 16384. Hash tags ("{user1000}.cart") count in the bucket
// `default` alone, which is the one that Redis clients see; in every other bucket it is the CRC16
// of the whole key. The bucket enters through the low bits only, so that one key lies in the same
// partition in all buckets where it has no hash tag.
//
// Pure and reentrant. No allocation for keys within the limits (bucket 255, key 4096 bytes).
// Positions are part of what is stored and sent: they never change.

namespace stator {

inline constexpr std::uint32_t kSlots = 16384;
inline constexpr int kSlotBits = 14;
inline constexpr std::string_view kDefaultBucket = "default";
inline constexpr std::uint32_t kMinPartitions = 16;
inline constexpr std::uint32_t kMaxPartitions = kSlots;

struct Position {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  auto operator<=>(const Position&) const = default;
};

/// Redis Cluster's slot of a key, hash tag included: the bytes between the first '{' and the first
/// '}' after it, unless there are none.
[[nodiscard]] std::uint16_t slot_of_key(std::string_view key);

/// Computed once per request. `bucket` is at most 255 bytes (asserted: the front ends refuse more).
[[nodiscard]] Position position_of(std::string_view bucket, std::string_view key);

[[nodiscard]] constexpr std::uint16_t slot_of(const Position& position) {
  return static_cast<std::uint16_t>(position.high >> (64 - kSlotBits));
}

/// A possible number of partitions: a power of two, so that a partition is a run of whole slots.
[[nodiscard]] constexpr bool valid_partition_count(std::uint32_t q) {
  return std::has_single_bit(q) && q >= kMinPartitions && q <= kMaxPartitions;
}

/// `q` is a valid partition count.
[[nodiscard]] constexpr PartitionId partition_of(const Position& position, std::uint32_t q) {
  return {static_cast<std::uint32_t>(position.high >> (64 - std::countr_zero(q)))};
}

/// The run of slots that is a partition: `first` to `last`, both included.
struct SlotRange {
  std::uint16_t first = 0;
  std::uint16_t last = 0;
  auto operator<=>(const SlotRange&) const = default;
};
[[nodiscard]] constexpr SlotRange slots_of(PartitionId partition, std::uint32_t q) {
  const std::uint32_t run = kSlots / q;
  return {static_cast<std::uint16_t>(partition.value * run),
          static_cast<std::uint16_t>(partition.value * run + run - 1)};
}

}  // namespace stator

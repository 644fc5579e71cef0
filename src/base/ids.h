#pragma once

#include <compare>
#include <cstdint>

// The small integers of a Dynamo, each a type of its own so that they cannot mix.

namespace stator {

/// A member of the cluster, for ever: never reused, 0 means none.
struct NodeId {
  std::uint64_t value = 0;
  auto operator<=>(const NodeId&) const = default;
  explicit operator bool() const { return value != 0; }
};

/// One run of one process: random, made at every start, never read back from disk (D1).
struct Incarnation {
  std::uint64_t value = 0;
  auto operator<=>(const Incarnation&) const = default;
};

/// A run of the ring, 0 .. Q-1. Partitions are equal (paper 6.2, strategy 3).
struct PartitionId {
  std::uint32_t value = 0;
  auto operator<=>(const PartitionId&) const = default;
};

/// Digest of all membership changes that a node knows; 0 means "not a member yet" (design 4.3 rule
/// 4).
struct HistoryVersion {
  std::uint64_t value = 0;
  auto operator<=>(const HistoryVersion&) const = default;
};

/// Names one write for ever, whoever retries it and wherever it is minted (D7).
///
/// The first 48 bits are the wall time of its making in milliseconds, so that it can be dated. The
/// next 4 bits tell who made it: 8 (a UUIDv8) is an id that a node made for a write which it sends
/// to one minting node only, so that the write can never be minted twice; anything else (a UUIDv7
/// is what clients are told to use) may be retried through any node, and superseding it leaves a
/// guard.
struct WriteId {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  auto operator<=>(const WriteId&) const = default;
  explicit operator bool() const { return high != 0 || low != 0; }

  [[nodiscard]] std::uint64_t time_ms() const { return high >> 16; }
  /// May reach two minting nodes, so that its superseding must be remembered by id.
  [[nodiscard]] bool retryable() const { return ((high >> 12) & 0xF) != kMintedOnce; }

  static constexpr std::uint64_t kMintedOnce = 8;
  static constexpr std::uint64_t kRetryable = 7;
  /// `kind` is kMintedOnce or kRetryable; `random_*` come from the environment's random source.
  static WriteId make(std::uint64_t time_ms, std::uint64_t kind, std::uint64_t random_a,
                      std::uint64_t random_b) {
    return {(time_ms << 16) | (kind << 12) | (random_a & 0xFFF),
            (random_b & 0x3FFFFFFFFFFFFFFFULL) | 0x8000000000000000ULL};
  }
};

}  // namespace stator

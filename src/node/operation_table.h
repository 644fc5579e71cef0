#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "base/assert.h"
#include "base/hash.h"
#include "base/time.h"

namespace stator::node {

/// The kinds of request that a reply can belong to: part of the request id, so that a reply finds
/// its table.
enum class RequestKind : std::uint8_t {
  kNone = 0,
  kRead = 1,
  kWrite = 2,
  kForward = 3,
  kExplain = 4,
  kScan = 5,
  kHint = 6
};

/// A request id as peers echo it: which shard, which table, which slot of it, and which use of that
/// slot, so that a late answer never meets somebody else's operation.
struct RequestId {
  std::uint8_t shard = 0;
  RequestKind kind = RequestKind::kNone;
  std::uint8_t attempt = 0;      // 0..15, of one operation
  std::uint32_t slot = 0;        // 20 bits
  std::uint32_t generation = 0;  // 28 bits

  [[nodiscard]] std::uint64_t pack() const {
    return (std::uint64_t{shard} << 56) | (std::uint64_t{static_cast<std::uint8_t>(kind)} << 52) |
           (std::uint64_t{attempt & 0xFU} << 48) | (std::uint64_t{slot} << 28) |
           (generation & 0xFFFFFFFU);
  }
  static RequestId unpack(std::uint64_t id) {
    return {static_cast<std::uint8_t>(id >> 56), static_cast<RequestKind>((id >> 52) & 0xF),
            static_cast<std::uint8_t>((id >> 48) & 0xF),
            static_cast<std::uint32_t>((id >> 28) & 0xFFFFF),
            static_cast<std::uint32_t>(id & 0xFFFFFFF)};
  }
};

/// Preallocated operations, by slot and generation (design 4.1): no allocation per request once it
/// has grown. Operations stay where they are; one loop only.
template <typename Operation>
class OperationTable {
 public:
  static constexpr std::uint32_t kSlotsMax = 1U << 20;

  /// `seed` is random: generations begin anywhere, so that an answer to an earlier process of this
  /// node, which comes late, does not meet an operation of this one.
  explicit OperationTable(std::uint64_t seed) : seed_(seed) {}

  /// nullptr when `limit` operations are open already.
  Operation* acquire(std::size_t limit) {
    if (open_ >= limit || open_ >= kSlotsMax) return nullptr;
    if (free_.empty()) {
      const auto slot = static_cast<std::uint32_t>(slots_.size());
      slots_.push_back(std::make_unique<Operation>());
      slots_.back()->slot = slot;
      slots_.back()->generation = static_cast<std::uint32_t>(mix64(seed_ + slot)) & 0xFFFFFFFU;
      in_use_.push_back(false);
      free_.push_back(slot);
    }
    Operation& operation = *slots_[free_.back()];
    free_.pop_back();
    in_use_[operation.slot] = true;
    ++open_;
    return &operation;
  }
  /// nullptr when that use of the slot is over.
  [[nodiscard]] Operation* find(std::uint32_t slot, std::uint32_t generation) {
    if (slot >= slots_.size() || !in_use_[slot]) return nullptr;
    Operation& operation = *slots_[slot];
    return operation.generation == generation ? &operation : nullptr;
  }
  /// Asks for the memory of a slot that find() is going to be called with.
  void prefetch(std::uint32_t slot) const {
    if (slot >= slots_.size() || !in_use_[slot]) return;
    const auto* begin = reinterpret_cast<const char*>(slots_[slot].get());
    for (std::size_t at = 0; at < sizeof(Operation); at += 64) __builtin_prefetch(begin + at);
  }
  void release(Operation& operation) {
    STATOR_ASSERT(in_use_[operation.slot]);
    in_use_[operation.slot] = false;
    operation.generation = (operation.generation + 1) & 0xFFFFFFFU;
    free_.push_back(operation.slot);
    --open_;
  }
  [[nodiscard]] std::size_t open() const { return open_; }
  /// By when the first of them has to be over (I14); never, where none is open.
  [[nodiscard]] MonoTime first_deadline() const {
    MonoTime first{std::numeric_limits<std::int64_t>::max()};
    if (open_ == 0) return first;
    for (std::size_t slot = 0; slot < slots_.size(); ++slot) {
      if (in_use_[slot]) first = std::min(first, slots_[slot]->deadline);
    }
    return first;
  }
  /// Calls `visit` with each open operation; it may release any of them and acquire new ones.
  template <typename Visit>
  void for_each(Visit visit) {
    if (open_ == 0) return;
    for (std::size_t slot = 0, end = slots_.size(); slot < end; ++slot) {
      if (in_use_[slot]) visit(*slots_[slot]);
    }
  }

 private:
  std::uint64_t seed_;
  std::vector<std::unique_ptr<Operation>> slots_;
  std::vector<std::uint8_t> in_use_;  // by slot; beside the operations, most of which rest
  std::vector<std::uint32_t> free_;
  std::size_t open_ = 0;
};

/// Base of what stands in an OperationTable.
struct OperationSlot {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;
};

/// Memory that one slot may keep from use to use, per buffer.
inline constexpr std::size_t kKeptBufferBytes = 16 << 10;
inline void recycle(std::string& buffer) {
  if (buffer.capacity() > kKeptBufferBytes) {
    buffer = std::string();
  } else {
    buffer.clear();
  }
}

}  // namespace stator::node

#pragma once

#include <cstdint>
#include <vector>

#include "base/assert.h"
#include "limit/store.h"

namespace stator::limit {

/// Names an operation in flight: a slot is used again at once, its generation never. A late answer
/// therefore finds nothing instead of somebody else's operation.
struct OperationId {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;
};

/// Names a connection in the same way.
struct ConnectionId {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;
  bool operator==(const ConnectionId&) const = default;
};

struct Operation {
  std::uint32_t generation = 0;
  bool is_get = false;
  bool fetching = false;  // a get whose digest showed a newer version elsewhere
  bool done = false;      // may be answered as soon as it is the first of its client
  std::uint8_t acks = 0;  // of a put: copies stored, the own one included
  ConnectionId client;
  Record* record = nullptr;
};

/// All operations in flight of one node; grows to the largest number seen and stays there.
/// References die with the next `add`. Not thread-safe.
class OperationTable {
 public:
  OperationId add(const Operation& operation) {
    if (free_.empty()) {
      free_.push_back(static_cast<std::uint32_t>(operations_.size()));
      operations_.emplace_back();
    }
    const std::uint32_t slot = free_.back();
    free_.pop_back();
    const std::uint32_t generation = operations_[slot].generation;
    operations_[slot] = operation;
    operations_[slot].generation = generation;
    return {slot, generation};
  }
  /// nullptr when the operation has been answered already.
  [[nodiscard]] Operation* find(OperationId id) {
    if (id.slot >= operations_.size()) return nullptr;
    Operation& operation = operations_[id.slot];
    return operation.generation == id.generation ? &operation : nullptr;
  }
  void remove(OperationId id) {
    Operation* operation = find(id);
    STATOR_ASSERT(operation != nullptr);
    ++operation->generation;
    free_.push_back(id.slot);
  }
  [[nodiscard]] std::size_t in_flight() const { return operations_.size() - free_.size(); }

 private:
  std::vector<Operation> operations_;
  std::vector<std::uint32_t> free_;
};

}  // namespace stator::limit

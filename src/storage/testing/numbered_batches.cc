#include "storage/testing/numbered_batches.h"

namespace stator::storage::testing {
namespace {

PartitionId place_of(std::uint64_t key) {
  return {static_cast<std::uint32_t>(key % kBatchPlaces)};
}

}  // namespace

std::string name_of(std::uint64_t key) {
  return "key" + std::to_string(key);
}

void add_numbered_batch(
    SplitMix64& random, std::uint64_t number,
    const std::function<std::string(std::uint64_t key, std::uint64_t number)>& value_of,
    BatchState& state, WriteBatch& batch) {
  for (std::uint64_t i = random.below(5); i > 0; --i) {
    const std::uint64_t key = 1 + random.below(kBatchKeys - 1);
    if (random.chance(0.2)) {
      batch.erase(place_of(key), name_of(key));
      state.erase(key);
    } else {
      batch.put(place_of(key), name_of(key), value_of(key, number));
      state[key] = number;
    }
  }
  // Tells which state it is.
  batch.put(place_of(0), name_of(0), value_of(0, number));
  state[0] = number;
}

}  // namespace stator::storage::testing

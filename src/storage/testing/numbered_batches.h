#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "base/random.h"
#include "storage/engine.h"

// Batches of which a store shows, whenever it is opened, how many of them it holds: for tests of
// what a crash leaves (I16). Each writes key 0, and some of a few other keys.

namespace stator::storage::testing {

inline constexpr std::uint64_t kBatchKeys = 24;
inline constexpr std::uint32_t kBatchPlaces = 3;

[[nodiscard]] std::string name_of(std::uint64_t key);

/// Which batch wrote each key last.
using BatchState = std::map<std::uint64_t, std::uint64_t>;

/// Adds a random batch of this number to the empty `batch`; `state` is that before it, and then
/// that after it. `value_of(key, number)` is the same for the same arguments.
void add_numbered_batch(
    SplitMix64& random, std::uint64_t number,
    const std::function<std::string(std::uint64_t key, std::uint64_t number)>& value_of,
    BatchState& state, WriteBatch& batch);

}  // namespace stator::storage::testing

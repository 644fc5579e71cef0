#pragma once

#include <string>
#include <vector>

#include "env_sim/world.h"
#include "sim/nodes.h"

// What becomes of hints when all faults are healed and whoever was away is here again
// (docs/rules.md, I5 and I6).

namespace stator::sim {

/// I6: lets time pass until nobody keeps a hint, as nodes themselves count. Empty; or how many are
/// still there after two minutes.
[[nodiscard]] std::string await_hints(World& world, Nodes& nodes);

/// I5: hints that stand in the engines all the same, by node. Reads the engines, and takes no time.
[[nodiscard]] std::vector<std::string> find_stray_hints(World& world, Nodes& nodes);

}  // namespace stator::sim

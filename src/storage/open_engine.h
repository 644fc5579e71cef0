#pragma once

#include <vector>

#include "storage/engine.h"

namespace stator::storage {

/// Every engine that this build can open, the default first: for `engine list` and for messages.
[[nodiscard]] std::vector<Capabilities> known_engines();

}  // namespace stator::storage

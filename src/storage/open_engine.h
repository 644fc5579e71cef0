#pragma once

#include <vector>

#include "storage/engine.h"

namespace stator::storage {

/// Every engine that this build can open, the default first: for `engine list` and for messages.
[[nodiscard]] std::vector<Capabilities> known_engines();
/// Whether the engine that `options` name keeps something in its folder. True for an unknown one,
/// which open_engine refuses.
[[nodiscard]] bool keeps_files(const EngineOptions& options);

}  // namespace stator::storage

#pragma once

#include "storage/engine.h"

namespace stator::storage::memory {

/// `memory`: a hash table per partition; answers and completes inside the call. Nothing survives
/// the process, and `sync` means nothing, unless options.journal keeps every change in a journal on
/// env's disk; then completions of synced batches wait for it, and all shards run on one thread
/// (the simulator's).
[[nodiscard]] const Capabilities& capabilities();
[[nodiscard]] Result<std::unique_ptr<EngineHome>> open(const EngineOptions& options,
                                                       const env::Env& env);

}  // namespace stator::storage::memory

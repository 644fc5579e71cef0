#pragma once

#include "env/buggify.h"
#include "env/disk.h"
#include "env/executor.h"
#include "env/network.h"

namespace stator::env {

/// The outside of one shard: everything that a node does beyond computing goes through these three,
/// so that the same code runs in production (env_real) and in the simulator (env_sim). Outlives
/// what uses it.
struct Env {
  Executor& executor;
  Network& network;
  Disk& disk;
  Buggify* buggify = nullptr;  // of the simulator only

  /// Take the rare way here (buggify.h). In production a branch that is never taken.
  [[nodiscard]] bool buggified(BuggifyPoint point) const {
    return __builtin_expect(static_cast<long>(buggify != nullptr), 0) != 0 &&
           buggify->strikes(point);
  }
};

}  // namespace stator::env

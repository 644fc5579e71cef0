#pragma once

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
};

}  // namespace stator::env

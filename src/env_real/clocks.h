#pragma once

#include "base/time.h"

namespace stator::env {

/// The clocks of the system. A loop reads them once per turn (Loop::now()); these are for whoever
/// must know how long the turn itself takes.
[[nodiscard]] MonoTime read_monotonic_clock();
[[nodiscard]] WallTime read_wall_clock();

}  // namespace stator::env

#pragma once

#include "base/error.h"

namespace stator::env {

/// Tells the kernel that the calling thread, and every thread that it starts later, need not be
/// given a core the moment something arrives for them, if somebody else is at work on it: the one
/// who runs goes on until it sleeps or its slice is over (SCHED_BATCH). Where cores are free
/// nothing changes. Where they are not, a loop finds more to do in each of its turns, and what
/// leaves at the end of a turn leaves together (docs/design/2026-11-29-batch-scheduling.md).
///
/// kIo where the system forbids it; the thread then runs as before. From any thread.
[[nodiscard]] Result<void> prefer_batches();

}  // namespace stator::env

#pragma once

#include <cstdint>

#include "base/callback.h"
#include "base/time.h"
#include "env/turn_times.h"

namespace stator::env {

/// Cancels a timer; 0 is none. Never reused within a process.
struct TimerId {
  std::uint64_t value = 0;
  explicit operator bool() const { return value != 0; }
};

/// The loop of one shard (design 4.1). A turn is: run what is ready; then the turn-end hooks in the
/// order of their registration (the engine takes the turn's writes, completions may answer
/// clients); then every dirty socket is flushed once. Everything here is called on the shard's own
/// loop, except where said.
class Executor {
 public:
  virtual ~Executor() = default;

  /// Monotonic time as of the start of this turn; cheap.
  [[nodiscard]] virtual MonoTime now() const = 0;
  /// Wall time as of the start of this turn. May jump.
  [[nodiscard]] virtual WallTime wall_now() const = 0;
  /// Random bits: from the kernel's source in production, from the seed in the simulator.
  virtual std::uint64_t random() = 0;

  /// Runs `task` in a later turn of this loop.
  virtual void post(Callback<void()> task) = 0;
  /// Runs `task` once, `delay` from now or later. Timers of one due time run in order of creation.
  virtual TimerId after(Duration delay, Callback<void()> task) = 0;
  /// No effect when it ran or was cancelled.
  virtual void cancel(TimerId timer) = 0;
  /// Runs `hook` at the end of every turn, until the executor ends. Hooks run in order of
  /// registration, and again in the same turn while any of them returns true ("I did something that
  /// others must see").
  virtual void at_turn_end(Callback<bool()> hook) = 0;
  /// Of the turns before this one; of none where time is virtual.
  [[nodiscard]] virtual TurnTimes turn_times() const { return {}; }

  /// Runs `job` away from the loop (a side thread; jobs of one `lane` run one at a time and in
  /// order, 0 <= lane < kLanes), then `done` on this loop. `job` may block and touches only what it
  /// owns. In the simulator `job` runs at once and `done` after a drawn delay.
  virtual void run_blocking(unsigned lane, Callback<void()> job, Callback<void()> done) = 0;
  static constexpr unsigned kLanes = 4;

  [[nodiscard]] virtual unsigned shard() const = 0;
  [[nodiscard]] virtual unsigned shard_count() const = 0;
  /// Runs `task` on the loop of another shard of this process (or on this one, later). Tasks from
  /// one shard to another keep their order; wake-ups are batched per turn.
  virtual void post_to(unsigned shard, Callback<void()> task) = 0;
};

}  // namespace stator::env

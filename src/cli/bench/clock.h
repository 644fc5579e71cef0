#pragma once

#include "base/callback.h"
#include "base/time.h"
#include "env/executor.h"

namespace stator::bench {

/// Time as a load generator needs it: finer than turns of a loop.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual MonoTime now() = 0;
  /// Runs `task` once on the loop, `delay` from now or a little later.
  virtual void wake_after(Duration delay, Callback<void()> task) = 0;
};

/// The loop's own time, where that is exact: in the simulator.
class LoopClock final : public Clock {
 public:
  explicit LoopClock(env::Executor& executor) : executor_(executor) {}
  MonoTime now() override { return executor_.now(); }
  void wake_after(Duration delay, Callback<void()> task) override;

 private:
  env::Executor& executor_;
};

/// Real time. Loops wait in whole milliseconds, which would add up to one to each latency of an
/// open loop; the last part of a wait is slept by a side thread, to about 0.1 ms, since spinning
/// would take a core from the servers.
class FineClock final : public Clock {
 public:
  explicit FineClock(env::Executor& executor) : executor_(executor) {}
  MonoTime now() override;
  void wake_after(Duration delay, Callback<void()> task) override;

 private:
  env::Executor& executor_;
};

}  // namespace stator::bench

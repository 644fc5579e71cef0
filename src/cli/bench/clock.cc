#include "cli/bench/clock.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

namespace stator::bench {

namespace {

constexpr Duration kCoarse = milliseconds(3);
// A loop's timer may be this late; the remainder is slept.
constexpr Duration kTimerSlack = milliseconds(2);
// Starts nearer than this leave together: a wake-up costs more than it gains.
constexpr Duration kShortest = microseconds(50);

}  // namespace

void LoopClock::wake_after(Duration delay, Callback<void()> task) {
  executor_.after(delay, std::move(task));
}

MonoTime FineClock::now() {
  return {std::chrono::duration_cast<std::chrono::nanoseconds>(
              std::chrono::steady_clock::now().time_since_epoch())
              .count()};
}

void FineClock::wake_after(Duration delay, Callback<void()> task) {
  if (delay >= kCoarse) {
    // The caller looks at the clock and asks again for what is left.
    executor_.after(delay - kTimerSlack, std::move(task));
    return;
  }
  const Duration nap = std::max(delay, kShortest);
  executor_.run_blocking(
      0, [nap] { std::this_thread::sleep_for(std::chrono::nanoseconds(nap.ns)); }, std::move(task));
}

}  // namespace stator::bench

#pragma once

#include <algorithm>

#include "base/time.h"

namespace stator::env {

/// How long the turns of one loop took: each from when it was told what is ready until it asks for
/// more, on a clock that goes on while others have the core. What arrives meanwhile waits for the
/// rest of the turn. Pure; one per loop, which notes each turn once.
class TurnTimes {
 public:
  void note(Duration took, MonoTime now) {
    sum_ = sum_ + took;
    if (const Duration old = now - window_began_; old >= kWindow) {
      before_ = old < kWindow * 2 ? longest_ : Duration{};
      longest_ = {};
      window_began_ = now;
    }
    longest_ = std::max(longest_, took);
  }

  /// Of all turns. The rest of the time the loop waited.
  [[nodiscard]] Duration sum() const { return sum_; }
  /// The longest turn of late: one is shown for kWindow at least, and for twice as long at most
  /// while there are others.
  [[nodiscard]] Duration longest() const { return std::max(longest_, before_); }

  /// So that somebody who looks four times a minute misses none.
  static constexpr Duration kWindow = seconds(30);

 private:
  Duration sum_{};
  Duration longest_{};  // in this window
  Duration before_{};   // in the one before
  MonoTime window_began_{};
};

}  // namespace stator::env

#include "core/health/self_doubt.h"

#include <algorithm>

#include "base/probe.h"

namespace stator {

void SelfDoubt::doubt(int steps, int most, MonoTime now) {
  level_ = std::max(level_, std::min(level_ + steps, most));
  changed_ = now;
}

void SelfDoubt::on_timer(Duration late, MonoTime now) {
  if (late > kVeryLate) {
    STATOR_PROBE("doubt: our own loop stood still");
    doubt(2, kStretchMax - 1, now);
  } else if (late > kLate) {
    STATOR_PROBE("doubt: our own loop is late");
    doubt(1, kStretchMax - 1, now);
  } else if (level_ > 0 && now - changed_ >= kRecovery) {
    --level_;
    if (level_ == 0) STATOR_PROBE("doubt: none is left");
    changed_ = now;
  }
}

// One step at most: if they are gone indeed, nothing is gained by long patience with them.
void SelfDoubt::on_look(std::size_t bad, std::size_t judged, MonoTime now) {
  if (bad < 2 || 2 * bad <= judged || level_ != 0) return;
  STATOR_PROBE("doubt: most peers become silent at once");
  doubt(1, 1, now);
}

}  // namespace stator

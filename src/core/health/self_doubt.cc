#include "core/health/self_doubt.h"

#include <algorithm>

namespace stator {

void SelfDoubt::doubt(int steps, int most, MonoTime now) {
  level_ = std::max(level_, std::min(level_ + steps, most));
  changed_ = now;
}

void SelfDoubt::on_timer(Duration late, MonoTime now) {
  if (late > kVeryLate) {
    doubt(2, kStretchMax - 1, now);
  } else if (late > kLate) {
    doubt(1, kStretchMax - 1, now);
  } else if (level_ > 0 && now - changed_ >= kRecovery) {
    --level_;
    changed_ = now;
  }
}

// One step at most: if they are gone indeed, nothing is gained by long patience with them.
void SelfDoubt::on_look(std::size_t bad, std::size_t judged, MonoTime now) {
  if (bad >= 2 && 2 * bad > judged && level_ == 0) doubt(1, 1, now);
}

}  // namespace stator

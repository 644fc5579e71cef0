#include "core/load/admission.h"

#include <algorithm>
#include <utility>

namespace stator {

// Until the first look, and after a rest, nobody knows how fast answers leave: the first window of
// work tells.
void Admission::look(MonoTime now) {
  const Duration elapsed = now - looked_at_;
  if (elapsed < kLook) return;
  const bool first = looked_at_.ns == 0 || elapsed > seconds(1);
  looked_at_ = now;
  const std::uint64_t answered = std::exchange(answered_, 0);
  const auto seen =
      static_cast<std::uint64_t>(static_cast<double>(answered) * static_cast<double>(kWaitMax.ns) /
                                 static_cast<double>(elapsed.ns));
  if (first) {
    per_wait_ = std::max<std::uint64_t>(seen, per_wait_);
  } else {
    per_wait_ = (3 * per_wait_ + seen + 3) / 4;
  }
  limit_ = std::min(most_, std::max<std::size_t>(kAlways, per_wait_));
}

}  // namespace stator

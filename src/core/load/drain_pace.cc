#include "core/load/drain_pace.h"

#include <algorithm>
#include <utility>

namespace stator {
namespace {

// Late, or with a backlog that grows: nobody tries to end within a moment.
constexpr Duration kLeftMin = seconds(5);
constexpr std::int64_t kDoublingsMax = 20;

std::uint64_t in_time(std::uint64_t backlog, Duration left) {
  return backlog * 1000 / static_cast<std::uint64_t>(std::max(left, kLeftMin).ms());
}

}  // namespace

void DrainPace::look(std::uint64_t backlog, std::uint64_t most, MonoTime now) {
  if (!under_way_ && now - looked_at_ > kForgetAfter) {
    *this = DrainPace();
    looked_at_ = now;
  }
  const Duration passed = now - std::exchange(looked_at_, now);
  if (std::exchange(under_way_, true)) {  // else its time has stood still
    served_ = served_ + passed;
    spent_ = spent_ + passed;
  }
  credit_ += static_cast<double>(rate_) * static_cast<double>(passed.ns) / 1e9;
  // Paces never fall while the backlog does: a part of what is left per time never ends.
  aimed_ = std::max({aimed_, kSmall, in_time(backlog, kAim - spent_)});
  least_ = std::max({least_, kTrickle, in_time(backlog, kLatest - spent_)});
  const std::int64_t doublings = std::min(served_.ns / seconds(1).ns, kDoublingsMax);
  rate_ = std::min(kStart << doublings, std::max(least_, std::min(aimed_, most)));
  const double burst = static_cast<double>(rate_) * static_cast<double>(kBurst.ns) / 1e9;
  credit_ = std::min(credit_, burst);
}

void DrainPace::on_walked(bool failed) {
  if (failed && spent_ < kLatest) return;
  begin_time();
}

// Who comes and goes may never be there for a whole walk: what is late is no longer hurried then.
void DrainPace::rest() {
  if (std::exchange(under_way_, false)) on_walked(true);
}

// What was sent at a higher pace is not paid for at a lower one.
void DrainPace::begin_time() {
  spent_ = {};
  aimed_ = least_ = 0;
  credit_ = std::max(credit_, 0.0);
}

}  // namespace stator

#include "core/load/drain_pace.h"

#include <algorithm>

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
  if (!under_way_) {
    under_way_ = true;
    began_ = looked_at_ = now;
  }
  const Duration since = now - began_;
  const double passed_s = static_cast<double>((now - looked_at_).ns) / 1e9;
  looked_at_ = now;
  credit_ += static_cast<double>(rate_) * passed_s;
  // Paces never fall while the backlog does: a part of what is left per time never ends.
  aimed_ = std::max({aimed_, kSmall, in_time(backlog, kAim - since)});
  least_ = std::max({least_, kTrickle, in_time(backlog, kLatest - since)});
  const std::int64_t doublings = std::min(since.ns / seconds(1).ns, kDoublingsMax);
  rate_ = std::min(kStart << doublings, std::max(least_, std::min(aimed_, most)));
  const double burst = static_cast<double>(rate_) * static_cast<double>(kBurst.ns) / 1e9;
  credit_ = std::min(credit_, burst);
}

}  // namespace stator

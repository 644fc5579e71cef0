#include "core/version/hlc.h"

#include <algorithm>
#include <cstdlib>
#include <limits>

#include "base/probe.h"
#include "base/small_vector.h"

namespace stator {
namespace {

constexpr std::int64_t kWallMaxUs = (std::int64_t{1} << 52) - 1;  // the year 2112

Hlc successor(Hlc time) {
  if (time.value == std::numeric_limits<std::uint64_t>::max()) return time;
  return {time.value + 1};
}

bool near(Duration a, Duration b) {
  return std::abs((a - b).ns) <= HybridClock::kSkewMax.ns;
}

}  // namespace

void HybridClock::set_peer_offsets(std::span<const Duration> offsets, const Moment& moment) {
  SmallVector<Duration, 32> all;
  all.assign(offsets.begin(), offsets.end());
  all.push_back(Duration{});
  std::sort(all.begin(), all.end());
  // Of two middle ones the nearer to our own clock: without a majority against it, ours stands.
  const Duration low = all[(all.size() - 1) / 2];
  const Duration high = all[all.size() / 2];
  const Duration nearest = std::abs(low.ns) <= std::abs(high.ns) ? low : high;
  skewed_ = nearest > kSkewMax || nearest < Duration{-kSkewMax.ns};
  if (skewed_) STATOR_PROBE("clock: a majority says that ours is wrong");
  correction_ = skewed_ ? nearest : Duration{};
  const auto agreeing = static_cast<std::size_t>(std::count_if(
      all.begin(), all.end(), [this](Duration offset) { return near(offset, correction_); }));
  if (2 * agreeing <= moment.members) {
    STATOR_PROBE("clock: no majority vouches for a time");
    return;
  }
  vouched_ = true;
  vouched_time_ = guarded(moment.local);
  vouched_at_ = moment.now;
}

WallTime HybridClock::ageing_now(MonoTime now) const {
  if (!vouched_ || now - vouched_at_ > kVouchedFor) {
    STATOR_PROBE("clock: nothing ages while nobody vouches");
    return kNothingAges;
  }
  return vouched_time_ + (now - vouched_at_);
}

WallTime HybridClock::guarded(WallTime local) const {
  return local + correction_;
}

Hlc HybridClock::stamp(WallTime local, Hlc floor) {
  const std::int64_t now_us = std::clamp<std::int64_t>(guarded(local).us, 0, kWallMaxUs);
  const std::int64_t horizon_us = now_us + kSkewMax.us();
  // A last stamp beyond the horizon was issued by a clock that has been set back since. Following
  // it would carry the old mistake on for as long as the jump was wide.
  Hlc own = Hlc::from_wall({now_us});
  if (last_.wall().us <= horizon_us) {
    own = std::max(own, successor(last_));
  } else {
    STATOR_PROBE("clock: the last stamp is of a time that was wrong");
  }
  const Hlc issued = std::max(own, successor(floor));
  if (issued.wall().us <= horizon_us) {
    last_ = issued;
  } else {
    STATOR_PROBE("clock: what is superseded lies far in the future");
  }
  return issued;
}

}  // namespace stator

#pragma once

#include <cmath>
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "base/hash.h"
#include "base/time.h"

namespace stator::sim {

/// One stream of reproducible random numbers (SplitMix64). Every part of a simulated world draws
/// from a stream of its own, made with fork(), so that a further draw in one part does not shift
/// all the others. Not thread-safe.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(mix64(seed)) {}

  /// A stream that depends on this one's seed and `label` only, not on what was drawn so far.
  [[nodiscard]] Random fork(std::string_view label, std::uint64_t number = 0) const {
    return Random(mix64(origin_ ^ hash64(label)) + number);
  }
  std::uint64_t next() {
    state_ += kStep;
    return mix64(state_);
  }
  /// 0 <= result < bound.
  std::uint64_t below(std::uint64_t bound) {
    STATOR_ASSERT(bound > 0);
    if (bound <= UINT32_MAX) return ((next() >> 32) * bound) >> 32;
    return next() % bound;
  }
  /// low <= result <= high.
  std::int64_t between(std::int64_t low, std::int64_t high) {
    STATOR_ASSERT(low <= high);
    return low + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(high - low) + 1));
  }
  Duration between(Duration low, Duration high) { return {between(low.ns, high.ns)}; }
  /// 0 <= result < 1.
  double fraction() { return static_cast<double>(next() >> 11) * 0x1p-53; }
  /// False without a draw when p is 0, so that a fault that is off costs nothing.
  bool chance(double p) { return p > 0 && fraction() < p; }
  Duration exponential(Duration mean) {
    if (mean.ns <= 0) return {};
    return {static_cast<std::int64_t>(-std::log(1 - fraction()) * static_cast<double>(mean.ns))};
  }

 private:
  static constexpr std::uint64_t kStep = 0xD1342543DE82EF95ULL;  // odd, so the period is 2^64
  std::uint64_t state_;
  std::uint64_t origin_ = state_;
};

}  // namespace stator::sim

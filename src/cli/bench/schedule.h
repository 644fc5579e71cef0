#pragma once

#include <cstdint>

#include "base/time.h"

namespace stator::bench {

/// When each operation of an open loop is meant to start: evenly spaced from `start`, fixed before
/// the first one runs and never moved by a slow answer. Latency counts from here, so that a stall
/// is felt by every operation that was due in it (no coordinated omission). Pure.
class Schedule {
 public:
  Schedule() = default;
  /// `rate` in operations per second, over 0.
  Schedule(MonoTime start, double rate) : start_(start), gap_ns_(1e9 / rate) {}

  /// Computed from the number, not from the one before: rounding never adds up.
  [[nodiscard]] MonoTime at(std::uint64_t number) const {
    return start_ + nanoseconds(static_cast<std::int64_t>(gap_ns_ * static_cast<double>(number)));
  }
  /// How many starts lie before `time`.
  [[nodiscard]] std::uint64_t before(MonoTime time) const {
    if (time <= start_) return 0;
    auto number = static_cast<std::uint64_t>(static_cast<double>((time - start_).ns) / gap_ns_);
    while (number > 0 && at(number - 1) >= time) --number;
    while (at(number) < time) ++number;
    return number;
  }

 private:
  MonoTime start_;
  double gap_ns_ = 1e9;
};

}  // namespace stator::bench

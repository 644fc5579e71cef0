#pragma once

#include <algorithm>
#include <cstdint>

#include "base/time.h"

namespace stator {

/// How long something takes now, beside how long it usually takes (paper 6.5: feedback from the
/// foreground). Times are averaged over a window; of one that takes very long only a part counts,
/// so that one timeout is no trend. What is usual follows the windows: at once where they show that
/// it was far too high, within seconds where it is lower, or where the node was calm, and over
/// minutes where it is higher while something else is done beside: else the harm that this does
/// would soon be taken for usual. Pure; adding costs a few instructions.
class UsualTime {
 public:
  void add(Duration took) {
    sum_ns_ += std::clamp<std::int64_t>(took.ns, 0, longest_ns_);
    ++count_;
  }
  /// Enough was added to tell.
  [[nodiscard]] bool can_tell() const { return count_ >= kEnough; }
  /// How many times as long as usual it takes: 1 is as usual, or shorter, or unknown. Ends the
  /// window if it can tell. `calm`: next to nothing was done in the background meanwhile.
  double judge(bool calm);

  [[nodiscard]] Duration usual() const { return nanoseconds(static_cast<std::int64_t>(usual_ns_)); }

  static constexpr std::uint32_t kEnough = 40;
  /// Less than this is never long, whatever is usual.
  static constexpr Duration kShort = microseconds(500);
  /// Of a longer time than so many usual ones only so much counts.
  static constexpr double kLongest = 8;

 private:
  void follow(double mean_ns, bool calm);

  double usual_ns_ = 0;  // 0: not known
  std::int64_t longest_ns_ = seconds(10).ns;
  std::int64_t sum_ns_ = 0;  // of the window
  std::uint32_t count_ = 0;
};

}  // namespace stator

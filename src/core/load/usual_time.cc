#include "core/load/usual_time.h"

namespace stator {
namespace {

// By how much of the difference one window moves what is usual. Some windows end per second.
constexpr double kCalm = 1.0 / 8;
constexpr double kLower = 1.0 / 16;
constexpr double kHigher = 1.0 / 512;

}  // namespace

double UsualTime::judge(bool calm) {
  if (!can_tell()) return 1;
  const double mean_ns = static_cast<double>(sum_ns_) / static_cast<double>(count_);
  sum_ns_ = 0;
  count_ = 0;
  if (usual_ns_ == 0) usual_ns_ = mean_ns;
  const double slowness = mean_ns / std::max(usual_ns_, static_cast<double>(kShort.ns));
  follow(mean_ns, calm);
  return std::max(slowness, 1.0);
}

void UsualTime::follow(double mean_ns, bool calm) {
  if (mean_ns < usual_ns_ / 2) {
    usual_ns_ = mean_ns;  // what was seen first, after a start, was not usual
  } else {
    const double step = calm ? kCalm : mean_ns < usual_ns_ ? kLower : kHigher;
    usual_ns_ += (mean_ns - usual_ns_) * step;
  }
  // From something, or nothing would ever be long.
  usual_ns_ = std::max(usual_ns_, 1.0);
  longest_ns_ =
      static_cast<std::int64_t>(kLongest * std::max(usual_ns_, static_cast<double>(kShort.ns)));
}

}  // namespace stator

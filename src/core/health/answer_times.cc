#include "core/health/answer_times.h"

#include <algorithm>
#include <bit>

namespace stator {

// Two steps per power of two: [a, 1.5 a) and [1.5 a, 2 a).
std::size_t AnswerTimes::step_of(Duration took) {
  if (took < kFirstStep) return 0;
  const auto units = static_cast<std::uint64_t>(took.ns / kFirstStep.ns);
  const auto octave = static_cast<std::size_t>(std::bit_width(units)) - 1;
  const std::uint64_t middle =
      (std::uint64_t{3} << octave) * static_cast<std::uint64_t>(kFirstStep.ns) / 2;
  const std::size_t half = static_cast<std::uint64_t>(took.ns) >= middle ? 1 : 0;
  return std::min(1 + 2 * octave + half, kSteps - 1);
}

Duration AnswerTimes::end_of(std::size_t step) {
  if (step == 0) return kFirstStep;
  const Duration begin = kFirstStep * (std::int64_t{1} << ((step - 1) / 2));
  return (step - 1) % 2 == 0 ? begin * 3 / 2 : begin * 2;
}

void AnswerTimes::add(Duration took) {
  ++steps_[step_of(took)];
  ++count_;
}

Duration AnswerTimes::quantile(unsigned permille) const {
  if (count_ == 0) return {};
  const std::uint64_t below = std::uint64_t{count_} * permille / 1000;
  std::uint64_t seen = 0;
  for (std::size_t step = 0; step < kSteps; ++step) {
    seen += steps_[step];
    if (seen > below) return end_of(step);
  }
  return end_of(kSteps - 1);
}

void AnswerTimes::age_and_add(const AnswerTimes& latest) {
  count_ = 0;
  for (std::size_t step = 0; step < kSteps; ++step) {
    steps_[step] = steps_[step] - (steps_[step] + 7) / 8 + latest.steps_[step];
    count_ += steps_[step];
  }
}

}  // namespace stator

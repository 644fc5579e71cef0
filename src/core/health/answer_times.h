#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/time.h"

namespace stator {

/// How long somebody's answers took, counted in steps of a factor of about 1.4, from 64 us to a
/// minute: enough to tell slow from well and to find a percentile, in constant memory. Adding costs
/// a few instructions and no allocation; what it says is exact to its steps. Not thread-safe.
class AnswerTimes {
 public:
  void add(Duration took);
  [[nodiscard]] std::uint32_t count() const { return count_; }
  /// The end of the step in which the answer lies that is slower than `permille` thousandths of
  /// all. Zero when nothing was counted.
  [[nodiscard]] Duration quantile(unsigned permille) const;
  void clear() { *this = AnswerTimes(); }
  /// What was counted before weighs an eighth less, and `latest` is added: a memory of the last
  /// ten or so of such windows.
  void age_and_add(const AnswerTimes& latest);

 private:
  static constexpr std::size_t kSteps = 42;
  static constexpr Duration kFirstStep = microseconds(64);
  [[nodiscard]] static std::size_t step_of(Duration took);
  [[nodiscard]] static Duration end_of(std::size_t step);

  std::array<std::uint32_t, kSteps> steps_{};
  std::uint32_t count_ = 0;
};

}  // namespace stator

#pragma once

#include <cstddef>
#include <cstdint>

#include "base/time.h"
#include "core/health/answer_times.h"

namespace stator::node {

/// The one budget for background work (D15, D16; paper 6.5: admission control fed back from the
/// latency of the foreground). Read repair, hints, comparisons and transfers all spend from it, in
/// bytes; how many there are per second follows from what clients see: while their slowest answers
/// are as they were without background work the budget grows, and when they become much slower it
/// is halved, down to a trickle that always flows. Pure; one per shard, each with its share.
class BackgroundBudget {
 public:
  /// At most so many; at least a 64th of it.
  explicit BackgroundBudget(std::uint64_t bytes_per_second);

  /// A client was answered after so long.
  void on_foreground(Duration took) { window_.add(took); }
  /// Some times per second; `pressed`: clients are refused, or nearly.
  void look(bool pressed, MonoTime now);

  /// A piece of work of so many bytes has come: how long its sender shall wait before the next one.
  /// Never refuses: what is here might as well be done. Who can be told to wait is told so while
  /// there is still something left for try_take().
  [[nodiscard]] Duration take(std::size_t bytes, MonoTime now);
  /// For work that may be left undone, since somebody will find it again: false, and nothing is
  /// taken, while earlier work is not paid for.
  [[nodiscard]] bool try_take(std::size_t bytes, MonoTime now);

  [[nodiscard]] std::uint64_t bytes_per_second() const { return rate_; }

  /// A piece costs at least so much, whatever its size.
  static constexpr std::size_t kCostMin = 1024;
  static constexpr Duration kLook = milliseconds(250);
  /// Answers that are faster than this are no reason to hold back, whatever they were before.
  static constexpr Duration kAlwaysGood = milliseconds(10);
  static constexpr std::uint32_t kAnswersMin = 20;

 private:
  [[nodiscard]] std::uint64_t least() const { return most_ / 64; }
  void pay(MonoTime now);
  void spend(std::size_t bytes);

  std::uint64_t most_;
  std::uint64_t rate_;
  std::int64_t credit_ = 0;  // bytes; negative: debt
  std::uint64_t spent_ = 0;  // since the last look
  MonoTime paid_at_{};
  MonoTime looked_at_{};
  AnswerTimes window_;  // since the last look that judged it
  AnswerTimes usual_;   // of windows with next to no background work
};

}  // namespace stator::node

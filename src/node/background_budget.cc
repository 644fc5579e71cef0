#include "node/background_budget.h"

#include <algorithm>
#include <utility>

#include "base/probe.h"

namespace stator::node {
namespace {

// What may be spent at once after a rest.
constexpr std::uint64_t kBurstsPerSecond = 4;
constexpr std::uint64_t kStepsToMost = 40;

}  // namespace

BackgroundBudget::BackgroundBudget(std::uint64_t bytes_per_second)
    : most_(std::max<std::uint64_t>(bytes_per_second, 64 * kCostMin)), rate_(most_ / 4) {}

void BackgroundBudget::pay(MonoTime now) {
  const Duration elapsed = now - std::exchange(paid_at_, now);
  const auto burst = static_cast<std::int64_t>(rate_ / kBurstsPerSecond);
  // A rest may be as long as it likes: no integer holds what it earns.
  const double earned = static_cast<double>(rate_) * static_cast<double>(elapsed.ns) / 1e9;
  const bool paid = earned >= static_cast<double>(burst - credit_);
  credit_ = paid ? burst : credit_ + static_cast<std::int64_t>(std::max(earned, 0.0));
}

void BackgroundBudget::spend(std::size_t bytes) {
  const std::size_t cost = std::max(bytes, kCostMin);
  credit_ -= static_cast<std::int64_t>(cost);
  spent_ += cost;
}

Duration BackgroundBudget::take(std::size_t bytes, MonoTime now) {
  pay(now);
  spend(bytes);
  if (credit_ >= 0) return {};
  return microseconds(-credit_ * 1'000'000 / static_cast<std::int64_t>(rate_));
}

bool BackgroundBudget::try_take(std::size_t bytes, MonoTime now) {
  pay(now);
  if (credit_ < 0) {
    STATOR_PROBE("background: left undone, the budget is spent");
    return false;
  }
  spend(bytes);
  return true;
}

void BackgroundBudget::look(bool pressed, MonoTime now) {
  const Duration elapsed = now - looked_at_;
  if (elapsed < kLook) return;
  const bool enough = window_.count() >= kAnswersMin;
  if (!enough && !pressed && elapsed < seconds(2)) return;  // gathers a little longer
  looked_at_ = now;
  const std::uint64_t spent = std::exchange(spent_, 0);
  const Duration limit = std::max(usual_.quantile(990) * 2, kAlwaysGood);
  if (pressed || (enough && window_.quantile(990) > limit)) {
    STATOR_PROBE("background: gives way to clients");
    rate_ = std::max(rate_ / 2, least());
  } else {
    rate_ = std::min(rate_ + most_ / kStepsToMost, most_);
  }
  // What is usual is learned from times in which we were not the cause.
  const auto little = static_cast<std::uint64_t>(static_cast<double>(least()) *
                                                 static_cast<double>(elapsed.ns) / 1e9 / 4);
  if (spent <= little && !pressed) usual_.age_and_add(window_);
  window_.clear();
}

}  // namespace stator::node

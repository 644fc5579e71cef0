#include "node/background_budget.h"

#include <algorithm>
#include <utility>

#include "base/probe.h"

namespace stator::node {
namespace {

// What may be spent at once after a rest.
constexpr std::uint64_t kBurstsPerSecond = 4;
constexpr double kDoublesIn = 2;           // seconds, about
constexpr std::uint64_t kUnusedShare = 8;  // of the most
constexpr std::uint64_t kTrickleShare = 64;

}  // namespace

BackgroundBudget::BackgroundBudget(std::uint64_t bytes_per_second)
    : most_(std::max(bytes_per_second, 16 * kPieceCost)), rate_(most_ / kUnusedShare) {}

std::uint64_t BackgroundBudget::least() const {
  return std::max(most_ / kTrickleShare, kPieceCost);
}

void BackgroundBudget::pay(MonoTime now) {
  const Duration elapsed = now - std::exchange(paid_at_, now);
  const std::uint64_t rate = rate_ / 2;
  const auto burst = static_cast<std::int64_t>(rate / kBurstsPerSecond);
  // A rest may be as long as it likes: no integer holds what it earns.
  const double earned = static_cast<double>(rate) * static_cast<double>(elapsed.ns) / 1e9;
  const bool paid = earned >= static_cast<double>(burst - credit_);
  credit_ = paid ? burst : credit_ + static_cast<std::int64_t>(std::max(earned, 0.0));
}

bool BackgroundBudget::try_take(std::uint64_t cost, MonoTime now) {
  pay(now);
  if (credit_ < 0) {
    STATOR_PROBE("background: left undone, the budget is spent");
    return false;
  }
  credit_ -= static_cast<std::int64_t>(cost);
  note(cost);
  return true;
}

void BackgroundBudget::look(bool pressed, MonoTime now) {
  const Duration elapsed = now - looked_at_;
  if (elapsed < kLook) return;
  const bool tells = clients_.can_tell() || copies_.can_tell();
  if (!tells && !pressed && elapsed < kLookMax) return;  // gathers a little longer
  looked_at_ = now;
  const double spent = static_cast<double>(std::exchange(spent_, 0)) * 1e9 /
                       static_cast<double>(elapsed.ns);  // per second
  const auto rate = static_cast<double>(rate_);
  // What is usual is learned from times in which we were not the cause.
  const bool calm = !pressed && spent <= static_cast<double>(least()) / 4;
  const double slowness = std::max(clients_.judge(calm), copies_.judge(calm));
  const bool used = rate_ < most_ / kUnusedShare || spent >= rate / 4;
  if (pressed || slowness >= kTooSlow) {
    STATOR_PROBE("background: gives way to clients");
    rate_ = std::max(rate_ / 2, least());
  } else if (slowness < kSlower && used) {
    const double time_s = static_cast<double>(std::min(elapsed, kLookMax).ns) / 1e9;
    const auto more = static_cast<std::uint64_t>(rate * time_s / kDoublesIn);
    rate_ = std::min(rate_ + more, most_);
  }
}

}  // namespace stator::node

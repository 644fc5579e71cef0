#include "core/load/drain_shares.h"

#include <algorithm>

namespace stator {

DrainShares::Sender& DrainShares::sender_of(std::uint64_t id, MonoTime now) {
  std::erase_if(senders_, [now](const Sender& sender) {
    return now - std::max(sender.heard, sender.due) > kForgetAfter;
  });
  const auto known =
      std::ranges::find_if(senders_, [id](const Sender& sender) { return sender.id == id; });
  if (known != senders_.end()) return *known;
  return senders_.emplace_back(
      Sender{.id = id, .pace = kPaceMin, .due = now - kSlack, .heard = now});
}

Duration DrainShares::pause(std::uint64_t sender, std::uint64_t cost, std::uint64_t pace,
                            Rates rates, MonoTime now) {
  Sender& own = sender_of(sender, now);
  own.pace = std::max(pace, kPaceMin);
  own.heard = now;
  std::uint64_t needed = 0;
  for (const Sender& each : senders_) needed += each.pace;
  const std::uint64_t granted = std::max({rates.now, std::min(needed, rates.most), kPaceMin});
  const double share = static_cast<double>(own.pace) / static_cast<double>(needed);
  const double wait_s = static_cast<double>(cost) / (static_cast<double>(granted) * share);
  // A sender that asks for very little waits for ever, as far as integers go.
  const Duration wait =
      wait_s < 1'000 ? nanoseconds(static_cast<std::int64_t>(wait_s * 1e9)) : seconds(1'000);
  own.due = std::min(std::max(own.due, now - kSlack) + wait, now + kPauseMax);
  return std::max(own.due - now, Duration{});
}

}  // namespace stator

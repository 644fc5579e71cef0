#pragma once

#include <cstdint>

#include "base/time.h"

namespace stator {

/// How fast one node gives an owner that has come back what it keeps for it (paper 4.6; D15, G22).
/// Delivery has two minutes, and clients wait less the more evenly it is spread over them. So the
/// pace is the one that ends in about half of that time; a small backlog goes faster, since it
/// harms nobody; and both begin slowly, since an owner that has just started has enough to do.
/// Beside it the pace names the *least* that ends in time, for the owner to know what it may ask
/// for. Never faster than `most`, which is what this node can spare for it, but for the least.
///
/// No pace falls while the backlog does, or it would never end. When all that there was has been
/// met, what is left has come since, or cannot be delivered: it has a time of its own, and paces of
/// its own. Time is that in which the owner is there. One that comes and goes is given neither a
/// new time nor a slow beginning with each return, or it would never have all.
///
/// Amounts are what the work costs, in bytes (node/background_budget.h), so that many small objects
/// and few large ones are paced alike. A piece may be sent while the one before is paid for: a
/// large one goes at once and is waited for afterwards. Pure; one per owner and shard.
class DrainPace {
 public:
  /// Before anything is sent, and some times per second: `backlog` is left. The first call begins.
  void look(std::uint64_t backlog, std::uint64_t most, MonoTime now);
  [[nodiscard]] bool may_send() const { return credit_ >= 0; }
  void on_sent(std::uint64_t cost) { credit_ -= static_cast<double>(cost); }
  /// All that there was when this time began has been met, and is delivered or cannot be. `failed`:
  /// but for some that may be delivered later; these keep the time that they have, while it lasts.
  void on_walked(bool failed);
  /// The owner is away. Is it back soon, then all goes on as it was; else the next look() begins
  /// anew, as with one that has just started. May be said again and again.
  void rest();
  /// Nothing is left: the next look() begins anew.
  void end() { *this = DrainPace(); }

  [[nodiscard]] std::uint64_t per_second() const { return rate_; }
  [[nodiscard]] std::uint64_t least_per_second() const { return least_; }

  static constexpr Duration kAim = seconds(50);
  static constexpr Duration kLatest = seconds(100);
  /// As a backlog of kAim of these, or less, goes.
  static constexpr std::uint64_t kSmall = 1 << 20;
  /// In the first second; doubled in each that follows.
  static constexpr std::uint64_t kStart = kSmall / 8;
  /// No backlog goes slower in the end.
  static constexpr std::uint64_t kTrickle = 16 << 10;
  /// What was not sent in time is made up for, as far as this.
  static constexpr Duration kBurst = milliseconds(20);
  /// Who is away for longer may have been started anew. So long, too, is remembered that somebody
  /// comes and goes (PeerHealth).
  static constexpr Duration kForgetAfter = seconds(10);

 private:
  void begin_time();

  bool under_way_ = false;
  MonoTime looked_at_{};
  Duration served_{};  // while the owner was there: how far the slow beginning is
  Duration spent_{};   // the same, of kAim and kLatest
  // Bytes per second that end in kAim, in kLatest; never less than they were in this time.
  std::uint64_t aimed_ = 0;
  std::uint64_t least_ = 0;
  std::uint64_t rate_ = 0;
  double credit_ = 0;  // bytes; negative: to be paid for
};

}  // namespace stator

#pragma once

#include <cstdint>

#include "base/time.h"
#include "core/load/drain_shares.h"
#include "core/load/usual_time.h"

namespace stator::node {

/// The one budget for background work (D15, D16; paper 6.5: admission control fed back from the
/// latency of the foreground). How much there is per second follows from how long clients wait
/// here, and those of peers for copies that are kept here: while that is as usual the budget grows,
/// when it takes twice as long it is halved, down to a trickle that always flows. What nobody uses
/// does not grow beyond an eighth, so that whatever begins, begins slowly.
///
/// Half of it is for hints, delivered here or from here, half for repairs and looks: neither can
/// use up what the other one needs. Amounts are bytes, and each piece of work costs some more
/// whatever its size: see cost(). Pure; one per shard, each with its share.
class BackgroundBudget {
 public:
  /// At most so many.
  explicit BackgroundBudget(std::uint64_t bytes_per_second);

  /// Of work that comes in pieces, in bytes of a large one.
  [[nodiscard]] static constexpr std::uint64_t cost(std::uint64_t pieces, std::uint64_t bytes) {
    return pieces * kPieceCost + bytes;
  }

  /// A client was answered after so long.
  void on_foreground(Duration took) { clients_.add(took); }
  /// So long it took to keep a copy of what a client writes through another node.
  void on_copy(Duration took) { copies_.add(took); }
  /// Some times per second; `pressed`: clients are refused, or nearly.
  void look(bool pressed, MonoTime now);

  /// Work that is done whatever is left: it has come from a peer, or is paced otherwise.
  void note(std::uint64_t cost) { spent_ += cost; }
  /// For who was sent a hint, beside note(): how long its sender shall wait before the next one.
  /// See DrainShares::pause.
  [[nodiscard]] Duration pause(std::uint64_t sender, std::uint64_t cost, std::uint64_t pace,
                               MonoTime now) {
    return shares_.pause(sender, cost, pace, {.now = rate_ / 2, .most = most_ / kOwedShare}, now);
  }
  /// What may be spent on hints.
  [[nodiscard]] std::uint64_t hints_per_second() const { return rate_ / 2; }
  /// For work that may be left undone, since somebody will find it again: false, and nothing is
  /// taken, while earlier such work is not paid for.
  [[nodiscard]] bool try_take(std::uint64_t cost, MonoTime now);

  [[nodiscard]] std::uint64_t bytes_per_second() const { return rate_; }

  /// A piece keeps the processors of both nodes busy for about as long as so many bytes of a large
  /// one do: messages, a read, its part of a batch.
  static constexpr std::uint64_t kPieceCost = 4096;
  /// Of the most: what hints get that would else be late, however long clients wait.
  static constexpr std::uint64_t kOwedShare = 8;
  static constexpr Duration kLook = milliseconds(250);
  /// Where few answers come it takes longer until they tell something.
  static constexpr Duration kLookMax = seconds(2);
  static constexpr double kTooSlow = 2;
  static constexpr double kSlower = 1.5;  // no time to grow

 private:
  [[nodiscard]] std::uint64_t least() const;
  void pay(MonoTime now);

  std::uint64_t most_;
  std::uint64_t rate_;
  std::int64_t credit_ = 0;  // of repairs: bytes; negative: debt
  std::uint64_t spent_ = 0;  // since the last look
  MonoTime paid_at_{};
  MonoTime looked_at_{};
  UsualTime clients_;
  UsualTime copies_;
  DrainShares shares_;
};

}  // namespace stator::node

#pragma once

#include <cstddef>
#include <cstdint>

#include "base/time.h"

namespace stator {

/// Whether this node may judge others (Lifeguard: local health awareness for SWIM, 2018). A node
/// that is overloaded, swapped out or stopped sees late answers everywhere and would accuse
/// everybody. Its own timers tell: if they fire late, so does everything else here. Then its
/// patience with others is stretched, and comes back step by step when its timers are punctual.
/// Pure; one per shard.
class SelfDoubt {
 public:
  /// A timer of this loop fired so much after it was due.
  void on_timer(Duration late, MonoTime now);
  /// Of `judged` peers, `bad` look silent at the same moment: either a catastrophe or ourselves.
  void on_look(std::size_t bad, std::size_t judged, MonoTime now);

  /// By what patience is multiplied, from 1 to kStretchMax.
  [[nodiscard]] int stretch() const { return 1 + level_; }

  static constexpr int kStretchMax = 4;
  /// A timer that is later than this was not merely in a queue behind the turn's work.
  static constexpr Duration kLate = milliseconds(60);
  static constexpr Duration kVeryLate = milliseconds(300);
  /// How long it must be punctual before it trusts itself one step more.
  static constexpr Duration kRecovery = seconds(1);

 private:
  void doubt(int steps, int most, MonoTime now);

  int level_ = 0;
  MonoTime changed_{};
};

}  // namespace stator

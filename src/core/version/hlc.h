#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/time.h"

namespace stator {

/// A hybrid logical time: wall microseconds in the high 52 bits, a logical counter in the low 12.
/// Orders plain (Redis) writes and last-write-wins buckets; never decides causality (D6).
struct Hlc {
  std::uint64_t value = 0;
  auto operator<=>(const Hlc&) const = default;
  [[nodiscard]] WallTime wall() const { return {static_cast<std::int64_t>(value >> 12)}; }
  static Hlc from_wall(WallTime wall) { return {static_cast<std::uint64_t>(wall.us) << 12}; }
};

/// A time at which nothing is old enough to be forgotten.
inline constexpr WallTime kNothingAges{0};

/// Keeps this node's idea of the time honest (design 4.2 "Time", D6): a node whose clock is more
/// than `kSkewMax` from the median of its peers stamps with the peers' time and says so; a stamp
/// from the future moves nobody's clock by more than that bound. Not thread-safe: one per shard.
class HybridClock {
 public:
  static constexpr Duration kSkewMax = seconds(1);
  /// How long the word of a majority lasts.
  static constexpr Duration kVouchedFor = seconds(10);

  /// What this node's two clocks show, and how many members the cluster has, this one included.
  struct Moment {
    WallTime local{};
    MonoTime now{};
    std::size_t members = 1;
  };

  /// The peers' clocks minus ours at `moment`, as measured by pings; the median counts, ours (0)
  /// included; of two middle ones the nearer to ours. `offsets` has one entry per peer that
  /// answered lately.
  void set_peer_offsets(std::span<const Duration> offsets, const Moment& moment);
  /// The wall clock corrected to the peers' median when it is more than kSkewMax away. This is the
  /// time that judges expiry and dates write ids.
  [[nodiscard]] WallTime guarded(WallTime local) const;
  /// The time by which something may be forgotten for good because it is old. Unlike guarded() it
  /// is not believed on this node's word: it is the guarded time when more than half of all members
  /// (this one included, if it agrees) were last seen within kSkewMax of it, carried on by the
  /// monotonic clock. kNothingAges when that was never, or is more than kVouchedFor ago: a node
  /// that is cut off forgets nothing, whatever its clock does meanwhile.
  [[nodiscard]] WallTime ageing_now(MonoTime now) const;
  /// True while the correction is on: an alarm in `status`.
  [[nodiscard]] bool skewed() const { return skewed_; }
  /// A time later than `floor` (what the write supersedes, and what its connection has seen), at
  /// least the guarded wall time, and later than every time issued here, with two exceptions. A
  /// floor that lies more than kSkewMax in the future is exceeded for this one stamp, but does not
  /// move later stamps of other keys. Stamps issued before our own clock was set back by more than
  /// kSkewMax are forgotten, or one wrong hour would be stamped for an hour. At the end of the
  /// range (year 2112, or a forged floor) it stays at the greatest time.
  [[nodiscard]] Hlc stamp(WallTime local, Hlc floor);

 private:
  Duration correction_{};
  bool skewed_ = false;
  bool vouched_ = false;     // by a majority, some time
  WallTime vouched_time_{};  // guarded, when it was vouched for last
  MonoTime vouched_at_{};
  Hlc last_{};
};

}  // namespace stator

#pragma once

#include <cstddef>
#include <cstdint>

#include "base/assert.h"
#include "base/time.h"

namespace stator {

/// What one more request of a client would find (D33).
enum class Room : std::uint8_t {
  kNone,    // it is refused as overload
  kLittle,  // it is begun, and is one of the last
  kPlenty,  // so that somebody who has many requests may begin several of them
};

/// Whether one more request of a client may begin (D33, P8). What is let in is answered within
/// about kWaitMax: as many may wait as are answered in that time, by the rate at which answers
/// leave now. What is more is refused at once, which costs little, so that the work that is done is
/// for those who still wait for it. A few may always wait, whatever the rate: bursts of
/// well-behaved clients are no overload, and a node that does nothing for a moment refuses nobody.
///
/// The limit looks at the real queue: `waiting` is the number of requests begun and not answered,
/// counted where they begin and end. Pure; one per shard.
class Admission {
 public:
  /// `most`: however fast answers leave.
  explicit Admission(std::size_t most) : most_(most), limit_(most < kAlways ? most : kAlways) {}

  [[nodiscard]] bool admits() const { return waiting_ < limit_; }
  [[nodiscard]] Room room() const {
    if (!admits()) return Room::kNone;
    return 16 * waiting_ < 15 * limit_ ? Room::kPlenty : Room::kLittle;
  }
  void on_begin() { ++waiting_; }
  void on_answer() {
    STATOR_ASSERT(waiting_ > 0);
    --waiting_;
    ++answered_;
  }
  /// Some times per second.
  void look(MonoTime now);

  [[nodiscard]] std::size_t waiting() const { return waiting_; }
  [[nodiscard]] std::size_t limit() const { return limit_; }
  /// The limit was reached a moment ago, or nearly: nothing that can wait should be begun.
  [[nodiscard]] bool pressed() const { return 4 * waiting_ > 3 * limit_; }

  static constexpr Duration kWaitMax = milliseconds(100);
  /// Twice what is under way in a node of three at their peak on one core (G21): more than that
  /// only waits.
  static constexpr std::size_t kAlways = 2048;
  static constexpr Duration kLook = milliseconds(50);

 private:
  std::size_t most_;
  std::size_t limit_;
  std::size_t waiting_ = 0;
  std::uint64_t answered_ = 0;  // since the last look
  std::uint64_t per_wait_ = 0;  // answers per kWaitMax, smoothed
  MonoTime looked_at_{};
};

}  // namespace stator

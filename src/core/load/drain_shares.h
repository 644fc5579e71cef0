#pragma once

#include <cstdint>
#include <vector>

#include "base/time.h"

namespace stator {

/// How an owner that comes back divides what it takes of hints among all who keep some for it
/// (D15): each piece is answered with how long its sender shall wait before the next. A sender gets
/// a part of the whole in proportion to the pace that it needs to end in time (DrainPace), so that
/// all end at about the same time, and none is starved by others. The whole is what the owner can
/// spare now; when that is less than what all need together, it is what they need, up to what the
/// owner bears in any case: busy clients make delivery late, not endless, and no backlog floods.
///
/// Each sender has a clock of its own, which its pieces put forward: so one that has several pieces
/// under way is not let in faster. Who is not heard for a while has no part any more. Pure; one per
/// shard.
class DrainShares {
 public:
  /// In bytes per second.
  struct Rates {
    std::uint64_t now = 0;   // to spare
    std::uint64_t most = 0;  // of what is needed beyond that
  };
  /// A piece of `cost` bytes has come from `sender` (any number that tells it from others), which
  /// needs `pace` bytes per second; 0: it does not say.
  [[nodiscard]] Duration pause(std::uint64_t sender, std::uint64_t cost, std::uint64_t pace,
                               Rates rates, MonoTime now);

  /// What a sender needs at least.
  static constexpr std::uint64_t kPaceMin = 16 << 10;
  /// Nobody is told to wait longer: much may change meanwhile.
  static constexpr Duration kPauseMax = seconds(10);
  static constexpr Duration kForgetAfter = seconds(2);
  /// Who was late is let in earlier, as far as this.
  static constexpr Duration kSlack = milliseconds(50);

 private:
  struct Sender {
    std::uint64_t id = 0;
    std::uint64_t pace = 0;
    MonoTime due{};  // when what it has sent is paid for
    MonoTime heard{};
  };
  Sender& sender_of(std::uint64_t id, MonoTime now);

  std::vector<Sender> senders_;  // few: nodes, or shards of them
};

}  // namespace stator

#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/ids.h"
#include "base/time.h"

namespace stator {

/// What one ping says of the process that sent it.
struct Sighting {
  Incarnation incarnation{};
  std::uint64_t link = 0;  // drawn anew whenever the sender's link came up; 0: not told
  std::uint64_t sent = 0;  // on the sender's monotonic clock, in nanoseconds
  unsigned shard = 0;      // of the sender, whose link it was
};

/// Who claims to be one node (D2, D3): the processes whose pings come under its name, and which of
/// them are refused, since two ran at a time. A disk that was copied and started beside its
/// original gives two incarnations; a machine that was copied while it ran gives one incarnation
/// twice. Who is refused stays so; a process that starts anew is no longer meant.
///
/// An honest restart must never look like that, although frames may be lost, late, repeated, or
/// come again a minute after their sender has died, and although clocks of two processes cannot be
/// compared. So neither the order of arrival proves anything, nor that something is heard of both:
///
/// - Of one incarnation: a process uses its links one after the other. What it sent on one lies
///   before all that it sent on the next, on its own clock and however late it arrives. Two links
///   whose times overlap are those of two processes. That is proof, at the third ping.
/// - Of two incarnations: of a dead process only what was under way can still come, and that is no
///   more than a connection holds before it is given up, 5 s. Both run when for kSideBySide each
///   has been heard with ever newer pings, as far apart on its own clock as on ours.
///
/// Pure; the sightings of all shards of a node belong into one.
class Claimants {
 public:
  /// True when this one shows that a process has to be refused that was not refused before.
  bool see(const Sighting& sighting, MonoTime now);
  /// The processes that are refused.
  [[nodiscard]] std::vector<Incarnation> refused() const;

  static constexpr Duration kSideBySide = seconds(20);
  /// A process that was not heard for longer than this is not being heard.
  static constexpr Duration kGapMax = seconds(3);
  /// By how much the time between two pings may differ on the two clocks: what is late, or was held
  /// up and comes in one go, does not show that its sender runs now.
  static constexpr Duration kPaceSlack = seconds(1);
  /// More are forgotten, those that were not heard for longest first (P8).
  static constexpr std::size_t kProcessesMax = 8;
  static constexpr std::size_t kLinksMax = 64;

 private:
  struct Link {
    unsigned shard = 0;
    std::uint64_t id = 0;
    std::uint64_t first_sent = 0;
    std::uint64_t last_sent = 0;
  };
  struct Process {
    Incarnation incarnation{};
    bool refused = false;
    MonoTime heard_from{};  // since when it has been heard at the pace of its own clock
    MonoTime heard_until{};
    std::uint64_t sent_from = 0;  // what its clock showed then
    std::uint64_t sent_until = 0;
    std::vector<Link> links;  // the one used last is the last
  };

  Process& process_of(const Sighting& sighting, MonoTime now);
  static bool on_two_links_at_once(Process& process, const Sighting& sighting);
  static void keep_pace(Process& process, std::uint64_t sent, MonoTime now);
  static bool side_by_side(const Process& a, const Process& b);

  std::vector<Process> processes_;
};

}  // namespace stator

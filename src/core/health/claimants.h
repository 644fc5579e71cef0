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
  bool stopping = false;   // it is about to end, as it says
};

/// Who claims to be one node (D2, D3): the processes whose pings come under its name, and which of
/// them are refused, since two ran at a time. A disk that was copied and started beside its
/// original gives two incarnations; a machine that was copied while it ran gives one incarnation
/// twice. Who is refused stays so, and is no claimant any more; a process that starts anew is not
/// meant.
///
/// An honest restart must never look like that, although frames may be lost, late, repeated, or
/// come again a minute after their sender has died, and although clocks of two processes cannot be
/// compared. So neither the order of arrival proves anything, nor that something is heard of both:
///
/// - Of one incarnation: a process uses its links one after the other. What it sent on one lies
///   before all that it sent on the next, on its own clock and however late it arrives. Two links
///   whose times overlap are those of two processes. That is proof, at the third ping. A copy whose
///   clock stands further back than this node remembers shows itself by two links that are heard
///   side by side, one of them kLagMin later than the other: no link is so late, and where the lag
///   is less, their times overlap before long.
/// - Of two incarnations: both are claimants when for kSideBySide each has been heard with ever
///   newer pings, as far apart on its own clock as on ours. What is buffered on the way may come
///   at this pace after its sender's death, and a copy that runs anywhere dials its peers, but they
///   dial only the address in the history. Hence the one is refused of which this is proved: the
///   other one has answered at that address what it was asked since both are heard. Both are
///   refused when both answer there, as behind one shared address; when neither does, it is waited
///   for an answer. Who announces that it stops is no claimant: its successor may run already.
///
/// Pure; the sightings of all shards of a node belong into one.
class Claimants {
 public:
  /// How many processes have to be refused, as this one shows, that were not refused before.
  std::size_t see(const Sighting& sighting, MonoTime now);
  /// This process was asked at the node's address at `asked` on our clock, and has answered.
  void answered(Incarnation process, MonoTime asked);
  /// The processes that are refused.
  [[nodiscard]] std::vector<Incarnation> refused() const;

  static constexpr Duration kSideBySide = seconds(20);
  /// A process that was not heard for longer than this is not being heard; or than three times the
  /// longest time between two of its pings within kRecent, if that is more.
  static constexpr Duration kGapMax = seconds(3);
  static constexpr Duration kRecent = seconds(200);
  /// Nothing is remembered of longer ones. No setting asks for less than a ping in this time.
  static constexpr Duration kIntervalMax = seconds(60);
  /// By how much the time between two pings may differ on the two clocks: what is late, or was held
  /// up and comes in one go, does not show that its sender runs now.
  static constexpr Duration kPaceSlack = seconds(1);
  /// See above. Far more than a connection holds before it is given up (5 s) and its proxies add.
  static constexpr Duration kLagMin = seconds(60);
  /// More are forgotten, those that were not heard for longest first (P8). Links are counted for
  /// each shard by itself, so that many shards do not push out each other's.
  static constexpr std::size_t kProcessesMax = 8;
  static constexpr std::size_t kLinksMax = 8;

 private:
  /// Pings that come as far apart as they were sent.
  struct Pace {
    MonoTime heard_from{};  // since when they do
    MonoTime heard_until{};
    std::uint64_t sent_from = 0;  // what the sender's clock showed then
    std::uint64_t sent_until = 0;
    // The longest time between two pings of late, in two stretches of kRecent each.
    Duration longest{};
    Duration longest_before{};
    std::uint64_t stretch_from = 0;
  };
  struct Link {
    unsigned shard = 0;
    std::uint64_t id = 0;
    std::uint64_t first_sent = 0;
    std::uint64_t last_sent = 0;
    Pace pace;
  };
  struct Process {
    Incarnation incarnation{};
    bool refused = false;
    MonoTime answered_at{};   // asked then at the node's address, it has answered; 0: never
    Pace pace;                // of what it sent on any link
    std::vector<Link> links;  // the one used last is the last
  };

  Process& process_of(const Sighting& sighting, MonoTime now);
  static bool on_two_links_at_once(Process& process, const Sighting& sighting, MonoTime now);
  static bool of_two(const Link& a, const Link& b);
  static Pace begin(std::uint64_t sent, MonoTime now);
  static void keep(Pace& pace, std::uint64_t sent, MonoTime now);
  static MonoTime beside_from(const Pace& a, const Pace& b);
  static bool side_by_side(const Pace& a, const Pace& b);

  std::vector<Process> processes_;
};

}  // namespace stator

#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "env_sim/random.h"

// What may go wrong in a run, by name. How it does is the adversary's (sim/adversary.h).

namespace stator::sim {

/// Families of faults that a run can have.
enum class FaultFamily : std::uint8_t {
  kMessages,  // frames late, lost, doubled, overtaken, damaged, cut short, played again; thin links
  kLinks,     // connections between nodes reset, at both ends or at one
  kStreams,   // client connections reset, and their bytes in awkward pieces
  kCuts,      // paths between nodes, one way or both, in every shape; flapping, one by one
  kDoors,     // paths between clients and nodes
  kCrash,     // loss of power: what was not synced is lost or torn; all nodes at once too
  kKill,      // kill -9, of all at once too
  kRestart,   // SIGTERM and a new start, of all in turn too
  kPause,     // 1 ms to minutes
  kDisk,      // slow syncs and calls, up to seconds
  kCpu,       // a host that computes many times slower
  kClock,     // skew, drift, frozen, leap seconds, jumps of up to a year
  kLimits,    // small queues, short and long times, few siblings; other ones after a restart
  kBuggify,   // the program takes rare ways of its own accord (env/buggify.h)
  // They strike only where they are asked for, and runs with them are judged more mildly
  // (docs/simulator.md):
  kFsync,  // syncs fail, and what they covered may be lost (D31)
  kIo,     // reads and writes fail, some of them half done; files and disks that fail for ever
  kFull,   // no room on the disk, for data or for any call (D29)
  kRot,    // bits flip, writes go astray, blocks read as before, records cannot be read (D30)
  kWipe,   // a node loses its disk, or comes back with an old image or another's (D1, D3)
};
inline constexpr std::size_t kFaultFamilies = 19;
[[nodiscard]] const char* to_string(FaultFamily family);

/// One bit per family.
using FaultSet = std::uint32_t;
inline constexpr FaultSet kEveryFault = (1U << kFaultFamilies) - 1;
/// What the product promises to survive: "all".
inline constexpr FaultSet kAllFaults = (1U << static_cast<unsigned>(FaultFamily::kFsync)) - 1;
[[nodiscard]] constexpr bool has(FaultSet set, FaultFamily family) {
  return ((set >> static_cast<unsigned>(family)) & 1U) != 0;
}
/// Nothing is taken from a disk, be it synced or not.
[[nodiscard]] bool keeps_files(FaultSet set);
/// A disk, or some of what was synced on it, may be lost.
[[nodiscard]] constexpr bool loses_disk(FaultSet set) {
  return has(set, FaultFamily::kWipe) || has(set, FaultFamily::kRot);
}
/// Nodes may be cut off from all others, or be dead, for a while.
[[nodiscard]] constexpr bool keeps_away(FaultSet set) {
  return has(set, FaultFamily::kCuts) || has(set, FaultFamily::kKill) ||
         has(set, FaultFamily::kCrash);
}
/// "all", "disks" (all, and those that strike only where they are asked for), "none", or names
/// separated by commas.
[[nodiscard]] Result<FaultSet> parse_faults(std::string_view text);
/// "all" and "disks" are groups, of which each run draws its own; families that are named one by
/// one are all there.
[[nodiscard]] bool names_group(std::string_view text);
[[nodiscard]] std::string describe_faults(FaultSet set);
/// Each family of `wanted` with probability one half, so that faults also meet without each other.
[[nodiscard]] FaultSet draw_swarm(FaultSet wanted, Random& random);

/// Which kinds of fault a run has within its families: lost frames but no doubled ones, say, or
/// cuts of one shape only. Kinds are numbered by whoever makes them.
class FaultMenu {
 public:
  /// Everything.
  FaultMenu() { kinds_.fill(UINT32_MAX); }
  /// Each kind with probability one half.
  [[nodiscard]] static FaultMenu draw(Random& random);
  [[nodiscard]] bool allows(FaultFamily family, unsigned kind) const {
    return ((kinds_[static_cast<std::size_t>(family)] >> kind) & 1U) != 0;
  }
  /// One of the first `kinds` that is allowed; any of them where none is.
  [[nodiscard]] unsigned choose(FaultFamily family, unsigned kinds, Random& random) const;

 private:
  std::array<std::uint32_t, kFaultFamilies> kinds_{};
};

}  // namespace stator::sim

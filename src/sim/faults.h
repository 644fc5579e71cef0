#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "env_sim/partition.h"
#include "env_sim/world.h"

namespace stator::sim {

/// Families of faults that a run can have.
enum class FaultFamily : std::uint8_t {
  kMessages,  // frames late, lost, doubled, overtaken, damaged, cut short, played again
  kStreams,   // client connections reset, and their bytes in awkward pieces
  kCuts,      // paths between nodes, one way or both, in every shape; flapping
  kDoors,     // paths between clients and nodes
  kCrash,     // loss of power: what was not synced is lost or torn; all nodes at once too
  kKill,      // kill -9
  kPause,     // 1 ms to minutes
  kDisk,      // slow syncs, up to seconds
  kCpu,       // a host that computes many times slower
  kClock,     // skew, drift, jumps of up to a year
};
inline constexpr std::size_t kFaultFamilies = 10;
[[nodiscard]] const char* to_string(FaultFamily family);

/// One bit per family.
using FaultSet = std::uint32_t;
inline constexpr FaultSet kAllFaults = (1U << kFaultFamilies) - 1;
[[nodiscard]] constexpr bool has(FaultSet set, FaultFamily family) {
  return ((set >> static_cast<unsigned>(family)) & 1U) != 0;
}
/// "all", "none", or names separated by commas.
[[nodiscard]] Result<FaultSet> parse_faults(std::string_view text);
[[nodiscard]] std::string describe_faults(FaultSet set);
/// Each family of `wanted` with probability one half, so that faults also meet without each other.
[[nodiscard]] FaultSet draw_swarm(FaultSet wanted, Random& random);

struct FaultCounters {
  std::uint64_t crashes = 0;
  std::uint64_t kills = 0;
  std::uint64_t pauses = 0;
  std::uint64_t cuts = 0;
  std::uint64_t slow = 0;
  std::uint64_t clock_changes = 0;
};

/// Breaks things, from start() to heal(), as drawn from its random stream: each family in its own
/// rhythm, each fault for its own time. Nodes are the first hosts of the world.
class Adversary {
 public:
  using StartNode = std::function<void(std::uint32_t)>;

  Adversary(World& world, std::vector<std::uint32_t> nodes, std::vector<std::uint32_t> clients,
            FaultSet families, Random random, StartNode start_node);

  void start(MonoTime until);
  /// Ends every fault and starts every node that is down.
  void heal();
  [[nodiscard]] const FaultCounters& counters() const { return counters_; }

 private:
  using Strike = void (Adversary::*)();
  struct Rhythm {
    FaultFamily family;
    Strike strike;
    Duration shortest;  // mean time between two strikes lies between these
    Duration longest;
  };
  void beat(FaultFamily family, Strike strike, Duration mean);
  void set_messages();
  void set_streams();
  void cut_nodes();
  void flap(Cuts cuts, int times);
  void cut_doors();
  void apply(const Cuts& cuts, bool cut);
  void crash();
  void kill();
  void take_down(std::uint32_t node, bool power);
  void pause();
  void slow_disk();
  void slow_cpu();
  void disturb_clock();
  [[nodiscard]] Duration draw_time(Duration shortest, Duration longest);
  [[nodiscard]] std::uint32_t any_node() { return nodes_[random_.below(nodes_.size())]; }
  /// Later, unless all was healed before.
  template <typename Action>
  void later(Duration delay, Action action);

  World& world_;
  std::vector<std::uint32_t> nodes_;
  std::vector<std::uint32_t> clients_;
  FaultSet families_;
  Random random_;
  StartNode start_node_;
  FaultCounters counters_;
  MonoTime until_{};
  bool active_ = false;
};

}  // namespace stator::sim

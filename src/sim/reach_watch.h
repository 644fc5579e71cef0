#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "env_sim/world.h"
#include "sim/reach.h"
#include "sim/refusals.h"

namespace stator::sim {

/// Shows the judge of refusals what becomes of the nodes of a world: how each and the paths between
/// them are, whenever somebody has changed that, and whenever a write is answered. It changes
/// nothing: no event, no draw, no time.
class ReachWatch final : public AnswerWitness {
 public:
  struct Options {
    std::uint32_t nodes = 0;  // the first hosts of the world
    std::size_t spare = 0;    // see Refusals
    /// What runs on a node is up, and not about to end.
    std::function<bool(Program&)> serves;
  };
  /// `world` outlives it.
  ReachWatch(World& world, Options options);

  /// After each fault that begins or ends. Harmless at any other time, in a turn too.
  void look();
  /// Nothing is owed from now on: a disk is lost, and nobody knows who trusts whom.
  void give_up() { given_up_ = true; }
  /// In a turn of the node.
  void on_answered(const AnsweredWrite& write) override;
  [[nodiscard]] const Refusals& refusals() const { return refusals_; }

 private:
  struct Disk {
    bool fails = false;              // as of the last look
    std::uint64_t failed_under = 0;  // the process that it failed last; 0: none
  };
  [[nodiscard]] Reach::State look_at(std::uint32_t node);

  World& world_;
  Options options_;
  Reach reach_;
  Refusals refusals_;
  std::vector<Disk> disks_;  // by node
  bool given_up_ = false;
};

/// What a path between two nodes amounts to.
[[nodiscard]] Reach::State state_of_path(bool cut, const NetworkFaults& faults);
/// Its calls and syncs take no longer than those of a disk that is well.
[[nodiscard]] bool is_quick(const DiskFaults& faults);

}  // namespace stator::sim

#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/membership/history.h"
#include "env_sim/world.h"
#include "sim/copies.h"
#include "sim/operation_log.h"
#include "sim/rotting_engine.h"

namespace stator::sim {

/// Records that nodes have stored and that rot where they stand, whichever and how, and what has to
/// become of them (I17): each that is met is counted as unreadable, and in the end all are mended.
/// Only what another owner holds too may rot, each record once, and all of a run on one node (who
/// strikes sees to that): so that what W acknowledged stands on good copies. What answers say
/// meanwhile others judge. A record once only, since what restored it may come again, late, when
/// more was acknowledged on it.
class RottenRecords {
 public:
  /// `world` and `log` outlive it. `founding` is complete, and its founders run on `hosts`, which
  /// are the first of the world.
  RottenRecords(World& world, std::vector<std::uint32_t> hosts, const Founding& founding,
                OperationLog& log);

  /// For each start of a node: its engine rots from then on.
  [[nodiscard]] std::unique_ptr<storage::EngineHome> wrap(
      std::uint32_t node, std::unique_ptr<storage::EngineHome> home);
  /// Some records of `node` rot, in the next turns of their shards.
  void strike(std::uint32_t node, Random random);
  /// When all nodes are up and nothing is broken any more: whatever is rotten still is asked for,
  /// from all its owners, until it is mended. Nothing rots afterwards. What breaks I17. `run_for`
  /// lets time pass.
  [[nodiscard]] std::vector<std::string> have_mended(const std::function<void(Duration)>& run_for);

  /// Records that ever rotted, and reads that met them.
  [[nodiscard]] std::uint64_t spoilt() const;
  [[nodiscard]] std::uint64_t met() const;

 private:
  /// One that has rotted: at which node, of which key of the log.
  struct Rotted {
    std::uint32_t node = 0;
    std::uint32_t key = 0;
  };
  void spoil(std::uint32_t node, std::uint32_t key, Rot rot, Random random);
  [[nodiscard]] bool held_elsewhere(std::uint32_t node, const KeyLog& log);
  [[nodiscard]] std::vector<Rotted> still_rotten();
  void ask(std::uint32_t key, std::uint32_t pass);

  World& world_;
  const std::vector<std::uint32_t> hosts_;
  OperationLog& log_;
  Copies copies_;
  const std::uint8_t n_;
  std::map<std::uint32_t, RottenPlaces> nodes_;
  std::uint64_t met_before_ = 0;  // by processes that have ended
  bool over_ = false;
};

}  // namespace stator::sim

#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "env_sim/world.h"
#include "sim/holdings.h"

namespace stator::node {
class Shard;
}

namespace stator::sim {

/// Looks at the nodes of a run from outside, between the events of the world, and changes nothing:
/// no event, no draw, no time. While the run goes every queue must be under its limit and no
/// operation open longer than its deadline and a second (I14); in the end everything that was taken
/// must have been given back (I20). No node may refuse a process as not alone under its name (D2),
/// but under the names of which a copy ran. What is judged are queues and their bytes, not
/// allocations.
class Bounds {
 public:
  /// `world` outlives it. On each of `nodes` a Server runs, if anything does.
  Bounds(World& world, std::vector<std::uint32_t> nodes);

  /// I14 and D2 at this moment. Some times per second.
  void look();
  /// From now on a process under this name may be the copy of another one.
  void expect_copies(const std::string& name) { copied_.insert(name); }
  /// All nodes run and nothing was asked of them yet: what they hold now is what one holds always.
  void remember_fresh();
  /// I20: all nodes run, clients have gone, and nothing is under way.
  void look_at_rest();

  /// The first few, with the invariant in front.
  [[nodiscard]] const std::vector<std::string>& problems() const { return problems_; }
  /// Shards that were looked at while they ran.
  [[nodiscard]] std::uint64_t looks() const { return looks_; }

 private:
  [[nodiscard]] Holdings most_of(const node::Shard& part) const;
  template <typename Look>
  void each_shard(Look look);
  void look_at_refused(const std::string& where, const node::Shard& part);
  void problem(const char* invariant, const std::string& where, const std::string& what);

  World& world_;
  const std::vector<std::uint32_t> nodes_;
  Holdings fresh_;                     // of any shard, the least that was seen
  std::size_t fresh_descriptors_ = 0;  // of a node
  std::uint64_t looks_ = 0;
  std::set<std::string> copied_;  // names
  std::vector<std::string> problems_;
};

}  // namespace stator::sim

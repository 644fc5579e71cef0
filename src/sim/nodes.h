#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/membership/history.h"
#include "env/network.h"
#include "env_sim/world.h"
#include "node/options.h"
#include "sim/adversary.h"
#include "sim/limits.h"
#include "sim/operation_log.h"
#include "sim/server.h"
#include "sim/shard_plan.h"

namespace stator::sim {

/// The nodes of a simulated cluster: their hosts, the founding that all are started with, and what
/// starts and ends their processes, as a service manager and an operator do. Each is known by the
/// index of its host; as they are added first, that is its number in the cluster, too.
class Nodes {
 public:
  struct Options {
    std::uint32_t count = 0;
    std::uint32_t shards = 0;  // of each; 0: drawn (ShardPlan)
    node::Durability durability = node::Durability::kAll;
    std::unique_ptr<LimitPlan> limits;  // nullptr: settings as they come
    /// Nothing else is broken: what runs is left running, and each message arrives.
    bool only_disks_break = false;
    /// For each start of a node: what is put in front of its engine. Empty: nothing.
    std::function<std::unique_ptr<storage::EngineHome>(std::uint32_t,
                                                       std::unique_ptr<storage::EngineHome>)>
        wrap_engine{};
    /// Is told each breach of what a start promises (I16, D3), when it happens.
    std::function<void(std::string)> problem;
  };
  /// Adds their hosts to `world`, which has none yet. Both outlive the processes.
  Nodes(World& world, OperationLog& log, Options options);

  /// Before the first start: who spoils disks, so that a node may rightly refuse to start, who is
  /// told what they mint, and who is told what they answer, by the index of their host. All outlive
  /// the processes.
  void attach(Adversary& adversary, node::Observer& observer, AnswerWitness& witness);

  [[nodiscard]] const Founding& founding() const { return founding_; }
  [[nodiscard]] const std::vector<std::uint32_t>& hosts() const { return hosts_; }
  /// Where their Redis doors are.
  [[nodiscard]] const std::vector<env::Address>& doors() const { return doors_; }
  /// How many shards each has, by node, of its latest start.
  [[nodiscard]] const std::vector<std::uint32_t>& shards() const { return shards_.shards(); }
  /// Starts that a node refused, with a reason.
  [[nodiscard]] std::uint64_t refused_starts() const { return refused_starts_; }

  /// What runs on a node: up, or with the reason why it is not (Server::error).
  [[nodiscard]] Server& server(std::uint32_t node);

  /// A node that does not run. Whatever befell its disk, it opens what it left there (I16); one
  /// that may refuse, and does, is started again, on an empty disk where the old one is of no use.
  void start(std::uint32_t node);
  /// The same on the copy of `original`'s disk, as it stands there, so under `original`'s name. All
  /// others refuse it, and it alone, 30 s later, if nothing has disturbed the two (D3).
  void start_copy(std::uint32_t node, std::uint32_t original);
  /// The copy at `node` and its original were started anew, each under its own name. All others
  /// trust both again 20 s later, if nothing has disturbed them for half of that.
  void copy_ended(std::uint32_t node, std::uint32_t original);
  [[nodiscard]] const std::string& name_of(std::uint32_t node) const { return names_[node]; }
  /// Asks a node that runs to end, as SIGTERM does.
  void stop(std::uint32_t node);

 private:
  [[nodiscard]] node::NodeOptions options_of(std::uint32_t node);
  [[nodiscard]] Recording recording_of(std::uint32_t node) const;
  void refused_to_start(std::uint32_t node, const std::string& why);
  void judge_copy(std::uint32_t node, std::uint32_t original);
  [[nodiscard]] std::vector<std::uint32_t> up() const;
  void judge_return(std::uint32_t node, const std::vector<std::uint32_t>& before);

  World& world_;
  OperationLog& log_;
  Options options_;
  ShardPlan shards_;
  Adversary* adversary_ = nullptr;
  node::Observer* observer_ = nullptr;
  AnswerWitness* witness_ = nullptr;
  Founding founding_;
  std::vector<std::uint32_t> hosts_;
  std::vector<std::string> names_;
  std::vector<env::Address> doors_;
  std::uint64_t refused_starts_ = 0;
};

}  // namespace stator::sim

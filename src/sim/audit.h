#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "env_sim/world.h"
#include "node/store.h"
#include "sim/operation_log.h"

namespace stator::sim {

/// Looks at every key of a cluster that is whole again: reads it from all its owners, so that they
/// agree; shows that reading on writes nothing (I13); and puts down what each owner holds in the
/// end, which must be the same everywhere (I4). A walk over all keys then names those that live and
/// no others (I18). A key that is longer than nodes take must be refused by all of them, and named
/// by no walk (D35). Drives the nodes' stores directly, many keys at a time. A question that is not
/// answered within 5 s breaks I15.
class Audit {
 public:
  /// All outlive it. `nodes` all run.
  Audit(World& world, std::vector<std::uint32_t> nodes, OperationLog& log, std::uint8_t n);

  /// Runs the world until all is done. Breaches are in problems().
  void run();
  [[nodiscard]] const std::vector<std::string>& problems() const { return problems_; }
  [[nodiscard]] std::uint64_t repaired_writes() const { return repaired_writes_; }

 private:
  enum class Step : std::uint8_t { kRead, kExplain };
  void pass(Step step, std::uint32_t shift);
  /// How often all keys were read.
  std::uint32_t read_until_repaired();
  void begin_more();
  void begin(std::uint32_t key);
  void read(std::uint32_t key, node::Store& store);
  void explain(std::uint32_t key, node::Store& store);
  void take(std::uint32_t key, const node::Explanation& explanation);
  void walk();
  void finished();
  void problem(std::string what);
  /// `error`: nullptr where there is none. False: that is a problem.
  bool judge(std::uint32_t key, const char* done, const Error* error);
  [[nodiscard]] node::Store& store_of(std::uint32_t host, unsigned shard);
  /// Of all nodes: writes that replicas took and batches that engines got.
  [[nodiscard]] std::uint64_t writes_so_far();
  /// Of all nodes: repairs for which there was no budget.
  [[nodiscard]] std::uint64_t left_out_so_far();

  World& world_;
  std::vector<std::uint32_t> nodes_;
  OperationLog& log_;
  std::uint8_t n_;
  Step step_ = Step::kRead;
  std::uint32_t shift_ = 0;
  std::uint32_t next_ = 0;
  std::uint32_t open_ = 0;
  std::uint32_t keys_ = 0;
  std::vector<bool> lives_;  // by key: what a plain read finds in the end
  std::uint64_t repaired_writes_ = 0;
  std::vector<std::string> problems_;
};

}  // namespace stator::sim

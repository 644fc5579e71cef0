#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/membership/history.h"
#include "core/ring/ring.h"
#include "env_sim/world.h"
#include "sim/operation_log.h"

namespace stator::sim {

/// What single nodes of a simulated cluster hold, read from their engines past all that serves
/// requests: a look repairs nothing, takes no time, and may come at any moment, in a turn of
/// whichever process. Every host of a node runs a Server while it runs.
class Copies {
 public:
  /// `world` outlives it. `founding` is complete, and its founders run on hosts of their names.
  Copies(World& world, std::span<const std::uint32_t> hosts, const Founding& founding);

  [[nodiscard]] NodeNumber number_of(NodeId node) const;
  [[nodiscard]] PartitionId partition_of(std::string_view bucket, std::string_view key) const;
  /// Of a key, in order of preference.
  [[nodiscard]] std::vector<NodeNumber> owners(std::string_view bucket, std::string_view key) const;
  /// The versions that `owner` has in its engine as its own copy, none where it has no copy.
  /// Nothing when its process is away, not up yet or ending, or when the copy cannot be read.
  [[nodiscard]] std::optional<SeenIds> at(NodeNumber owner, std::string_view bucket,
                                          std::string_view key);

 private:
  World& world_;
  std::vector<std::uint32_t> hosts_;  // by number, from 1
  std::map<NodeId, NodeNumber> numbers_;
  std::shared_ptr<const Ring> ring_;  // the one that nodes use
};

/// P1: puts down what each owner holds of each key of the log, when no hints are left and nobody
/// has read yet to repair anything.
void note_copies(Copies& copies, OperationLog& log);

}  // namespace stator::sim

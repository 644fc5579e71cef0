#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/membership/history.h"
#include "core/ring/ring.h"

namespace stator::node {

/// What the membership history folds to, in the form that requests need. Immutable and shared; a
/// node replaces it whole when its history grows.
struct Topology {
  History history;
  NodeId self{};
  bool member = false;               // this node is one of the members
  std::vector<Member> members;       // sorted by id
  std::shared_ptr<const Ring> ring;  // nullptr while the history is empty
  std::vector<std::uint8_t> zones;   // per member: a small number, the same for one zone

  [[nodiscard]] std::uint64_t cluster_tag() const { return history.cluster_tag(); }
  [[nodiscard]] HistoryVersion version() const { return history.version(); }
  /// Index into `members`, or -1.
  [[nodiscard]] int index_of(NodeId id) const;
};

[[nodiscard]] std::shared_ptr<const Topology> make_topology(History history, NodeId self);

}  // namespace stator::node

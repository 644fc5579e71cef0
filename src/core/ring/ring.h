#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/assert.h"
#include "base/hash.h"
#include "base/ids.h"
#include "core/ring/claim.h"
#include "core/ring/placement.h"
#include "core/ring/position.h"
#include "core/ring/preference_list.h"

// The ring as requests see it: from a position to the nodes that answer for it, without a search
// (zero-hop, paper 3 and 4.3). Immutable; any number of threads may read one, and a holder of a
// std::shared_ptr<const Ring> keeps a stable view while membership changes around it.

namespace stator {

/// How evenly a ring loads its members (paper 6.2: efficiency = mean / maximum). Loads are divided
/// by weight, so that 1 means that nobody carries more than its part.
struct RingBalance {
  struct Node {
    NodeId id;
    std::uint32_t places = 0;  // partitions held
    std::uint32_t firsts = 0;  // partitions of which it is the first owner
  };
  std::vector<Node> nodes;      // in order of id
  double min_share = 0;         // smallest places / (fair places by weight)
  double max_share = 0;         // largest
  double efficiency = 0;        // of places
  double first_efficiency = 0;  // of first owners
};

class Ring {
 public:
  /// Computes the table by `claim` without a past. `q` is a valid partition count, 1 <= n <= 7.
  Ring(std::uint32_t q, std::uint32_t n, std::vector<RingMember> members);
  /// A ring over a given table, e.g. one claimed from a previous table. Every node named in it is a
  /// member, the table's rows are distinct (asserted, D25).
  Ring(std::uint32_t n, std::vector<RingMember> members, PlacementTable table);

  [[nodiscard]] std::uint32_t partitions() const { return table_.partitions; }
  /// N as configured; rows are shorter while there are fewer members.
  [[nodiscard]] std::uint32_t replicas() const { return replicas_; }
  /// In order of id.
  [[nodiscard]] std::span<const RingMember> members() const { return members_; }
  /// nullptr when `id` is no member.
  [[nodiscard]] const RingMember* find(NodeId id) const;

  [[nodiscard]] PartitionId partition_of(const Position& position) const {
    return stator::partition_of(position, table_.partitions);
  }
  /// The min(N, members) owners in order of preference. The first is the default coordinator; being
  /// first is spread over a node's partitions so that everyone is first for 1/N of what it holds.
  /// One table lookup.
  [[nodiscard]] std::span<const NodeId> owners(PartitionId p) const {
    STATOR_ASSERT(p.value < table_.partitions);
    return {owners_.data() + std::size_t{p.value} * table_.width, table_.width};
  }
  [[nodiscard]] bool owns(NodeId node, PartitionId p) const {
    const std::span<const NodeId> row = owners(p);
    return std::find(row.begin(), row.end(), node) != row.end();
  }

  /// The preference list of a partition: the owners, then every other member as a stand-in, in an
  /// order that is the same on every node (core/ring/preference_list.h). Cut to `length` where that
  /// is shorter: a request that misses one owner asks for a few. Healthy requests use `owners`.
  void preference_list(PartitionId p, PreferenceList& out, std::size_t length = kMaxMembers) const;
  [[nodiscard]] PreferenceList preference_list(PartitionId p) const;

  /// The table by place, whose places keep their identity over changes; `owners` is its rows in
  /// order of preference.
  [[nodiscard]] const PlacementTable& table() const { return table_; }
  [[nodiscard]] RingBalance balance() const;
  /// Equal for equal rings on every node: partitions, N, members (id, zone, weight) and table.
  [[nodiscard]] Hash128 digest() const { return digest_; }
  bool operator==(const Ring& other) const { return digest_ == other.digest_; }

 private:
  void build();
  void make_digest();
  [[nodiscard]] std::size_t index_of(NodeId id) const;  // members_.size() when it is no member

  std::uint32_t replicas_;
  std::vector<RingMember> members_;
  PlacementTable table_;
  std::vector<NodeId> owners_;          // like table_.places, in order of preference
  std::vector<std::uint16_t> zone_of_;  // per member: number of its zone
  std::uint16_t zones_ = 0;
  Hash128 digest_;
};

}  // namespace stator

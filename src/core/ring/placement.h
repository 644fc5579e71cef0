#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/ids.h"

// The vocabulary of placement: who may hold data, and the table [partition][place] that says who
// does (design 4.3). Plain values, no thread affinity.

namespace stator {

struct RingMember {
  NodeId id;
  std::string name;
  std::string zone;     // data centre, rack or room: what can fail as one; equal text = same zone
  double weight = 1.0;  // capacity relative to the others; counted in thousandths, 0.001 .. 1000
  bool operator==(const RingMember&) const = default;
};

/// Row `p` lists the holders of partition `p`, all distinct. `width` is N, or the number of members
/// while they are fewer.
///
/// Places have an identity: a node that keeps holding a partition keeps its place in the row from
/// one table to the next, so that custody of a place (design 4.3 rule 1) moves only where data
/// moves. Therefore place 0 is not "the coordinator": the order of preference is made by Ring.
struct PlacementTable {
  std::uint32_t partitions = 0;  // Q
  std::uint32_t width = 0;
  std::vector<NodeId> places;  // partitions x width

  [[nodiscard]] std::span<const NodeId> row(PartitionId p) const {
    return {places.data() + std::size_t{p.value} * width, width};
  }
  bool operator==(const PlacementTable&) const = default;
};

/// One place whose holder differs between two tables. `from` is 0 where the place did not exist
/// before (the cluster grew to more than `width` members), `to` is 0 where it exists no longer.
struct Handover {
  PartitionId partition;
  std::uint32_t place = 0;
  NodeId from;
  NodeId to;
  bool operator==(const Handover&) const = default;
};

/// All places to hand over, ordered by partition and place. Both tables have the same `partitions`.
[[nodiscard]] std::vector<Handover> handovers(const PlacementTable& before,
                                              const PlacementTable& after);

}  // namespace stator

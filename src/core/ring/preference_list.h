#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/ids.h"
#include "base/small_vector.h"
#include "core/ring/placement.h"

// The preference list of a key (paper 4.3): the nodes responsible for it, distinct, in order, more
// than N of them, so that a request finds N healthy ones whoever is away (4.5, 4.6). First the
// owners, then every other member as a stand-in. Pure, on any thread; requests ask for it through
// Ring::preference_list.

namespace stator {

/// Long enough for every owner and some stand-ins without touching the heap; keep one as scratch.
using PreferenceList = SmallVector<NodeId, 16>;

/// Among whom stand-ins are chosen: all members of a ring.
struct ZonedMembers {
  std::span<const RingMember> members;     // at most kMaxMembers
  std::span<const std::uint16_t> zone_of;  // per member: the number of its zone
  std::uint16_t zones = 0;                 // these numbers are smaller
};

/// Makes `out` the list of partition `p`, whose `owners` are members and come first, in their
/// order. Behind them comes one stand-in of each zone that is not covered yet, then the rest, each
/// time in rendezvous order of (partition, node), so that the load of a node that is down spreads
/// over all others. Weights play no part in that order: stand-ins serve failures, not capacity. Cut
/// to `length` where that is shorter. Costs some ns per member; no allocation once `out` has grown.
void make_preference_list(PartitionId p, std::span<const NodeId> owners, const ZonedMembers& all,
                          std::size_t length, PreferenceList& out);

}  // namespace stator

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/membership/history.h"
#include "env_sim/random.h"
#include "sim/faults.h"

// I15 asks that operations end well once a core of the nodes is well, whatever is wrong with the
// others: a cluster that answers again only when everybody is back would pass a run that heals all
// at once. So some of the runs heal a core first. Who is in it is decided here; how the others are
// kept away is the adversary's, and what is asked meanwhile the clients'. Pure.

namespace stator::sim {

/// More than half of `nodes`: a majority of every preference list, as behind its owners that names
/// all others. And enough for R and W, stand-ins included: they may be just as many, but where
/// nodes have settings of all kinds, one more, since a small table or a short timeout of one of
/// just so many fails what the next one would have answered.
[[nodiscard]] std::size_t least_core(std::size_t nodes, const Founding& founding, FaultSet faults);

/// Of `nodes` those that are healed first in this run, in order; empty: all are healed at once. A
/// quarter of the runs has a core, where nodes may be kept away, but none where what a disk held is
/// lost: a node that answers for what it has not got may need the others first. `asked`: so many,
/// and always.
[[nodiscard]] std::vector<std::uint32_t> draw_core(std::span<const std::uint32_t> nodes,
                                                   const Founding& founding, FaultSet faults,
                                                   std::optional<std::uint32_t> asked,
                                                   Random random);

}  // namespace stator::sim

#pragma once

#include <cstdint>
#include <string>

#include "node/store.h"

namespace stator::http {

/// Whether a load balancer should send clients here: the node is a member that can store, and for
/// every partition at least max(R, W) owners can be reached.
struct Readiness {
  bool ready = false;
  std::string reason;                  // empty when ready
  std::uint32_t partitions_short = 0;  // with too few reachable owners
};
[[nodiscard]] Readiness readiness_of(const node::ClusterView& cluster,
                                     const node::NodeStatus& status, bool draining);

}  // namespace stator::http

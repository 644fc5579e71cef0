#pragma once

#include <cstdint>
#include <string>

#include "node/store.h"

namespace stator::http {

/// Whether a load balancer should send clients here: the node is a member that can store, and it
/// reaches max(R, W) nodes: owners, or stand-ins for them (paper 4.6).
struct Readiness {
  bool ready = false;
  std::string reason;                  // empty when ready
  std::uint32_t partitions_short = 0;  // with fewer than max(R, W) reachable owners
  std::string owners_short;            // the same in words; empty when none is
};
[[nodiscard]] Readiness readiness_of(const node::ClusterView& cluster,
                                     const node::NodeStatus& status, bool draining);

}  // namespace stator::http

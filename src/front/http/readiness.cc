#include "front/http/readiness.h"

#include <string>

namespace stator::http {
namespace {

std::uint32_t count_short(const node::ClusterView& cluster, std::uint32_t needed) {
  std::uint32_t count = 0;
  for (std::uint32_t p = 0; p < cluster.q; ++p) {
    std::uint32_t healthy = 0;
    for (std::uint32_t place = 0; place < cluster.owner_count; ++place) {
      const std::size_t at = std::size_t{p} * cluster.owner_count + place;
      if (at < cluster.owners.size() && cluster.members[cluster.owners[at]].healthy) ++healthy;
    }
    if (healthy < needed) ++count;
  }
  return count;
}

}  // namespace

Readiness readiness_of(const node::ClusterView& cluster, const node::NodeStatus& status,
                       bool draining) {
  Readiness readiness;
  if (draining) {
    readiness.reason = "the node is stopping";
    return readiness;
  }
  if (!cluster.member) {
    readiness.reason = "the node is no member of a cluster yet";
    return readiness;
  }
  const std::uint32_t needed = cluster.quorum();
  readiness.partitions_short = count_short(cluster, needed);
  if (readiness.partitions_short > 0) {
    readiness.owners_short = "of " + std::to_string(readiness.partitions_short) + " of " +
                             std::to_string(cluster.q) + " partitions fewer than " +
                             std::to_string(needed) + " owners can be reached";
  }
  if (status.fenced) {
    readiness.reason = "its peers refuse this node: another process runs under its name";
  } else if (status.no_write) {
    readiness.reason = "this node takes no writes now";
  } else if (!cluster.reaches_quorum()) {
    readiness.reason = readiness.owners_short;
  } else {
    readiness.ready = true;
  }
  return readiness;
}

}  // namespace stator::http

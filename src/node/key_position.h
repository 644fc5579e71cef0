#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/quorum/candidates.h"
#include "node/shard_context.h"

namespace stator::node {

/// The first N of a key's preference list as candidates of a round: this node first where it is an
/// owner, then the others in preference order, healthy ones first (paper 4.5: the first N healthy),
/// then slow and leaving ones, which are usable only where too few nodes are healthy. For a write,
/// who takes no writes comes with those that are away (D29).
struct Candidates {
  SmallVector<Candidate, kCandidatesMax> list;
  ReplicaIndex local = kNoReplica;
};
void owners_as_candidates(const ShardContext& context, PartitionId partition, Candidates& out,
                          Purpose purpose = Purpose::kRead);

/// Refuses what is over the limits (design 2.5), a node that is no member, and quorums that cannot
/// be.
[[nodiscard]] Result<void> check_key(const ShardContext& context, std::string_view bucket,
                                     std::string_view key);

/// The time a request may take: the default, or what it asks for up to the limit.
[[nodiscard]] MonoTime deadline_of(const ShardContext& context, Duration asked);

}  // namespace stator::node

#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/quorum/candidates.h"
#include "node/shard_context.h"

namespace stator::node {

/// The first N of a key's preference list as candidates of a round: this node first where it is an
/// owner, then the others in preference order, healthy ones first (paper 4.5: the first N healthy),
/// of these last those to which this node delivers hints, since they lack what the others have;
/// then slow and leaving ones, which are usable for a write, and for a read only where too few
/// nodes are healthy. For a write, who takes no writes comes with those that are away (D29).
struct Candidates {
  SmallVector<Candidate, kCandidatesMax> list;
  ReplicaIndex local = kNoReplica;
};
void owners_as_candidates(const ShardContext& context, PartitionId partition, Candidates& out,
                          Purpose purpose = Purpose::kRead);
/// The usable nodes beyond the owners in the order of the preference list, this node among them
/// where it is no owner; together with the owners at most kCandidatesMax. A lone survivor thereby
/// finds itself, however large the cluster is (paper 4.6).
void stand_ins_as_candidates(const ShardContext& context, PartitionId partition, Candidates& out,
                             Purpose purpose = Purpose::kRead);
/// While this node comes back a write names no stand-ins, and waits for owners, for half of its
/// time at most.
[[nodiscard]] bool awaits_owners(const ShardContext& context, MonoTime began, MonoTime deadline);
/// There are nodes beyond the owners of a range.
[[nodiscard]] bool has_stand_ins(const ShardContext& context, PartitionId partition);

/// Refuses what is over the limits (design 2.5), a node that is no member, and quorums that cannot
/// be.
[[nodiscard]] Result<void> check_key(const ShardContext& context, std::string_view bucket,
                                     std::string_view key);

/// The time a request may take: the default, or what it asks for up to the limit.
[[nodiscard]] MonoTime deadline_of(const ShardContext& context, Duration asked);

}  // namespace stator::node

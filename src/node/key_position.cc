#include "node/key_position.h"

#include <algorithm>

namespace stator::node {

void owners_as_candidates(const ShardContext& context, PartitionId partition, Candidates& out,
                          Purpose purpose) {
  out.list.clear();
  out.local = kNoReplica;
  const Topology& topology = *context.topology;
  const auto owners = topology.ring->owners(partition);
  const auto add = [&](NodeId node, bool usable) {
    const int index = topology.index_of(node);
    STATOR_ASSERT(index >= 0);
    out.list.push_back({.node = node,
                        .owner = true,
                        .usable = usable,
                        .zone = topology.zones[static_cast<std::size_t>(index)]});
  };
  SmallVector<Fitness, kCandidatesMax> fitness;
  for (const NodeId owner : owners) {
    const bool self = owner == topology.self;
    fitness.push_back(self ? Fitness::kUnfit : context.peers->fitness(owner, purpose));
    if (!self) continue;
    out.local = 0;
    add(owner, true);
  }
  for (const Fitness wanted : {Fitness::kFit, Fitness::kSpare, Fitness::kUnfit}) {
    const bool usable = wanted == Fitness::kFit ||
                        (wanted == Fitness::kSpare && context.peers->few_are_fit(purpose));
    for (std::size_t i = 0; i < owners.size(); ++i) {
      if (owners[i] != topology.self && fitness[i] == wanted) add(owners[i], usable);
    }
  }
}

Result<void> check_key(const ShardContext& context, std::string_view bucket, std::string_view key) {
  const Limits& limits = context.options.limits;
  if (!context.topology->member) return std::unexpected(Error{.code = ErrorCode::kNotMember});
  if (bucket.empty() || bucket.size() > limits.bucket_bytes_max) {
    return std::unexpected(Error{
        .code = bucket.empty() ? ErrorCode::kBadRequest : ErrorCode::kTooLarge,
        .detail = "a bucket name has 1 to " + std::to_string(limits.bucket_bytes_max) + " bytes"});
  }
  if (key.size() > limits.key_bytes_max) {
    return std::unexpected(
        Error{.code = ErrorCode::kTooLarge,
              .detail = "a key has at most " + std::to_string(limits.key_bytes_max) + " bytes"});
  }
  return {};
}

MonoTime deadline_of(const ShardContext& context, Duration asked) {
  const Duration timeout = asked.ns <= 0 ? context.options.request_timeout
                                         : std::min(asked, context.options.request_timeout_max);
  return context.now() + timeout;
}

}  // namespace stator::node

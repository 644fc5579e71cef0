#include "node/key_position.h"

#include <algorithm>

namespace stator::node {
namespace {

void add_candidate(const Topology& topology, const Candidate& candidate, Candidates& out) {
  const int index = topology.index_of(candidate.node);
  STATOR_ASSERT(index >= 0);
  out.list.push_back(candidate);
  out.list.back().zone = topology.zones[static_cast<std::size_t>(index)];
}

enum class Rank : std::uint8_t { kSelf, kFit, kBehind, kSpare, kUntried, kAway, kNoWrite };

Rank rank_of(const ShardContext& context, NodeId owner, Purpose purpose) {
  if (owner == context.self()) return Rank::kSelf;
  switch (context.peers->fitness(owner, purpose)) {
    case Fitness::kFit:
      return context.hints.catches_up(owner, context.now()) || context.peers->doubted(owner)
                 ? Rank::kBehind
                 : Rank::kFit;
    case Fitness::kSpare: return Rank::kSpare;
    case Fitness::kUnfit: break;
  }
  if (context.peers->verdict(owner) <= Verdict::kSlow) return Rank::kNoWrite;
  // Nothing has been heard of it yet, and frames to it would leave.
  const bool untried =
      context.peers->reachable(owner) && context.peers->incarnation_of(owner) == Incarnation{};
  return untried ? Rank::kUntried : Rank::kAway;
}

}  // namespace

void owners_as_candidates(const ShardContext& context, PartitionId partition, Candidates& out,
                          Purpose purpose) {
  out.list.clear();
  out.local = kNoReplica;
  const Topology& topology = *context.topology;
  const auto owners = topology.ring->owners(partition);
  SmallVector<Rank, kCandidatesMax> ranks;
  std::size_t fit = 0;
  for (const NodeId owner : owners) {
    ranks.push_back(rank_of(context, owner, purpose));
    if (ranks.back() <= Rank::kBehind) ++fit;
    if (ranks.back() == Rank::kSelf) out.local = 0;
  }
  // A slow owner gets its copies like any other: a stand-in in its place would count, and a read of
  // the owners need not meet it. It is only asked last.
  const Founding& founding = topology.history.founding();
  const bool slow_too =
      purpose == Purpose::kWrite || fit < founding.r || context.peers->few_are_fit(purpose);
  // A node that was cut off believes for a moment that everybody is away, and the first other one
  // that it hears again would stand in for owners that are well.
  const bool comes_back = context.peers->comes_back();
  for (const Rank rank : {Rank::kSelf, Rank::kFit, Rank::kBehind, Rank::kSpare, Rank::kUntried,
                          Rank::kAway, Rank::kNoWrite}) {
    const bool usable = rank <= Rank::kBehind || (rank == Rank::kSpare && slow_too) ||
                        (comes_back && purpose == Purpose::kWrite && rank != Rank::kNoWrite);
    // A read is not worth waiting for one of whom nobody has ever heard.
    const bool away = rank == Rank::kNoWrite ||
                      (!comes_back && (rank == Rank::kAway ||
                                       (rank == Rank::kUntried && purpose == Purpose::kRead)));
    for (std::size_t i = 0; i < owners.size(); ++i) {
      if (ranks[i] != rank) continue;
      add_candidate(topology, {.node = owners[i], .usable = usable, .away = away}, out);
    }
  }
}

bool awaits_owners(const ShardContext& context, MonoTime began, MonoTime deadline) {
  const Duration half{(deadline - began).ns / 2};
  return context.peers->comes_back() && context.now() - began < half;
}

bool has_stand_ins(const ShardContext& context, PartitionId partition) {
  const Topology& topology = *context.topology;
  return topology.members.size() > topology.ring->owners(partition).size();
}

void stand_ins_as_candidates(const ShardContext& context, PartitionId partition, Candidates& out,
                             Purpose purpose) {
  out.list.clear();
  out.local = kNoReplica;
  const Topology& topology = *context.topology;
  const std::size_t owners = topology.ring->owners(partition).size();
  const bool few = context.peers->few_are_fit(purpose);
  PreferenceList list;
  topology.ring->preference_list(partition, list);
  for (const NodeId node : list.view().subspan(owners)) {
    if (owners + out.list.size() >= kCandidatesMax) return;
    if (node == topology.self) {
      if (purpose == Purpose::kWrite && !takes_writes(context.disk_state())) continue;
      out.local = static_cast<ReplicaIndex>(out.list.size());
    } else {
      const Fitness fitness = context.peers->fitness(node, purpose);
      if (fitness != Fitness::kFit && !(few && fitness == Fitness::kSpare)) continue;
    }
    add_candidate(topology, {.node = node, .owner = false}, out);
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

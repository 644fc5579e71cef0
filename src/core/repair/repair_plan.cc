#include "core/repair/repair_plan.h"

#include <array>

namespace stator {

RepairPlan plan_repair(std::span<const ReplicaKnowledge> replicas, std::uint64_t merged_digest) {
  STATOR_ASSERT(replicas.size() <= kCandidatesMax);
  RepairPlan plan;
  if (merged_digest == 0) return plan;
  for (std::size_t i = 0; i < replicas.size(); ++i) {
    const ReplicaKnowledge& replica = replicas[i];
    const bool lacks =
        replica.kind == ReplicaKnowledge::Kind::kUnreadable ||
        (replica.kind == ReplicaKnowledge::Kind::kDigest && replica.digest != merged_digest);
    if (lacks) plan.send.add(static_cast<ReplicaIndex>(i));
  }
  return plan;
}

RepairPlan plan_repair(const ReadRound& round) {
  if (!round.answered() || round.merged_digest() == 0) return {};
  RepairPlan plan;
  for (const ReplicaIndex i : round.stale() | round.unreadable()) {
    if (round.candidate(i).owner) plan.send.add(i);
  }
  return plan;
}

bool may_restore(const ReadRound& round, std::uint8_t w) {
  if (!round.answered() || round.merged_digest() == 0) return false;
  const std::size_t owners = round.owners().size();
  const std::size_t heard = round.included_owners().size();
  const std::size_t damaged = (round.unreadable() & round.owners()).size();
  return heard + w > owners || heard + damaged == owners;
}

RepairPlan plan_repair(const WriteRound& round, std::uint64_t merged_digest) {
  std::array<ReplicaKnowledge, kCandidatesMax> known{};
  for (const ReplicaIndex i : round.acked()) {
    if (!round.candidate(i).owner) continue;
    known[i] = {ReplicaKnowledge::Kind::kDigest, round.digest_of(i)};
  }
  return plan_repair(std::span(known).first(round.candidate_count()), merged_digest);
}

bool needs(const Object& replica, const Object& merged) {
  const Relation relation = compare(replica, merged);
  return relation == Relation::kCoveredBy || relation == Relation::kConcurrent;
}

}  // namespace stator

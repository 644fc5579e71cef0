#include "core/quorum/round_candidates.h"

namespace stator {

void RoundCandidates::start(std::span<const Candidate> candidates, bool may_grow) {
  STATOR_ASSERT(well_formed(candidates));
  size_ = 0;
  growth_ = may_grow ? Growth::kPossible : Growth::kComplete;
  all_ = owners_ = usable_ = away_ = ReplicaSet();
  for (const Candidate& candidate : candidates) take(candidate);
}

bool RoundCandidates::await() {
  if (growth_ != Growth::kPossible) return false;
  growth_ = Growth::kAwaited;
  return true;
}

bool RoundCandidates::grow(std::span<const Candidate> more) {
  if (growth_ != Growth::kAwaited) return false;
  growth_ = Growth::kComplete;
  for (const Candidate& candidate : more) {
    if (size_ < kCandidatesMax) take(candidate);
  }
  STATOR_ASSERT(well_formed(view()));
  return true;
}

void RoundCandidates::take(const Candidate& candidate) {
  const ReplicaIndex i = size_++;
  list_[i] = candidate;
  all_.add(i);
  if (candidate.owner) owners_.add(i);
  if (candidate.usable) usable_.add(i);
  if (candidate.away) away_.add(i);
}

}  // namespace stator

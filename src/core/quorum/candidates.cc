#include "core/quorum/candidates.h"

#include "base/probe.h"

namespace stator {
namespace {

// Says something about the nodes themselves; the others only say that they could not be asked.
bool tells_why(ErrorCode code) {
  switch (code) {
    case ErrorCode::kOverloaded:
    case ErrorCode::kNotMember:
    case ErrorCode::kUnreadable:
    case ErrorCode::kDiskFull:
    case ErrorCode::kTooLarge:
    case ErrorCode::kTooManySiblings:
    case ErrorCode::kBadRequest:
    case ErrorCode::kBadContext:
    case ErrorCode::kNotSupported: return true;
    default: return false;
  }
}

}  // namespace

QuorumEvidence evidence_of(ReplicaSet counted, std::span<const Candidate> candidates) {
  QuorumEvidence evidence;
  ReplicaSet before;
  for (const ReplicaIndex i : counted) {
    ++(candidates[i].owner ? evidence.primaries : evidence.fallbacks);
    ++evidence.nodes;
    bool new_zone = true;
    for (const ReplicaIndex j : before) new_zone &= candidates[j].zone != candidates[i].zone;
    if (new_zone) ++evidence.zones;
    before.add(i);
  }
  return evidence;
}

ErrorCode failure_of(ReplicaSet failed, std::span<const ErrorCode> codes) {
  if (failed.empty()) return ErrorCode::kTooFewNodes;
  const ErrorCode first = codes[failed.first()];
  bool common = true;
  for (const ReplicaIndex i : failed) {
    if (codes[i] == ErrorCode::kHistoryMismatch) return ErrorCode::kHistoryMismatch;
    common &= codes[i] == first;
  }
  if (!common) STATOR_PROBE("quorum: replicas fail for different reasons");
  return common && tells_why(first) ? first : ErrorCode::kTooFewNodes;
}

bool well_formed(std::span<const Candidate> candidates) {
  if (candidates.empty() || candidates.size() > kCandidatesMax) return false;
  for (std::size_t i = 1; i < candidates.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (candidates[i].node == candidates[j].node) return false;
    }
  }
  return true;
}

}  // namespace stator

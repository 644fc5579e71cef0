#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/quorum/candidates.h"

// What the exhaustive tests of both rounds share. Knowledge is a set of versions written as a bit
// mask; merging is OR, and the mask serves as digest (0: holds nothing).

namespace stator::model {

using Mask = std::uint64_t;

/// Every broken promise ends the run with the steps that led to it.
inline void require(bool condition, const char* promise, const std::string& trace) {
  if (!condition) throw std::logic_error(std::string(promise) + "  after:" + trace);
}

inline std::vector<Candidate> candidates(std::size_t count, std::size_t owners,
                                         std::uint16_t usable = 0xFFFF) {
  std::vector<Candidate> list;
  for (std::size_t i = 0; i < count; ++i) {
    list.push_back({.node = {100 + i},
                    .owner = i < owners,
                    .usable = ((usable >> i) & 1U) != 0,
                    .zone = static_cast<std::uint8_t>(i % 2),
                    .away = ((usable >> i) & 1U) == 0});
  }
  return list;
}

/// Counted by hand, as the oracle does everything.
inline QuorumEvidence count_evidence(ReplicaSet set, const std::vector<Candidate>& list) {
  QuorumEvidence e;
  bool zone[2] = {false, false};
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (!set.contains(static_cast<ReplicaIndex>(i))) continue;
    list[i].owner ? ++e.primaries : ++e.fallbacks;
    ++e.nodes;
    zone[list[i].zone] = true;
  }
  e.zones = static_cast<std::uint8_t>(zone[0] + zone[1]);
  return e;
}

inline bool satisfies(ReplicaSet set, const std::vector<Candidate>& list, unsigned nodes,
                      unsigned owners) {
  const QuorumEvidence e = count_evidence(set, list);
  return e.nodes >= nodes && e.primaries >= owners;
}

}  // namespace stator::model

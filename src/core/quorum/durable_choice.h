#pragma once

#include <cstdint>

#include "core/quorum/candidates.h"

// Which copy of a write is to be the durable one (paper 6.1: "the coordinator chooses one out of
// the N replicas to perform a durable write"; which one the paper leaves open). A pure value.

namespace stator {

/// Of one round, as it stands now.
struct DurableChoice {
  ReplicaSet copies;  // who has a copy or is being sent one, and was not asked for it yet
  ReplicaSet owners;  // of all candidates
  ReplicaSet usable;  // of all candidates: believed to answer
  ReplicaIndex local = kNoReplica;  // the coordinator
  std::uint64_t spread = 0;         // any number that differs from write to write
};

/// One of `copies`; kNoReplica when there are none. Another node than the coordinator where there
/// is one: whoever writes durably and whoever would ask somebody else instead shall not end
/// together. An owner before a stand-in, whose copy moves again. A node that does not answer only
/// when nobody else is left. Within each of these `spread` decides, so that every disk pays its
/// share.
[[nodiscard]] ReplicaIndex choose_durable(const DurableChoice& choice);

}  // namespace stator

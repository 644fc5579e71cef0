#include "core/quorum/durable_choice.h"

#include "base/probe.h"

namespace stator {
namespace {

ReplicaIndex member(ReplicaSet set, std::uint64_t spread) {
  std::uint64_t skip = spread % set.size();
  for (const ReplicaIndex i : set) {
    if (skip-- == 0) return i;
  }
  return kNoReplica;
}

}  // namespace

ReplicaIndex choose_durable(const DurableChoice& choice) {
  ReplicaSet local;
  if (choice.local != kNoReplica) local.add(choice.local);
  const ReplicaSet others = choice.copies & (choice.usable - local);
  if (const ReplicaSet owners = others & choice.owners; !owners.empty()) {
    return member(owners, choice.spread);
  }
  if (!others.empty()) {
    STATOR_PROBE("write: a stand-in's copy is the durable one");
    return member(others, choice.spread);
  }
  if (!(choice.copies & local).empty()) return choice.local;
  return choice.copies.empty() ? kNoReplica : member(choice.copies, choice.spread);
}

}  // namespace stator

#include "core/quorum/durable_copy_round.h"

#include <algorithm>
#include <limits>

#include "base/probe.h"
#include "core/quorum/durable_choice.h"

namespace stator {

void DurableCopyRound::start(const DurableCopyOptions& options) {
  options_ = options;
  begin_attempt();
}

void DurableCopyRound::begin_attempt() {
  asked_ = durable_ = vain_ = ReplicaSet();
  last_asked_ = kNoReplica;
}

// Where nobody else is left to ask, the last one has as long as the round has.
ReplicaIndex DurableCopyRound::ask(const CopiesKnown& copies, MonoTime now) {
  if (!options_.wanted || found()) return kNoReplica;
  const bool hopes = last_asked_ != kNoReplica && syncing(copies.failed).contains(last_asked_);
  if (hopes && now < ask_next_at(copies.acked)) return kNoReplica;
  const ReplicaIndex one = choose_durable({.copies = not_asked(copies),
                                           .owners = copies.owners,
                                           .usable = copies.usable,
                                           .local = options_.local,
                                           .spread = options_.spread});
  if (one == kNoReplica) {
    if (!awaited(copies.failed)) {
      STATOR_PROBE("write: nobody is left who could make a copy durable");
    }
    return kNoReplica;
  }
  if (one == options_.local && copies.more_come) return kNoReplica;
  if (!asked_.empty()) STATOR_PROBE("write: another one is asked to make its copy durable");
  last_asked_ = one;
  asked_at_ = now;
  asked_.add(one);
  return one;
}

MonoTime DurableCopyRound::wake_at(const CopiesKnown& copies) const {
  if (!awaited(copies.failed) || not_asked(copies).empty()) {
    return {std::numeric_limits<std::int64_t>::max()};
  }
  return ask_next_at(copies.acked);
}

// When the one that was asked last has had its time: as long as any node to say that it has the
// copy, and then as long as a disk.
MonoTime DurableCopyRound::ask_next_at(ReplicaSet acked) const {
  const Duration disk = options_.durable_after;
  return asked_at_ + (acked.contains(last_asked_) ? disk : std::min(disk, options_.hedge_after));
}

}  // namespace stator

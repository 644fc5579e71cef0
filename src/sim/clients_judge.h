#pragma once

#include "base/time.h"
#include "core/membership/history.h"
#include "env_sim/world.h"
#include "sim/checker.h"
#include "sim/client_history.h"
#include "sim/operation_log.h"
#include "sim/workload.h"

namespace stator::sim {

/// The second judge of a run, who sees no more than clients do (client_history.h), and judges by
/// the rules for processes into which nobody sees: as real ones are judged, shown on simulated
/// ones.
class ClientsJudge {
 public:
  /// Both outlive it. `founding` is complete.
  ClientsJudge(World& world, const Founding& founding);

  /// Leaves out of a workload what clients could not recognise, and has them ask for what tells
  /// them more.
  void adapt(Workload& workload) const;
  /// Whom the clients tell what they send and hear.
  [[nodiscard]] CallWitness& witness() { return history_; }

  /// Once, in the end. `seen` is the log of the judge who sees inside: what is left of a key is the
  /// same for both.
  [[nodiscard]] Verdict judge(const OperationLog& seen, MonoTime disk_lost_at);

 private:
  const Founding& founding_;
  OperationLog log_;
  ClientHistory history_;
};

}  // namespace stator::sim

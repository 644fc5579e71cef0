#pragma once

#include <algorithm>
#include <memory>

#include "base/callback.h"
#include "core/disk/disk_watch.h"
#include "core/load/admission.h"
#include "core/version/hlc.h"
#include "env/env.h"
#include "node/background_budget.h"
#include "node/hint_backlog.h"
#include "node/incomplete_ranges.h"
#include "node/metrics.h"
#include "node/mint.h"
#include "node/operation_table.h"
#include "node/options.h"
#include "node/peers.h"
#include "node/quarantine.h"
#include "node/record_store.h"
#include "node/topology.h"

namespace stator::node {

/// What the parts of one shard share. Owned by the Shard, which outlives them all; one loop only.
struct ShardContext {
  const env::Env env;
  const NodeOptions& options;
  HybridClock clock;
  Metrics metrics;
  std::shared_ptr<const Topology> topology;
  Peers* peers = nullptr;
  RecordStore* records = nullptr;
  Mint* mint = nullptr;
  Quarantine* quarantine = nullptr;
  /// A record of this key was met that cannot be read: have it restored from the other owners
  /// (D30). In a later turn.
  Callback<void(PartitionId, std::string_view storage_key)> restore{};
  IncompleteRanges incomplete{};
  HintBacklog hints{};
  Admission admission;
  BackgroundBudget background;
  DiskState disk = DiskState::kRoomy;  // of the node, as it was last told to this shard

  [[nodiscard]] MonoTime now() const { return env.executor.now(); }
  [[nodiscard]] WallTime guarded_now() const { return clock.guarded(env.executor.wall_now()); }
  /// By which what is old may be forgotten for good (guards).
  [[nodiscard]] WallTime ageing_now() const { return clock.ageing_now(env.executor.now()); }
  /// A client's request that began at `began` is answered.
  void note_answered(MonoTime began) {
    admission.on_answer();
    background.on_foreground(now() - began);
  }
  /// As peers see it: with the number of this shard, which gets the reply.
  [[nodiscard]] std::uint64_t request_id(RequestId id) const {
    id.shard = static_cast<std::uint8_t>(env.executor.shard());
    return id.pack();
  }
  /// This shard's own engine is heard first: the node learns of its failures a little later.
  [[nodiscard]] DiskState disk_state() const {
    if (!records->failure()) return disk;
    return *records->failure() == ErrorCode::kDiskFull ? std::max(disk, DiskState::kFull)
                                                       : DiskState::kFailed;
  }
  [[nodiscard]] NodeId self() const { return topology->self; }
  /// A store must be synced: as the node is told to, or since the writer asked for it (dw).
  [[nodiscard]] bool syncs(bool asked) const {
    return options.durability == Durability::kAll || asked;
  }
  /// What is stored so is durable once it is complete: the engine can, and it is synced.
  [[nodiscard]] bool durable(bool asked) const {
    return syncs(asked) && records->engine().capabilities().survives_power;
  }
};

}  // namespace stator::node

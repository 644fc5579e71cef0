#include "node/write_repair.h"

#include "base/probe.h"
#include "core/repair/repair_plan.h"
#include "core/version/object_codec.h"

namespace stator::node {

void WriteRepair::run(const FinishedWrite& write) {
  if (write.round.minted() && !write.round.owners_missing().empty()) {
    context_.incomplete.note(write.partition, context_.now());
    keep_hints(write);
  }
  if (!write.round.differing().empty()) repair(write);
}

// An owner that has missed the write, and for whom nobody keeps it: this node does, for what it is
// worth.
void WriteRepair::keep_hints(const FinishedWrite& write) {
  const ReplicaSet unserved = write.round.unserved();
  if (unserved.empty()) return;
  key_.clear();
  storage::append_storage_key(write.bucket, write.key, key_);
  for (const ReplicaIndex owner : unserved) {
    const NodeId node = write.round.candidate(owner).node;
    if (node == context_.self()) continue;
    replica_.keep_extra_hint(write.partition, node, key_, write.object);
  }
}

void WriteRepair::repair(const FinishedWrite& write) {
  if (context_.env.buggified("write: leaves the repair to reads")) return;
  // What the acknowledgements brought is merged here already; who lacks it gets the whole.
  inside_ = &write;
  const std::uint64_t turn = ++turn_;
  context_.records->load(write.place, write.storage_key,
                         [this, turn](const RecordStore::Loaded& loaded) {
                           // Inside the call or not at all: a read that pends is left to read
                           // repair, since the write is forgotten when it comes.
                           if (inside_ != nullptr && turn == turn_) send_repairs(*inside_, loaded);
                         });
  inside_ = nullptr;
}

void WriteRepair::send_repairs(const FinishedWrite& write, const RecordStore::Loaded& loaded) {
  if (loaded.status != RecordStore::Status::kFound) return;
  if (!decode_object(loaded.payload, object_)) return;
  const RepairPlan plan = plan_repair(write.round, digest(object_));
  if (plan.empty()) return;
  const std::uint64_t copies = plan.send.size();
  const std::uint64_t cost = BackgroundBudget::cost(copies, loaded.payload.size() * copies);
  if (!context_.background.try_take(cost, context_.now())) {
    ++context_.metrics.background_left_out_total;
    return;
  }
  for (const ReplicaIndex replica : plan.send) {
    const NodeId node = write.round.candidate(replica).node;
    if (node == context_.self()) continue;
    STATOR_PROBE("write: a replica gets what others showed");
    ++context_.metrics.read_repairs_total;
    wire::ReplicaPut message;
    message.bucket = write.bucket;
    message.key = write.key;
    message.object = loaded.payload;
    message.repair = true;
    context_.peers->send(node, 0, {}, write.partition, message);
  }
}

}  // namespace stator::node

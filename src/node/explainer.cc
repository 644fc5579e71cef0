#include "node/explainer.h"

#include <utility>

#include "core/ring/position.h"
#include "core/version/object_codec.h"

namespace stator::node {
namespace {

constexpr std::size_t kOperationsMax = 100;

std::string verdict_of(const Explanation& explanation, const Founding& founding, WallTime now) {
  std::size_t answered = 0;
  std::size_t differing = 0;
  Object merged;
  if (!explanation.merged_bytes.empty() && !decode_object(explanation.merged_bytes, merged))
    return {};
  const std::uint64_t digest_merged = merged.empty() ? 0 : digest(merged);
  for (const ReplicaView& replica : explanation.replicas) {
    if (!replica.owner || !replica.answered) continue;
    ++answered;
    if (replica.digest != digest_merged) ++differing;
  }
  const std::string owners =
      std::to_string(answered) + " of " + std::to_string(founding.n) + " owners answered";
  if (answered < founding.r) {
    return "a read would fail: " + owners + ", and R is " + std::to_string(founding.r);
  }
  std::string what;
  const std::size_t living = merged.living(now);
  if (merged.empty()) {
    what = "nothing: no owner knows the key";
  } else if (living == 0) {
    what = "not found: the key was deleted or has expired";
  } else if (living == 1) {
    what = "one version";
  } else {
    what = std::to_string(living) + " siblings, since none of them saw the others";
  }
  std::string agree = differing == 0
                          ? "all that answered hold the same"
                          : std::to_string(differing) + " of them would be repaired by a read";
  return "a read would return " + what + "; " + owners + ", " + agree;
}

}  // namespace

void Explainer::explain(std::string_view bucket, std::string_view key, ExplainDone done) {
  if (const auto checked = check_key(context_, bucket, key); !checked) {
    done(std::unexpected(checked.error()));
    return;
  }
  Operation* operation = operations_.acquire(kOperationsMax);
  if (operation == nullptr) {
    done(std::unexpected(Error{.code = ErrorCode::kOverloaded}));
    return;
  }
  const Topology& topology = *context_.topology;
  const Position position = position_of(bucket, key);
  const PartitionId partition = topology.ring->partition_of(position);
  operation->explanation = {};
  operation->explanation.partition = partition.value;
  operation->explanation.slot = slot_of(position);
  operation->deadline = deadline_of(context_, seconds(1));
  operation->done = std::move(done);
  for (const NodeId node : topology.ring->preference_list(partition)) {
    const auto& member = topology.members[static_cast<std::size_t>(topology.index_of(node))];
    ReplicaView view;
    view.node = node;
    view.name = member.name;
    view.owner = topology.ring->owns(node, partition);
    view.healthy = node == context_.self() || context_.peers->healthy(node);
    operation->explanation.replicas.push_back(std::move(view));
  }
  operation->waiting = 1;  // held until everybody was asked
  const std::uint32_t slot = operation->slot;
  const std::uint32_t generation = operation->generation;
  for (const NodeId node : topology.ring->owners(partition)) {
    ++operation->waiting;
    if (node == context_.self()) {
      std::string storage_key;
      storage::append_storage_key(bucket, key, storage_key);
      context_.records->load(
          partition, storage_key, [this, slot, generation](const RecordStore::Loaded& loaded) {
            Operation* waiting = operations_.find(slot, generation);
            if (waiting == nullptr) return;
            const bool bad = loaded.status == RecordStore::Status::kUnreadable;
            note(*waiting, context_.self(), bad ? "unreadable" : nullptr, loaded.payload);
            finish_if_complete(*waiting);
          });
      continue;
    }
    const RequestId id{.kind = RequestKind::kExplain, .slot = slot, .generation = generation};
    wire::ReplicaGet message;
    message.bucket = bucket;
    message.key = key;
    message.value = true;
    if (!context_.peers->send(node, context_.request_id(id), operation->deadline, partition,
                              message)) {
      note(*operation, node, "not reachable", {});
    }
  }
  --operation->waiting;
  finish_if_complete(*operation);
}

void Explainer::note(Operation& operation, NodeId node, const char* error,
                     std::string_view object) {
  for (ReplicaView& replica : operation.explanation.replicas) {
    if (replica.node != node || replica.answered || !replica.error.empty()) continue;
    STATOR_ASSERT(operation.waiting > 0);
    --operation.waiting;
    if (error != nullptr) {
      replica.error = error;
      return;
    }
    Object decoded;
    if (!object.empty() && !decode_object(object, decoded)) {
      replica.error = "unreadable";
      return;
    }
    replica.answered = true;
    replica.object_bytes = object;
    replica.digest = object.empty() ? 0 : digest(decoded);
    return;
  }
}

void Explainer::finish_if_complete(Operation& operation) {
  if (operation.waiting == 0) finish(operation);
}

void Explainer::finish(Operation& operation) {
  Explanation& explanation = operation.explanation;
  Object merged;
  for (ReplicaView& replica : explanation.replicas) {
    if (replica.owner && !replica.answered && replica.error.empty())
      replica.error = "no answer in time";
    Object decoded;
    if (!replica.object_bytes.empty() && decode_object(replica.object_bytes, decoded)) {
      if (merged.empty()) {
        merged = decoded;
      } else {
        merge(merged, decoded);
      }
    }
  }
  if (!merged.empty()) encode_object(merged, explanation.merged_bytes);
  explanation.verdict =
      verdict_of(explanation, context_.topology->history.founding(), context_.guarded_now());
  ExplainDone done = std::exchange(operation.done, nullptr);
  Explanation result = std::move(explanation);
  operations_.release(operation);
  done(Result<Explanation>(std::move(result)));
}

void Explainer::on_reply(const wire::FrameHeader& header, const wire::ReplicaGetReply& reply) {
  const RequestId id = RequestId::unpack(header.request_id);
  Operation* operation = operations_.find(id.slot, id.generation);
  if (operation == nullptr) return;
  const bool failed = reply.status == wire::ReplyStatus::kFailed;
  note(*operation, header.sender, failed ? to_string(reply.code) : nullptr, reply.object);
  finish_if_complete(*operation);
}

void Explainer::on_refusal(const wire::FrameHeader& header, ErrorCode code) {
  const RequestId id = RequestId::unpack(header.request_id);
  Operation* operation = operations_.find(id.slot, id.generation);
  if (operation == nullptr) return;
  note(*operation, header.sender, to_string(code), {});
  finish_if_complete(*operation);
}

void Explainer::on_peer_down(NodeId peer) {
  operations_.for_each([&](Operation& operation) {
    for (const ReplicaView& replica : operation.explanation.replicas) {
      if (replica.node != peer || !replica.owner || replica.answered || !replica.error.empty())
        continue;
      note(operation, peer, "not reachable", {});
      finish_if_complete(operation);
      return;
    }
  });
}

void Explainer::tick() {
  operations_.for_each([&](Operation& operation) {
    if (context_.now() >= operation.deadline) finish(operation);
  });
}

}  // namespace stator::node

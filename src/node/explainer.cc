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
  std::size_t others = 0;
  std::size_t keeping = 0;
  Object merged;
  if (!explanation.merged_bytes.empty() && !decode_object(explanation.merged_bytes, merged))
    return {};
  const std::uint64_t digest_merged = merged.empty() ? 0 : digest(merged);
  for (const ReplicaView& replica : explanation.replicas) {
    if (!replica.answered) continue;
    ++(replica.owner ? answered : others);
    if (replica.owner && replica.digest != digest_merged) ++differing;
    if (!replica.owner && replica.digest != 0) ++keeping;
  }
  std::string owners =
      std::to_string(answered) + " of " + std::to_string(founding.n) + " owners answered";
  if (answered + others < founding.r) {
    return "a read would fail: " + owners + ", and R is " + std::to_string(founding.r);
  }
  if (answered < founding.r) owners += ", stand-ins for the rest";
  std::string what;
  const std::size_t living = merged.living(now);
  if (merged.empty()) {
    what = "nothing: nobody who was asked knows the key";
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
  if (keeping > 0) {
    agree += "; " + std::to_string(keeping) +
             (keeping == 1 ? " stand-in keeps" : " stand-ins keep") + " a copy for an owner";
  }
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
  operation->partition = partition;
  operation->asked.clear();
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
  // Everybody beyond the owners who answers: one of them may keep something.
  std::size_t others = kCandidatesMax - topology.ring->owners(partition).size();
  for (const ReplicaView& view : operation->explanation.replicas) {
    const bool asked = view.owner || (view.healthy && others > 0);
    if (asked && !view.owner) --others;
    operation->asked.push_back(asked);
  }
  operation->waiting = 1;  // held until everybody was asked
  const std::uint32_t slot = operation->slot;
  const std::uint32_t generation = operation->generation;
  for (std::size_t i = 0; i < operation->asked.size(); ++i) {
    if (operation->asked[i]) ask(*operation, i, bucket, key);
  }
  operation = operations_.find(slot, generation);
  STATOR_ASSERT(operation != nullptr);
  --operation->waiting;
  finish_if_complete(*operation);
}

void Explainer::ask(Operation& operation, std::size_t replica, std::string_view bucket,
                    std::string_view key) {
  ++operation.waiting;
  const ReplicaView& view = operation.explanation.replicas[replica];
  if (view.node == context_.self()) {
    std::string storage_key;
    storage::append_storage_key(bucket, key, storage_key);
    ask_here(operation, storage_key, view.owner);
    return;
  }
  const RequestId id{
      .kind = RequestKind::kExplain, .slot = operation.slot, .generation = operation.generation};
  wire::ReplicaGet message;
  message.bucket = bucket;
  message.key = key;
  message.value = true;
  if (!context_.peers->send(view.node, context_.request_id(id), operation.deadline,
                            operation.partition, message)) {
    note(operation, view.node, "not reachable", {});
  }
}

void Explainer::ask_here(const Operation& operation, std::string_view storage_key, bool owner) {
  const auto answer = [this, slot = operation.slot, generation = operation.generation](
                          RecordStore::Status status, std::string_view object) {
    Operation* waiting = operations_.find(slot, generation);
    if (waiting == nullptr) return;
    const bool bad = status == RecordStore::Status::kUnreadable;
    note(*waiting, context_.self(), bad ? "unreadable" : nullptr, object);
    finish_if_complete(*waiting);
  };
  if (!owner) {
    replica_.read_hints(operation.partition, storage_key, answer);
    return;
  }
  context_.records->load(
      operation.partition, storage_key,
      [answer](const RecordStore::Loaded& loaded) { answer(loaded.status, loaded.payload); });
}

void Explainer::note(Operation& operation, NodeId node, const char* error,
                     std::string_view object) {
  for (std::size_t i = 0; i < operation.asked.size(); ++i) {
    ReplicaView& replica = operation.explanation.replicas[i];
    if (!operation.asked[i] || replica.node != node || replica.answered || !replica.error.empty()) {
      continue;
    }
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
  std::size_t owners = 0;
  for (std::size_t i = 0; i < operation.asked.size(); ++i) {
    ReplicaView& replica = explanation.replicas[i];
    if (operation.asked[i] && !replica.answered && replica.error.empty())
      replica.error = "no answer in time";
    owners += replica.owner && replica.answered;
  }
  const bool sloppy = owners < context_.topology->history.founding().r;
  for (const ReplicaView& replica : explanation.replicas) {
    if (!replica.owner && !sloppy) continue;  // a read asks owners alone, while they are enough
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
    const std::size_t waiting = operation.waiting;
    note(operation, peer, "not reachable", {});
    if (operation.waiting < waiting) finish_if_complete(operation);
  });
}

void Explainer::tick() {
  operations_.for_each([&](Operation& operation) {
    if (context_.now() >= operation.deadline) finish(operation);
  });
}

}  // namespace stator::node

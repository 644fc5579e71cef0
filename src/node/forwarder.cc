#include "node/forwarder.h"

#include <algorithm>
#include <utility>

#include "base/probe.h"

namespace stator::node {
namespace {

// A coordinator that has not answered by then is probably not going to: a retry mints nothing
// twice.
constexpr Duration kTryNext = milliseconds(300);

wire::WriteKind wire_kind(const WriteRequest& request) {
  if (request.kind == WriteKind::kWithContext) return wire::WriteKind::kPut;
  return wire::WriteKind::kPlainPut;
}

}  // namespace

void Forwarder::choose_targets(const WriteRequest& request, PartitionId partition,
                               Candidates& out) const {
  owners_as_candidates(context_, partition, out, Purpose::kWrite);
  if (out.local != kNoReplica) {
    // This node owns the key and takes no writes; the others may.
    out.list.erase(out.local);
    out.local = kNoReplica;
  }
  if (out.list.size() > 1 && context_.env.buggified("forward: to another owner first")) {
    std::rotate(out.list.begin(), out.list.begin() + 1, out.list.end());
  }
  if (request.context == nullptr) return;
  const NodeId fastest = request.context->fastest;
  for (std::size_t i = 1; i < out.list.size(); ++i) {
    if (out.list[i].node == fastest && out.list[i].usable) {
      STATOR_PROBE("forward: to the fastest reader, not to the first owner");
      std::rotate(out.list.begin(), out.list.begin() + i, out.list.begin() + i + 1);
    }
  }
}

void Forwarder::forward(const WriteRequest& request, PartitionId partition, bool confirm_only,
                        WriteDone done) {
  Operation* operation =
      context_.admission.admits() ? operations_.acquire(context_.options.operations_max) : nullptr;
  if (operation == nullptr) {
    STATOR_PROBE("forward: refused, too many are open");
    ++context_.metrics.requests_overload_total;
    done(WriteResult{.bucket = request.bucket,
                     .key = request.key,
                     .outcome = Outcome::kNotApplied,
                     .error = {.code = ErrorCode::kOverloaded},
                     .id = request.id});
    return;
  }
  ++context_.metrics.writes_forwarded_total;
  context_.admission.on_begin();
  operation->began = context_.now();
  operation->id = request.id;
  operation->bucket.assign(request.bucket);
  operation->key.assign(request.key);
  operation->partition = partition;
  operation->deadline = deadline_of(context_, request.quorum.timeout);
  operation->next = 0;
  operation->others_may_have_it = false;
  operation->asked = {};
  operation->maybe_applied = false;
  operation->may_repeat = request.may_repeat;
  operation->last_error = takes_writes(context_.disk_state()) ? ErrorCode::kTooFewNodes
                                                              : refusal_of(context_.disk_state());
  operation->done = std::move(done);
  choose_targets(request, partition, operation->targets);

  encoded_.clear();
  if (request.context != nullptr) {
    encode_context(*request.context, request.bucket, request.key, context_.topology->cluster_tag(),
                   encoded_);
  }
  wire::ForwardWrite message;
  message.bucket = request.bucket;
  message.key = request.key;
  message.kind = wire_kind(request);
  message.write_id = request.id;
  message.value = request.value;
  message.content_type = request.content_type;
  message.tombstone = request.tombstone;
  message.expires_at = request.expires_at;
  message.context = encoded_;
  message.w = request.quorum.w;
  message.pw = request.quorum.pw;
  message.dw = request.quorum.dw;
  message.floor = request.floor;
  message.flags = confirm_only ? wire::ForwardWrite::kConfirmOnly : 0;
  operation->body.clear();
  wire::encode_body(message, operation->body);
  send_next(*operation);
}

void Forwarder::send_next(Operation& operation) {
  wire::ForwardWrite message;
  const auto decoded = wire::decode_body(operation.body, message);
  STATOR_ASSERT(decoded.has_value());
  const RequestId id{
      .kind = RequestKind::kForward, .slot = operation.slot, .generation = operation.generation};
  while (operation.next < operation.targets.list.size()) {
    const NodeId target = operation.targets.list[operation.next++].node;
    message.receiver_incarnation = context_.peers->incarnation_of(target);
    const bool first = !operation.may_repeat && !operation.maybe_applied;
    message.flags &= ~wire::ForwardWrite::kFirst;
    if (first) message.flags |= wire::ForwardWrite::kFirst;
    if (!context_.peers->send(target, context_.request_id(id), operation.deadline,
                              operation.partition, message)) {
      STATOR_PROBE("forward: an owner cannot be reached");
      continue;  // certainly not sent
    }
    if (operation.maybe_applied) STATOR_PROBE("forward: to another owner, the first may have it");
    operation.asked = target;
    operation.others_may_have_it = operation.maybe_applied;
    operation.maybe_applied = true;
    const Duration left = operation.deadline - context_.now();
    operation.try_next_at =
        context_.now() + std::max(std::min(left / 3, kTryNext), milliseconds(1));
    return;
  }
  operation.asked = {};
  if (operation.maybe_applied) STATOR_PROBE("forward: no owner is left to ask");
  if (!operation.maybe_applied) give_up(operation, operation.last_error);
  // Else somebody may still answer: wait for the deadline.
}

void Forwarder::give_up(Operation& operation, ErrorCode code) {
  WriteResult result;
  result.outcome = operation.maybe_applied ? Outcome::kUnknown : Outcome::kNotApplied;
  result.error = {.code = code, .needed = 1, .got = 0};
  result.id = operation.id;
  if (operation.maybe_applied) {
    STATOR_PROBE("forward: ends unknown");
    ++context_.metrics.writes_unknown_total;
  } else {
    STATOR_PROBE("forward: ends not applied");
    ++context_.metrics.writes_not_applied_total;
  }
  complete(operation, result);
}

void Forwarder::complete(Operation& operation, WriteResult result) {
  // The slot is released last: the result points into it.
  result.bucket = operation.bucket;
  result.key = operation.key;
  WriteDone done = std::exchange(operation.done, nullptr);
  operation.asked = {};
  operation.deadline = MonoTime{INT64_MAX};
  context_.note_answered(operation.began);
  done(result);
  recycle(operation.body);
  operations_.release(operation);
}

void Forwarder::on_reply(const wire::FrameHeader& header, const wire::ForwardWriteReply& reply) {
  const RequestId id = RequestId::unpack(header.request_id);
  Operation* operation = operations_.find(id.slot, id.generation);
  if (operation == nullptr) {
    STATOR_PROBE("forward: an answer comes after the end");
    return;
  }
  if (reply.outcome != Outcome::kOk) {
    STATOR_PROBE("forward: the owner did not do it");
    if (reply.outcome == Outcome::kNotApplied && operation->asked == header.sender) {
      // That node promises that it did nothing; earlier ones may have.
      operation->maybe_applied = operation->others_may_have_it;
      operation->last_error = reply.code;
    }
    WriteResult result;
    result.outcome = operation->maybe_applied ? Outcome::kUnknown : reply.outcome;
    result.error = {
        .code = reply.code, .needed = reply.needed, .got = reply.got, .node = header.sender};
    result.id = operation->id;
    complete(*operation, result);
    return;
  }
  WriteResult result;
  result.evidence = reply.evidence;
  result.id = operation->id;
  result.time = reply.time;
  if (!reply.context.empty() && decode_context(reply.context, operation->bucket, operation->key,
                                               context_.topology->cluster_tag(), received_)) {
    result.context = &received_;
  }
  complete(*operation, result);
}

void Forwarder::on_refusal(const wire::FrameHeader& header, ErrorCode code) {
  const RequestId id = RequestId::unpack(header.request_id);
  Operation* operation = operations_.find(id.slot, id.generation);
  if (operation == nullptr || operation->asked != header.sender) return;
  STATOR_PROBE("forward: an owner refuses");
  context_.peers->on_refused(header.sender, code);
  // A refusal is sent before anything is done.
  operation->maybe_applied = operation->others_may_have_it;
  operation->last_error = code;
  send_next(*operation);
}

void Forwarder::on_peer_down(NodeId peer) {
  operations_.for_each([&](Operation& operation) {
    if (operation.asked != peer) return;
    STATOR_PROBE("forward: the link to the owner breaks");
    if (operation.id.retryable()) {
      send_next(operation);
    } else {
      give_up(operation, ErrorCode::kClosed);
    }
  });
}

void Forwarder::on_peer_silent(NodeId peer) {
  operations_.for_each([&](Operation& operation) {
    if (operation.asked == peer && operation.id.retryable()) send_next(operation);
  });
}

void Forwarder::tick() {
  const MonoTime now = context_.now();
  operations_.for_each([&](Operation& operation) {
    if (now >= operation.deadline) {
      STATOR_PROBE("forward: its time is over");
      give_up(operation, ErrorCode::kTimeout);
    } else if (operation.id.retryable() && operation.asked && now >= operation.try_next_at) {
      STATOR_PROBE("forward: an owner is silent");
      send_next(operation);
    }
  });
}

void Forwarder::on_forward(const wire::FrameHeader& header, const wire::ForwardWrite& message) {
  ++context_.metrics.forwards_received_total;
  const PartitionId partition{header.partition};
  const bool confirm_only = (message.flags & wire::ForwardWrite::kConfirmOnly) != 0;
  const auto refuse = [&](ErrorCode code) {
    wire::Refusal refusal;
    refusal.code = code;
    context_.peers->send(header.sender, header.request_id, {}, partition, refusal);
  };
  if (message.receiver_incarnation != context_.mint->incarnation()) {
    STATOR_PROBE("forward: meant for an earlier process");
    return refuse(ErrorCode::kClosed);
  }
  if (const DiskState disk = context_.disk_state(); !takes_writes(disk)) {
    STATOR_PROBE("forward: this owner takes no writes");
    return refuse(refusal_of(disk));
  }
  // A frame that comes twice: the first one's answer is on its way, and minting again would bring
  // back what somebody may have overwritten. Ids that may be retried are known by their guards.
  if (!confirm_only && !message.write_id.retryable() && !recent_.first_time(message.write_id)) {
    STATOR_PROBE("forward: a write that is made once comes twice");
    return;
  }
  WriteRequest request;
  request.bucket = message.bucket;
  request.key = message.key;
  request.kind =
      message.kind == wire::WriteKind::kPut ? WriteKind::kWithContext : WriteKind::kOverAll;
  request.id = message.write_id;
  const bool first = (message.flags & wire::ForwardWrite::kFirst) != 0;
  request.may_repeat =
      message.write_id.retryable() && !(first && recent_first_.first_time(message.write_id));
  request.tombstone = message.tombstone;
  request.value = message.value;
  request.content_type = message.content_type;
  request.expires_at = message.expires_at;
  request.floor = message.floor;
  request.quorum = {.w = message.w,
                    .pw = message.pw,
                    .dw = message.dw,
                    .timeout = microseconds(header.deadline_us)};
  if (!message.context.empty()) {
    if (!decode_context(message.context, message.bucket, message.key,
                        context_.topology->cluster_tag(), received_)) {
      return refuse(ErrorCode::kBadContext);
    }
    request.context = &received_;
  }
  coordinator_.write(
      request, partition, confirm_only,
      [this, to = header.sender, id = header.request_id, partition](const WriteResult& result) {
        wire::ForwardWriteReply reply;
        reply.outcome = result.outcome;
        reply.code = result.error.code;
        reply.needed = result.error.needed;
        reply.got = result.error.got;
        reply.evidence = result.evidence;
        reply.time = result.time;
        reply.write_id = result.id;
        encoded_.clear();
        if (result.context != nullptr) {
          encode_context(*result.context, result.bucket, result.key,
                         context_.topology->cluster_tag(), encoded_);
        }
        reply.context = encoded_;
        context_.peers->send(to, id, {}, partition, reply);
      });
}

}  // namespace stator::node

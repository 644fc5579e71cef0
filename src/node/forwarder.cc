#include "node/forwarder.h"

#include <algorithm>
#include <utility>

#include "base/probe.h"

namespace stator::node {
namespace {

// A coordinator that has not answered by then is probably not going to: a retry mints nothing
// twice.
constexpr Duration kTryNext = milliseconds(300);
// While this node comes back.
constexpr Duration kTryAgain = milliseconds(50);

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
  std::size_t near = 0;
  while (near < out.list.size() && !out.list[near].away) ++near;
  out.list.truncate(near);
  if (out.list.size() > 1 && context_.env.buggified("forward: to another owner first")) {
    std::rotate(out.list.begin(), out.list.begin() + 1, out.list.end());
  }
  if (request.context == nullptr) return;
  const NodeId fastest = request.context->fastest;
  // It was then. Who has become slow since gets what the others cannot take, as from anybody.
  if (!context_.peers->healthy(fastest) || context_.peers->doubted(fastest)) return;
  for (std::size_t i = 1; i < out.list.size(); ++i) {
    if (out.list[i].node == fastest) {
      STATOR_PROBE("forward: to the fastest reader, not to the first owner");
      std::rotate(out.list.begin(), out.list.begin() + i, out.list.begin() + i + 1);
    }
  }
}

// Stand-ins, then the owners that are believed down.
void Forwarder::name_others(Operation& operation) {
  operation.others_named = true;
  auto& targets = operation.targets.list;
  stand_ins_as_candidates(context_, operation.partition, others_, Purpose::kWrite);
  for (const Candidate& other : others_.list) {
    if (targets.size() < kCandidatesMax) targets.push_back(other);
  }
  owners_as_candidates(context_, operation.partition, others_, Purpose::kWrite);
  for (const Candidate& owner : others_.list) {
    const bool tried = std::any_of(targets.begin(), targets.end(), [&](const Candidate& target) {
      return target.node == owner.node;
    });
    if (!tried && owner.node != context_.self() && targets.size() < kCandidatesMax)
      targets.push_back(owner);
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
  operation->others_named = false;
  operation->waits = false;
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
  operation.waits = false;
  if (context_.now() >= operation.deadline) return give_up(operation, ErrorCode::kTimeout);
  for (;;) {
    if (operation.next == operation.targets.list.size() && !operation.others_named) {
      if (awaits_owners(context_, operation.began, operation.deadline)) {
        STATOR_PROBE("forward: waits for an owner, since this node comes back");
        // An owner is probably heard in a moment: better late than at a stand-in.
        operation.next = 0;
        operation.try_next_at = context_.now() + kTryAgain;
        operation.waits = true;
        operation.asked = {};
        return;
      }
      name_others(operation);
    }
    if (operation.next == operation.targets.list.size()) break;
    if (send_to(operation, operation.targets.list[operation.next++], message)) return;
  }
  operation.asked = {};
  if (operation.maybe_applied) STATOR_PROBE("forward: no owner is left to ask");
  if (!operation.maybe_applied) give_up(operation, operation.last_error);
  // Else somebody may still answer: wait for the deadline.
}

// False: certainly not sent.
bool Forwarder::send_to(Operation& operation, const Candidate& target,
                        wire::ForwardWrite& message) {
  message.receiver_incarnation = context_.peers->incarnation_of(target.node);
  const bool first = !operation.may_repeat && !operation.maybe_applied;
  message.flags &= ~(wire::ForwardWrite::kFirst | wire::ForwardWrite::kStandIn);
  if (first) message.flags |= wire::ForwardWrite::kFirst;
  if (!target.owner) message.flags |= wire::ForwardWrite::kStandIn;
  const bool here = target.node == context_.self();
  // A frame of its own, also for one that was asked before: a second copy is not looked at.
  const RequestId id{.kind = RequestKind::kForward,
                     .attempt = static_cast<std::uint8_t>((operation.attempt + 1) & 0xF),
                     .slot = operation.slot,
                     .generation = operation.generation};
  if (!here && !context_.peers->send(target.node, context_.request_id(id), operation.deadline,
                                     operation.partition, message)) {
    STATOR_PROBE("forward: an owner cannot be reached");
    return false;
  }
  if (operation.maybe_applied) STATOR_PROBE("forward: to another owner, the first may have it");
  operation.attempt = id.attempt;
  operation.asked = target.node;
  operation.others_may_have_it = operation.maybe_applied;
  operation.maybe_applied = true;
  const Duration left = operation.deadline - context_.now();
  operation.try_next_at = context_.now() + std::max(std::min(left / 3, kTryNext), milliseconds(1));
  if (here) {
    operation.try_next_at = operation.deadline;  // nobody knows better what becomes of it
    stand_in(operation, message);
  }
  return true;
}

void Forwarder::stand_in(Operation& operation, const wire::ForwardWrite& message) {
  STATOR_PROBE("forward: this node stands in");
  ++context_.metrics.writes_stood_in_total;
  WriteRequest request;
  const bool readable = read_request(message, request);
  STATOR_ASSERT(readable);  // it was written here
  // This node made the id, or was given it: there is nobody else who could have repeated it here.
  request.may_repeat = operation.may_repeat || operation.others_may_have_it;
  request.quorum.timeout = operation.deadline - context_.now();
  const bool confirm_only = (message.flags & wire::ForwardWrite::kConfirmOnly) != 0;
  coordinator_.write(request, operation.partition, confirm_only,
                     [this, slot = operation.slot, generation = operation.generation](
                         const WriteResult& result) { on_stood_in(slot, generation, result); });
}

void Forwarder::on_stood_in(std::uint32_t slot, std::uint32_t generation,
                            const WriteResult& result) {
  Operation* operation = operations_.find(slot, generation);
  if (operation == nullptr) return;
  WriteResult told = result;
  if (result.outcome == Outcome::kNotApplied && operation->others_may_have_it) {
    told.outcome = Outcome::kUnknown;
  }
  complete(*operation, told);
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
    if (reply.outcome == Outcome::kNotApplied && operation->asked == header.sender &&
        operation->attempt == id.attempt) {
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
  if (operation->attempt != id.attempt) return;  // of a frame before
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
    } else if (now >= operation.try_next_at &&
               (operation.waits || (operation.id.retryable() && operation.asked))) {
      STATOR_PROBE("forward: an owner is silent");
      send_next(operation);
    }
  });
}

// False: its context is of another key, or damaged.
bool Forwarder::read_request(const wire::ForwardWrite& message, WriteRequest& request) {
  request.bucket = message.bucket;
  request.key = message.key;
  request.kind =
      message.kind == wire::WriteKind::kPut ? WriteKind::kWithContext : WriteKind::kOverAll;
  request.id = message.write_id;
  request.tombstone = message.tombstone;
  request.value = message.value;
  request.content_type = message.content_type;
  request.expires_at = message.expires_at;
  request.floor = message.floor;
  request.quorum = {.w = message.w, .pw = message.pw, .dw = message.dw};
  if (message.context.empty()) return true;
  if (!decode_context(message.context, message.bucket, message.key,
                      context_.topology->cluster_tag(), received_)) {
    return false;
  }
  request.context = &received_;
  return true;
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
  if (context_.peers->refused_by_others()) {
    STATOR_PROBE("forward: this owner is not alone under its name");
    return refuse(ErrorCode::kNotMember);
  }
  // A frame that comes twice: the first one's answer is on its way, and minting again would bring
  // back what somebody may have overwritten. Ids that may be retried are known by their guards.
  if (!confirm_only && !message.write_id.retryable() && !recent_.first_time(message.write_id)) {
    STATOR_PROBE("forward: a write that is made once comes twice");
    return;
  }
  WriteRequest request;
  if (!read_request(message, request)) return refuse(ErrorCode::kBadContext);
  const bool first = (message.flags & wire::ForwardWrite::kFirst) != 0;
  request.may_repeat =
      message.write_id.retryable() && !(first && recent_first_.first_time(message.write_id));
  request.quorum.timeout = microseconds(header.deadline_us);
  if ((message.flags & wire::ForwardWrite::kStandIn) != 0) ++context_.metrics.writes_stood_in_total;
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

#include "node/read_coordinator.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/probe.h"
#include "core/repair/repair_plan.h"
#include "core/ring/position.h"
#include "core/version/object_codec.h"

namespace stator::node {

namespace {

// Which question an answer belongs to, as the attempt of its request id: a repeated answer to the
// first question must not be taken for one to the second.
constexpr std::uint8_t kAboutDigest = 0;
constexpr std::uint8_t kAboutValue = 1;

}  // namespace

void ReadCoordinator::read(std::string_view bucket, std::string_view key, const ReadQuorum& quorum,
                           ReadDone done) {
  if (const auto checked = check_key(context_, bucket, key); !checked) {
    done(std::unexpected(checked.error()));
    return;
  }
  const Founding& founding = context_.topology->history.founding();
  if (quorum.r > founding.n || quorum.pr > founding.n) {
    done(std::unexpected(
        Error{.code = ErrorCode::kBadRequest,
              .detail = "r and pr must be from 1 to N=" + std::to_string(founding.n)}));
    return;
  }
  ++context_.metrics.reads_total;
  const PartitionId partition = context_.topology->ring->partition_of(position_of(bucket, key));
  Operation* operation =
      context_.admission.admits() ? start(bucket, key, partition, quorum, true) : nullptr;
  if (operation == nullptr) {
    STATOR_PROBE("read: refused, too many are open");
    ++context_.metrics.reads_failed_total;
    ++context_.metrics.requests_overload_total;
    done(std::unexpected(Error{.code = ErrorCode::kOverloaded}));
    return;
  }
  operation->done = std::move(done);
  context_.admission.on_begin();
  hedges_.on_request();
  run(*operation);
}

ReadCoordinator::Operation* ReadCoordinator::start(std::string_view bucket, std::string_view key,
                                                   PartitionId partition, const ReadQuorum& quorum,
                                                   bool sloppy) {
  if (context_.env.buggified("read: refused as if full")) return nullptr;
  Operation* operation = operations_.acquire(context_.options.operations_max);
  if (operation == nullptr) return nullptr;
  // Behind what follows the record is there when it is asked for.
  operation->storage_key.clear();
  storage::append_storage_key(bucket, key, operation->storage_key);
  context_.records->expect(partition, operation->storage_key, storage::Ahead::kLater);
  operation->bucket.assign(bucket);
  operation->key.assign(key);
  operation->partition = partition;
  operation->began = context_.now();
  operation->deadline = deadline_of(context_, quorum.timeout);
  operation->merged.clear();
  operation->value_count = 0;
  operation->check_the_rest = false;
  operation->restoring = false;
  operation->all_but = 0;
  const Founding& founding = context_.topology->history.founding();
  owners_as_candidates(context_, partition, candidates_);
  context_.records->expect(partition, operation->storage_key, storage::Ahead::kNext);
  stator::ReadOptions options;
  options.r = quorum.r != 0 ? quorum.r : founding.r;
  options.more = sloppy && has_stand_ins(context_, partition);
  options.pr = quorum.pr;
  options.deadline = operation->deadline;
  options.hedge_after = context_.options.hedge_after;
  if (context_.env.buggified("read: hedges at once")) {
    options.hedge_after = {};
  } else {
    for (Candidate& candidate : candidates_.list) {
      if (candidate.node == context_.self()) continue;
      candidate.patience =
          context_.peers->patience(candidate.node, AnswerKind::kRead, options.hedge_after);
    }
  }
  operation->round.start(options, candidates_.list.view(), candidates_.local, context_.now());
  if (context_.peers->comes_back()) operation->round.trust_stand_ins(false, context_.now());
  return operation;
}

void ReadCoordinator::run(Operation& operation) {
  // Carrying out a wish may bring its answer at once: those find the round running and leave it to
  // us.
  if (operation.running) return;
  operation.running = true;
  const std::uint32_t generation = operation.generation;
  while (const auto wish = operation.round.next()) {
    switch (wish->kind) {
      case ReadWish::Kind::kMore: name_more(operation); break;
      case ReadWish::Kind::kAskValue: ask(operation, wish->replica, true); break;
      case ReadWish::Kind::kAskDigest: ask(operation, wish->replica, false); break;
      case ReadWish::Kind::kAnswer: answer(operation); break;
      case ReadWish::Kind::kFail:
        if (operation.done) ++context_.metrics.reads_failed_total;
        complete(operation, std::unexpected(Error{
                                .code = wish->code, .needed = wish->needed, .got = wish->got}));
        break;
      case ReadWish::Kind::kFinished: finish(operation); return;
    }
    STATOR_ASSERT(operations_.find(operation.slot, generation) == &operation);
  }
  operation.running = false;
}

void ReadCoordinator::name_more(Operation& operation) {
  stand_ins_as_candidates(context_, operation.partition, candidates_);
  operation.round.add_candidates(candidates_.list.view(), context_.now());
}

void ReadCoordinator::ask(Operation& operation, ReplicaIndex replica, bool value) {
  const NodeId node = operation.round.candidate(replica).node;
  if (node == context_.self()) {
    ask_local(operation, replica, value);
    return;
  }
  const RequestId id{.kind = RequestKind::kRead,
                     .attempt = value ? kAboutValue : kAboutDigest,
                     .slot = operation.slot,
                     .generation = operation.generation};
  wire::ReplicaGet message;
  message.bucket = operation.bucket;
  message.key = operation.key;
  message.value = value;
  if (!context_.peers->send(node, context_.request_id(id), operation.deadline, operation.partition,
                            message)) {
    STATOR_PROBE("read: a replica cannot be reached");
    operation.round.on_failure(replica, ErrorCode::kClosed, context_.now());
  }
}

void ReadCoordinator::ask_local(Operation& operation, ReplicaIndex replica, bool value) {
  if (!operation.round.candidate(replica).owner) {
    replica_.read_hints(operation.partition, operation.storage_key,
                        [this, slot = operation.slot, generation = operation.generation, replica,
                         value](RecordStore::Status status, std::string_view object) {
                          Operation* waiting = operations_.find(slot, generation);
                          if (waiting == nullptr) return;
                          on_local_hints(*waiting, replica, value, status, object);
                        });
    return;
  }
  context_.records->load(operation.partition, operation.storage_key,
                         [this, slot = operation.slot, generation = operation.generation, replica,
                          value](const RecordStore::Loaded& loaded) {
                           Operation* waiting = operations_.find(slot, generation);
                           if (waiting != nullptr) on_local(*waiting, replica, value, loaded);
                         });
}

void ReadCoordinator::on_local(Operation& operation, ReplicaIndex replica, bool value,
                               const RecordStore::Loaded& loaded) {
  if (loaded.status == RecordStore::Status::kUnreadable) {
    operation.round.on_failure(replica, ErrorCode::kUnreadable, context_.now());
  } else if (loaded.status == RecordStore::Status::kMissing) {
    if (value) {
      operation.round.on_value(replica, 0, operation.round.merged_digest(), context_.now());
    } else {
      operation.round.on_digest(replica, 0, context_.now());
    }
  } else if (value) {
    std::string& bytes = operation.values[operation.value_count];
    take_value(operation, replica, context_.records->take_loaded(loaded, bytes));
  } else if (decode_object(loaded.payload, received_)) {
    operation.round.on_digest(replica, digest(received_), context_.now());
  } else {
    operation.round.on_failure(replica, ErrorCode::kUnreadable, context_.now());
  }
  run(operation);
}

void ReadCoordinator::on_local_hints(Operation& operation, ReplicaIndex replica, bool value,
                                     RecordStore::Status status, std::string_view object) {
  if (status != RecordStore::Status::kFound) {
    on_local(operation, replica, value, {.status = status});
    return;
  }
  if (value) {
    std::string& bytes = operation.values[operation.value_count];
    bytes.assign(object);
    take_value(operation, replica, bytes);
  } else if (decode_object(object, received_)) {
    operation.round.on_digest(replica, digest(received_), context_.now());
  } else {
    operation.round.on_failure(replica, ErrorCode::kUnreadable, context_.now());
  }
  run(operation);
}

void ReadCoordinator::take_value(Operation& operation, ReplicaIndex replica,
                                 std::string_view object) {
  STATOR_ASSERT(operation.value_count < operation.values.size());
  const bool first = operation.merged.empty();
  Object& target = first ? operation.merged : received_;
  if (!decode_object(object, target)) {
    if (first) operation.merged.clear();
    operation.round.on_failure(replica, ErrorCode::kUnreadable, context_.now());
    return;
  }
  ++operation.value_count;
  if (operation.round.answered()) STATOR_PROBE("read: a value comes after the answer");
  const std::uint64_t received = digest(target);
  if (!first) merge(operation.merged, received_);
  operation.round.on_value(replica, received, first ? received : digest(operation.merged),
                           context_.now());
}

// The look at all owners asks a slow one, too, which so can show that it is well again.
bool ReadCoordinator::tries_any(std::span<const NodeId> owners) {
  return std::any_of(owners.begin(), owners.end(), [this](NodeId owner) {
    return context_.peers->worth_a_try(owner, Purpose::kRead);
  });
}

// Some owner may lack writes. Where this node is bringing it what it missed, that is not looked for
// with each read besides: it would cost more than the delivery, and be the same.
bool ReadCoordinator::may_miss_something(std::span<const NodeId> owners,
                                         PartitionId partition) const {
  const MonoTime now = context_.now();
  if (!context_.peers->away_lately(owners) && !context_.incomplete.lately(partition, now)) {
    return false;
  }
  return std::none_of(owners.begin(), owners.end(),
                      [&](NodeId owner) { return context_.hints.catches_up(owner, now); });
}

void ReadCoordinator::answer(Operation& operation) {
  if (!operation.done) return;
  const WallTime now = context_.guarded_now();
  if (operation.merged.living(now) > 1) ++context_.metrics.siblings_seen_total;
  ReadResult result;
  result.object = &operation.merged;
  result.evidence = operation.round.evidence();
  result.now = now;
  const ReplicaIndex fastest = operation.round.fastest();
  if (fastest != kNoReplica) result.fastest = operation.round.candidate(fastest).node;
  // Decided before `done` runs, which may begin other operations.
  const auto owners = context_.topology->ring->owners(operation.partition);
  operation.check_the_rest =
      operation.round.owners_not_asked().size() > 0 &&
      (may_miss_something(owners, operation.partition) || tries_any(owners) ||
       context_.env.buggified("read: looks at all owners") ||
       context_.env.executor.random() % 1'000'000 < context_.options.read_repair_share_ppm);
  complete(operation, Result<ReadResult>(result));
}

void ReadCoordinator::complete(Operation& operation, const Result<ReadResult>& result) {
  if (!operation.done) return;
  ReadDone done = std::exchange(operation.done, nullptr);
  context_.note_answered(operation.began);
  done(result);
}

// Who was believed down when it was asked is not slow: it would have to be fast for a while after
// it is back.
void ReadCoordinator::note_late(const Operation& operation, ReplicaSet late) {
  const MonoTime now = context_.now();
  for (const ReplicaIndex replica : late) {
    if (operation.round.believed_down(replica)) continue;
    context_.peers->on_answer(operation.round.candidate(replica).node, AnswerKind::kRead,
                              now - operation.round.asked_at(replica));
  }
}

void ReadCoordinator::finish(Operation& operation) {
  note_late(operation, operation.round.waiting());
  if (operation.restoring) --restores_;
  repair(operation);
  // Left undone under pressure: the next read of the key looks again.
  if (operation.check_the_rest &&
      context_.background.try_take(
          BackgroundBudget::cost(operation.round.owners().size(), operation.key.size()),
          context_.now())) {
    ++context_.metrics.late_digests_total;
    look_at_all(operation.bucket, operation.key, operation.partition, 0, false);
  } else if (const std::uint8_t damaged =
                 (operation.round.unreadable() & operation.round.owners()).size();
             damaged > operation.all_but &&
             !may_restore(operation.round, context_.topology->history.founding().w)) {
    STATOR_PROBE("read: too little was heard to restore a record");
    look_at_all(operation.bucket, operation.key, operation.partition, damaged, true);
  }
  for (std::uint8_t i = 0; i < operation.value_count; ++i) recycle(operation.values[i]);
  STATOR_ASSERT(!operation.done);
  operation.running = false;
  operations_.release(operation);
}

void ReadCoordinator::look_at_all(std::string_view bucket, std::string_view key,
                                  PartitionId partition, std::uint8_t all_but, bool restoring) {
  const std::size_t owners = context_.topology->ring->owners(partition).size();
  if (owners <= all_but || (restoring && restores_ >= kRestoresMax)) return;
  const ReadQuorum quorum{.r = static_cast<std::uint8_t>(owners - all_but)};
  Operation* background = start(bucket, key, partition, quorum, false);
  if (background == nullptr) {
    STATOR_PROBE("read: no room to look at the other owners");
    return;
  }
  background->restoring = restoring;
  background->all_but = all_but;
  if (restoring) ++restores_;
  run(*background);
}

void ReadCoordinator::restore(PartitionId partition, std::string_view storage_key) {
  // Who met it is in the middle of something.
  context_.env.executor.post([this, partition, copy = std::make_unique<std::string>(storage_key)] {
    const auto place = storage::parse_storage_key(*copy);
    STATOR_ASSERT(place.has_value());
    look_at_all(place->bucket, place->key, partition, 1, true);
  });
}

void ReadCoordinator::repair(Operation& operation) {
  ReplicaSet send = plan_repair(operation.round).send;
  if (!may_restore(operation.round, context_.topology->history.founding().w)) {
    send = send - operation.round.unreadable();
  }
  if (send.empty()) return;
  encoded_.clear();
  encode_object(operation.merged, encoded_);
  // Of the one budget (D16); what is left out is found by the next read.
  const std::uint64_t cost =
      BackgroundBudget::cost(send.size(), std::uint64_t{encoded_.size()} * send.size());
  if (!context_.background.try_take(cost, context_.now())) {
    ++context_.metrics.background_left_out_total;
    return;
  }
  for (const ReplicaIndex replica : send) {
    const bool damaged = operation.round.unreadable().contains(replica);
    ++context_.metrics.read_repairs_total;
    const NodeId node = operation.round.candidate(replica).node;
    if (node == context_.self()) {
      STATOR_PROBE("read: brings its own node up to date");
      replica_.merge_in(operation.partition, operation.storage_key, encoded_, {.restores = damaged},
                        [](const Result<Replica::Merged>&) {});
      continue;
    }
    wire::ReplicaPut message;
    message.bucket = operation.bucket;
    message.key = operation.key;
    message.object = encoded_;
    message.repair = true;
    message.restores = damaged;
    context_.peers->send(node, 0, {}, operation.partition, message);
  }
}

ReadCoordinator::Operation* ReadCoordinator::find(std::uint64_t request_id, NodeId sender,
                                                  ReplicaIndex& replica) {
  const RequestId id = RequestId::unpack(request_id);
  Operation* operation = operations_.find(id.slot, id.generation);
  if (operation == nullptr) return nullptr;
  replica = operation->round.index_of(sender);
  if (replica == kNoReplica) return nullptr;
  const bool value_wanted = operation->round.waiting_for_value().contains(replica);
  if (id.attempt == (value_wanted ? kAboutValue : kAboutDigest)) return operation;
  STATOR_PROBE("read: an answer to the question before");
  return nullptr;
}

void ReadCoordinator::on_reply(const wire::FrameHeader& header,
                               const wire::ReplicaGetReply& reply) {
  ReplicaIndex replica = kNoReplica;
  Operation* operation = find(header.request_id, header.sender, replica);
  if (operation == nullptr) return;
  const MonoTime now = context_.now();
  if (operation->round.waiting().contains(replica)) {
    context_.peers->on_answer(header.sender, AnswerKind::kRead,
                              now - operation->round.asked_at(replica));
  }
  if (reply.status == wire::ReplyStatus::kFailed) {
    context_.peers->on_refused(header.sender, reply.code);
    operation->round.on_failure(replica, reply.code, now);
  } else if (reply.object.empty()) {
    if (reply.digest == 0) {
      // Missing: the same answer to both questions.
      operation->round.on_value(replica, 0, operation->round.merged_digest(), now);
      operation->round.on_digest(replica, 0, now);
    } else {
      operation->round.on_digest(replica, reply.digest, now);
    }
  } else if (operation->value_count < operation->values.size()) {
    std::string& bytes = operation->values[operation->value_count];
    bytes.assign(reply.object);
    take_value(*operation, replica, bytes);
  }
  run(*operation);
}

void ReadCoordinator::on_refusal(const wire::FrameHeader& header, ErrorCode code) {
  ReplicaIndex replica = kNoReplica;
  Operation* operation = find(header.request_id, header.sender, replica);
  if (operation == nullptr) return;
  STATOR_PROBE("read: a replica refuses");
  context_.peers->on_refused(header.sender, code);
  operation->round.on_failure(replica, code, context_.now());
  run(*operation);
}

template <typename Use>
void ReadCoordinator::for_each_waiting_for(NodeId peer, Use use) {
  operations_.for_each([&](Operation& operation) {
    const ReplicaIndex replica = operation.round.index_of(peer);
    if (replica == kNoReplica || !operation.round.waiting().contains(replica)) return;
    use(operation, replica);
    run(operation);
  });
}

void ReadCoordinator::on_peer_down(NodeId peer) {
  for_each_waiting_for(peer, [&](Operation& operation, ReplicaIndex replica) {
    STATOR_PROBE("read: a link breaks before the answer");
    operation.round.on_failure(replica, ErrorCode::kClosed, context_.now());
  });
}

void ReadCoordinator::on_peer_silent(NodeId peer) {
  for_each_waiting_for(peer, [&](Operation& operation, ReplicaIndex replica) {
    operation.round.on_silent(replica, context_.now());
  });
}

void ReadCoordinator::on_peer_up(NodeId peer) {
  const bool comes_back = context_.peers->comes_back();
  for_each_waiting_for(peer, [&](Operation& operation, ReplicaIndex replica) {
    STATOR_PROBE("read: asked again of a peer that came back");
    ask(operation, replica, operation.round.waiting_for_value().contains(replica));
  });
  operations_.for_each([&](Operation& operation) {
    if (comes_back) operation.round.trust_stand_ins(false, context_.now());
    const ReplicaIndex replica = operation.round.index_of(peer);
    if (replica != kNoReplica) operation.round.on_heard(replica, context_.now());
    run(operation);
  });
}

void ReadCoordinator::tick() {
  const MonoTime now = context_.now();
  const bool comes_back = context_.peers->comes_back();
  hedges_.on_tick();
  operations_.for_each([&](Operation& operation) {
    ReadRound& round = operation.round;
    round.allow_hedges(hedges_.available() && !context_.admission.pressed());
    if (round.trusts_stand_ins() == comes_back) {
      round.trust_stand_ins(!comes_back, now);
      run(operation);
      return;
    }
    if (round.wake_at() > now) return;
    if (!hedges_.available()) STATOR_PROBE("read: no hedge, too many were spent");
    if (context_.admission.pressed()) STATOR_PROBE("read: no hedge, too many wait");
    const ReplicaSet before = round.silent();
    const bool asking = static_cast<bool>(operation.done);
    round.on_tick(now);
    const ReplicaSet late = round.silent() - before;
    note_late(operation, late);
    if (asking) hedges_.spend(late.size());
    context_.metrics.hedges_total += asking ? late.size() : 0;
    run(operation);
  });
}

}  // namespace stator::node

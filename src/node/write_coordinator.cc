#include "node/write_coordinator.h"

#include <algorithm>
#include <utility>

#include "base/hash.h"
#include "base/probe.h"
#include "core/version/object_codec.h"
#include "node/hint_place.h"

namespace stator::node {
namespace {

// How much there is of an object, for the limits of design 2.5.
struct Extent {
  std::size_t living = 0;
  std::size_t versions = 0;  // dead ones, too
  std::size_t bytes = 0;     // of all values
};

// Of siblings_max: so many versions a write may leave, with those that are deleted or expired.
constexpr std::size_t kVersionsPerSibling = 2;

// The coordinator comes first in its round's list of candidates.
constexpr ReplicaIndex kLocal = 0;

// It is in the round already.
void leave_out_self(Candidates& others) {
  if (others.local == kNoReplica) return;
  auto* const at = others.list.begin() + others.local;
  std::rotate(at, at + 1, others.list.end());
  others.list.truncate(others.list.size() - 1);
}

Extent extent_of(const Object& object, WallTime now) {
  Extent extent{.living = object.living(now), .versions = object.versions.size()};
  for (const Version& version : object.versions) extent.bytes += version.value.size();
  return extent;
}

}  // namespace

void WriteCoordinator::write(const WriteRequest& request, PartitionId partition, bool confirm_only,
                             WriteDone done) {
  ++context_.metrics.writes_total;
  const bool admitted = context_.admission.admits() && !context_.records->overloaded() &&
                        !context_.env.buggified("write: refused as if full");
  Operation* operation = admitted ? operations_.acquire(context_.options.operations_max) : nullptr;
  if (operation == nullptr) {
    STATOR_PROBE("write: refused, too many are open");
    ++context_.metrics.writes_not_applied_total;
    ++context_.metrics.requests_overload_total;
    done(WriteResult{.bucket = request.bucket,
                     .key = request.key,
                     .outcome = Outcome::kNotApplied,
                     .error = {.code = ErrorCode::kOverloaded},
                     .id = request.id});
    return;
  }
  // Behind what follows, and begin_round(), the record is there when it is asked for.
  operation->storage_key.clear();
  storage::append_storage_key(request.bucket, request.key, operation->storage_key);
  context_.records->expect(partition, operation->storage_key, storage::Ahead::kLater);
  context_.admission.on_begin();
  operation->began = context_.now();
  operation->request = request;
  operation->confirm_only = confirm_only;
  operation->bucket.assign(request.bucket);
  operation->key.assign(request.key);
  operation->has_context = request.kind == WriteKind::kWithContext;
  if (request.context != nullptr) {
    operation->context = *request.context;
  } else {
    operation->context.clear();
  }
  operation->place = operation->partition = partition;
  operation->deadline = deadline_of(context_, request.quorum.timeout);
  operation->sync = context_.syncs(request.quorum.dw > 0);
  operation->refusal = {};
  operation->time = {};
  operation->minting = false;
  operation->more_owed = false;
  operation->repaired = false;
  operation->done = std::move(done);

  begin_round(*operation);
  const std::uint32_t slot = operation->slot;
  const std::uint32_t generation = operation->generation;
  run(*operation);
  operation = operations_.find(slot, generation);
  if (operation != nullptr && !operation->round.minted()) keep_request(*operation);
}

void WriteCoordinator::begin_round(Operation& operation) {
  const WriteRequest& request = operation.request;
  owners_as_candidates(context_, operation.partition, candidates_, Purpose::kWrite);
  context_.records->expect(operation.place, operation.storage_key, storage::Ahead::kNext);
  for (Candidate& candidate : candidates_.list) {
    // One copy more than W need be waited for: a slow owner can show that it is well again.
    if (!candidate.usable && context_.peers->worth_a_try(candidate.node, Purpose::kWrite)) {
      candidate.usable = true;
      candidate.away = false;
    }
  }
  stator::WriteOptions options;
  options.n = static_cast<std::uint8_t>(candidates_.list.size());
  options.w = request.quorum.w != 0 ? request.quorum.w : context_.topology->history.founding().w;
  options.pw = request.quorum.pw;
  options.dw = request.quorum.dw;
  // `dw` asks for more. A node whose engine keeps nothing on a disk is a cache among caches.
  options.durable_one =
      context_.options.durability == Durability::kOne && options.dw == 0 && context_.durable(true);
  // By the write: a retry asks the same node.
  options.spread = mix64(request.id.high ^ mix64(request.id.low));
  options.cover = request.kind == WriteKind::kOverAll;
  options.more = has_stand_ins(context_, operation.partition);
  options.deadline = operation.deadline;
  // A stand-in's copy counts, so an owner must be as good as down before one is asked for.
  options.hedge_after =
      options.more ? std::max(hedge_after(), context_.options.silence_max) : hedge_after();
  const bool stands_in = candidates_.local == kNoReplica;
  if (stands_in) {
    // This node comes first, as an owner that coordinates does.
    const int self = context_.topology->index_of(context_.self());
    candidates_.list.push_back({.node = context_.self(),
                                .owner = false,
                                .zone = context_.topology->zones[static_cast<std::size_t>(self)]});
    std::rotate(candidates_.list.begin(), candidates_.list.end() - 1, candidates_.list.end());
  }
  operation.round.start(options, candidates_.list.view(), kLocal, context_.now());
  if (!stands_in) return;
  const NodeId owner = operation.round.candidate(operation.round.stands_for(kLocal)).node;
  key_.clear();
  append_hint_key(owner, operation.storage_key, key_);
  operation.storage_key.swap(key_);
  operation.place = hint_partition(operation.partition);
}

void WriteCoordinator::keep_request(Operation& operation) {
  STATOR_PROBE("write: waits for the engine to read");
  WriteRequest& request = operation.request;
  operation.copy.assign(request.value);
  operation.copy.append(request.content_type);
  const std::string_view copy = operation.copy;
  request.content_type = copy.substr(request.value.size());
  request.value = copy.substr(0, request.value.size());
}

void WriteCoordinator::run(Operation& operation) {
  if (operation.running) return;
  operation.running = true;
  while (const auto wish = operation.round.next()) {
    switch (wish->kind) {
      case WriteWish::Kind::kMore: name_more(operation); break;
      case WriteWish::Kind::kStore:
        operation.minting = true;
        load_then(operation, &WriteCoordinator::mint);
        break;
      case WriteWish::Kind::kSend:
        if (wish->durable) note_asked(operation);
        send(operation, wish->replica, wish->attempt, wish->durable);
        break;
      case WriteWish::Kind::kSync:
        note_asked(operation);
        make_durable(operation, wish->replica, wish->attempt);
        break;
      case WriteWish::Kind::kCover: load_then(operation, &WriteCoordinator::cover); break;
      case WriteWish::Kind::kAnswer: answer(operation); break;
      case WriteWish::Kind::kFail: fail(operation, *wish); break;
      case WriteWish::Kind::kRepair: repair(operation); break;
      case WriteWish::Kind::kFinished: finish(operation); return;
    }
  }
  operation.running = false;
}

void WriteCoordinator::name_more(Operation& operation) {
  operation.more_owed = awaits_owners(context_, operation.began, operation.deadline);
  if (operation.more_owed) return;  // tick() names them, if they are needed still
  stand_ins_as_candidates(context_, operation.partition, candidates_, Purpose::kWrite);
  leave_out_self(candidates_);
  operation.round.add_candidates(candidates_.list.view(), context_.now());
}

void WriteCoordinator::load_then(Operation& operation,
                                 void (WriteCoordinator::*use)(Operation&,
                                                               const RecordStore::Loaded&)) {
  context_.records->load(operation.place, operation.storage_key,
                         [this, use, slot = operation.slot,
                          generation = operation.generation](const RecordStore::Loaded& loaded) {
                           Operation* waiting = operations_.find(slot, generation);
                           if (waiting == nullptr || waiting->round.finished()) return;
                           (this->*use)(*waiting, loaded);
                           run(*waiting);
                         });
}

void WriteCoordinator::refuse(Operation& operation, Error error) {
  operation.minting = false;
  operation.refusal = std::move(error);
  operation.round.on_failure(kLocal, 0, operation.refusal.code, context_.now());
}

void WriteCoordinator::mint(Operation& operation, const RecordStore::Loaded& loaded) {
  object_.clear();
  if (loaded.status == RecordStore::Status::kUnreadable ||
      (loaded.status == RecordStore::Status::kFound && !decode_object(loaded.payload, object_))) {
    STATOR_PROBE("write: its coordinator cannot read what it holds");
    // What stands at a hint's place the owners cannot tell.
    if (operation.place == operation.partition) {
      context_.restore(operation.partition, operation.storage_key);
    }
    refuse(operation, {.code = ErrorCode::kUnreadable, .node = context_.self()});
    return;
  }
  storage::RecordHeader header = loaded.header;
  // What a failed batch held may be missing here and known to others, so that a later counter of
  // the same life would say that it was superseded (D1).
  if (context_.records->in_doubt(operation.place, operation.storage_key)) {
    STATOR_PROBE("write: another life after a failed batch");
    header = {};
  }
  // Seldom all the same: each life is an entry of the key's clock for ever.
  constexpr std::uint64_t kLifeOnceIn = 64;
  if (context_.env.buggified("mint: another life") &&
      context_.env.executor.random() % kLifeOnceIn == 0) {
    header = {};
  }
  bool changed = false;
  if (!apply(operation, object_, header, changed)) return;
  operation.minting = false;
  const std::uint64_t now_digest = digest(object_);
  operation.object.clear();
  encode_object(object_, operation.object);
  // First: when_stored() may report at once, and the round counts nothing before the mint.
  operation.round.on_minted(now_digest, context_.now());
  if (changed || context_.records->in_doubt(operation.place, operation.storage_key)) {
    note_stored(operation, loaded);
    store(operation, header, now_digest);
  } else {
    STATOR_PROBE("write: acknowledges what an earlier attempt stored");
    StoreDone done = on_stored(operation, 0, now_digest);
    if (operation.sync) {
      context_.records->when_durable(operation.place, operation.storage_key, std::move(done));
    } else {
      context_.records->when_stored(operation.place, operation.storage_key, std::move(done));
    }
  }
}

/// Whether the write, which is not known here, is certain not to have been minted before.
bool WriteCoordinator::may_mint(Operation& operation, const Object& object, WallTime now) {
  if (operation.confirm_only) {
    refuse(operation,
           {.code = ErrorCode::kBadRequest,
            .detail = "this write id was made by a node for a write that is made once; what "
                      "became of it cannot be told here: write again without the id"});
    return false;
  }
  const WriteRequest& request = operation.request;
  if (request.may_repeat && object.may_have_forgotten(request.id, now)) {
    STATOR_PROBE("write: a retry that nobody remembers");
    operation.confirm_only = true;  // an earlier attempt may have been applied, and overwritten
    refuse(operation,
           {.code = ErrorCode::kWriteIdExpired,
            .detail = "the key was overwritten so often since the write id was made that nobody "
                      "remembers whether the write was applied: read, then write with a new id"});
    return false;
  }
  return true;
}

bool WriteCoordinator::apply(Operation& operation, Object& object, storage::RecordHeader& header,
                             bool& changed) {
  const WriteRequest& request = operation.request;
  const WallTime now = context_.guarded_now();
  if (const PutEffect effect = probe(object, request.id); effect != PutEffect::kMinted) {
    // A retry: nothing to mint, the knowledge that is here goes to the others and is acknowledged
    // (D7).
    if (const Version* version = object.find(request.id)) {
      operation.time = version->time;
      if (operation.has_context) extend_context(operation.context, *version);
    }
    return true;
  }
  if (!may_mint(operation, object, now)) return false;
  if (context_.options.observer != nullptr) {
    before_.clear();
    for (const Version& version : object.versions) before_.push_back(version.write_id);
  }
  Write write;
  write.id = request.id;
  write.expires_at = request.expires_at;
  write.tombstone = request.tombstone;
  write.content_type = request.content_type;
  write.value = request.value;
  Hlc floor = std::max(request.floor, operation.context.time);
  if (!operation.has_context) {
    for (const Version& version : object.versions) floor = std::max(floor, version.time);
  }
  write.time = context_.clock.stamp(context_.env.executor.wall_now(), floor);
  const Extent before = extent_of(object, now);
  const Dot dot = context_.mint->next(operation.partition, object, operation.context, header);
  if (!can_mint(object, operation.context, dot)) {
    refuse(operation,
           {.code = ErrorCode::kBadContext,
            .detail = "the context names events of this node that have not happened: read again"});
    return false;
  }
  if (operation.has_context) {
    put(object, write, operation.context, dot, context_.ageing_now());
  } else {
    put_over_all(object, write, dot, context_.ageing_now());
  }
  // What repairs have brought together may be over the limits (D17); who makes it less is welcome.
  // Tombstones count as well: deletes with one old context are each other's siblings.
  const Extent after = extent_of(object, now);
  const std::size_t siblings_max = context_.options.limits.siblings_max;
  if (after.versions > 1 &&
      (after.living > std::max(before.living, siblings_max) ||
       after.versions > std::max(before.versions, kVersionsPerSibling * siblings_max) ||
       after.bytes > std::max(before.bytes, kSiblingBytesMax))) {
    STATOR_PROBE("write: too many siblings");
    refuse(operation,
           {.code = ErrorCode::kTooManySiblings,
            .detail = "the key has too many siblings, or deletes beside them, or they are too "
                      "large together: read it and write back one value, or delete it, "
                      "with the context of that read"});
    return false;
  }
  const Version* version = object.find(request.id);
  STATOR_ASSERT(version != nullptr);
  operation.time = version->time;
  if (operation.has_context) extend_context(operation.context, *version);
  if (context_.options.observer != nullptr) observe(operation, object, request.id);
  changed = true;
  return true;
}

void WriteCoordinator::observe(const Operation& operation, const Object& object,
                               const WriteId& id) {
  superseded_.clear();
  for (const WriteId& was : before_) {
    if (object.find(was) == nullptr) superseded_.push_back(was);
  }
  const Version* version = object.find(id);
  context_.options.observer->on_mint(operation.bucket, operation.key, id, version->dot,
                                     superseded_);
}

void WriteCoordinator::store(Operation& operation, const storage::RecordHeader& header,
                             std::uint64_t digest) {
  context_.records->begin_store(operation.place, operation.storage_key).append(operation.object);
  context_.records->finish_store(header, operation.sync,
                                 on_stored(operation, operation.round.attempt(), digest));
}

StoreDone WriteCoordinator::on_stored(const Operation& operation, std::uint8_t attempt,
                                      std::uint64_t digest) {
  return [this, slot = operation.slot, generation = operation.generation, attempt, digest](
             const Result<void>& result) { stored(slot, generation, attempt, digest, result); };
}

void WriteCoordinator::stored(std::uint32_t slot, std::uint32_t generation, std::uint8_t attempt,
                              std::uint64_t digest, const Result<void>& result) {
  Operation* operation = operations_.find(slot, generation);
  if (operation == nullptr) return;
  if (result) {
    operation->round.on_ack(kLocal, attempt, digest, context_.durable(operation->sync),
                            context_.now());
  } else {
    operation->round.on_failure(kLocal, attempt, result.error().code, context_.now());
  }
  run(*operation);
}

void WriteCoordinator::cover(Operation& operation, const RecordStore::Loaded& loaded) {
  const MonoTime now = context_.now();
  object_.clear();
  if (loaded.status != RecordStore::Status::kFound || !decode_object(loaded.payload, object_)) {
    operation.round.on_cover_failed(ErrorCode::kUnreadable);
    return;
  }
  const Version* version = object_.find(operation.request.id);
  storage::RecordHeader header = loaded.header;
  // Only this life's own write can be covered again; after a loss of the record, or of a later mint
  // with a batch that failed, it cannot (D1).
  const Incarnation incarnation = context_.mint->incarnation();
  const bool another_life =
      header.own_incarnation != incarnation ||
      (version != nullptr && version->dot.actor != Actor{incarnation, header.own_life});
  if (another_life && is_hint_partition(operation.place)) {
    // Delivered and gone, and another one came back from a replica: nobody superseded the write.
    STATOR_PROBE("write: its hint was delivered before it was covered");
    operation.round.on_cover_failed(ErrorCode::kUnreadable);
    return;
  }
  if (another_life || version == nullptr || object_.versions.size() < 2 ||
      context_.records->in_doubt(operation.place, operation.storage_key)) {
    STATOR_PROBE("write: superseded before it was covered");
    operation.round.on_cover_refused(now);
    return;
  }
  Hlc floor = operation.time;
  for (const Version& other : object_.versions) floor = std::max(floor, other.time);
  if (context_.options.observer != nullptr) {
    before_.clear();
    for (const Version& other : object_.versions) before_.push_back(other.write_id);
  }
  const Hlc time = context_.clock.stamp(context_.env.executor.wall_now(), floor);
  const Dot dot = context_.mint->next(operation.partition, object_, operation.context, header);
  if (!restamp(object_, operation.request.id, dot, time)) {
    operation.round.on_cover_refused(now);
    return;
  }
  ++context_.metrics.writes_covered_again_total;
  operation.time = time;
  if (context_.options.observer != nullptr) observe(operation, object_, operation.request.id);
  operation.object.clear();
  encode_object(object_, operation.object);
  const std::uint64_t now_digest = digest(object_);
  note_stored(operation, loaded);
  context_.records->begin_store(operation.place, operation.storage_key).append(operation.object);
  context_.records->finish_store(header, operation.sync, on_stored(operation, 1, now_digest));
  operation.round.on_covered(now_digest, now);
}

void WriteCoordinator::send(Operation& operation, ReplicaIndex replica, std::uint8_t attempt,
                            bool durable) {
  if (replica == kLocal) return keep_for_another(operation, attempt, durable);
  const RequestId id{.kind = RequestKind::kWrite,
                     .attempt = attempt,
                     .slot = operation.slot,
                     .generation = operation.generation};
  wire::ReplicaPut message;
  message.bucket = operation.bucket;
  message.key = operation.key;
  message.object = operation.object;
  message.durability =
      operation.sync || durable ? wire::Durability::kDurable : wire::Durability::kMemory;
  message.early = durable;
  const ReplicaIndex owner = operation.round.stands_for(replica);
  if (owner != kNoReplica) message.intended = operation.round.candidate(owner).node;
  if (!context_.peers->send(operation.round.candidate(replica).node, context_.request_id(id),
                            operation.deadline, operation.partition, message)) {
    STATOR_PROBE("write: a replica cannot be reached");
    operation.round.on_failure(replica, attempt, ErrorCode::kClosed, context_.now());
  }
}

// The owner for whom this node stands in has acknowledged by itself, and another one has nobody:
// this node keeps the write for that one, too. What it has stored for the first stays where it is.
void WriteCoordinator::keep_for_another(Operation& operation, std::uint8_t attempt, bool durable) {
  STATOR_PROBE("write: its coordinator stands in for another owner, too");
  std::string storage_key;
  storage::append_storage_key(operation.bucket, operation.key, storage_key);
  key_.clear();
  append_hint_key(operation.round.candidate(operation.round.stands_for(kLocal)).node, storage_key,
                  key_);
  if (!durable) ++context_.metrics.hints_kept_total;  // else it is asked for once more
  replica_.merge_in(hint_partition(operation.partition), key_, operation.object,
                    {.sync = operation.sync || durable, .early = durable},
                    [this, slot = operation.slot, generation = operation.generation,
                     attempt](const Result<Replica::Merged>& merged) {
                      kept_for_another(slot, generation, attempt, merged);
                    });
}

void WriteCoordinator::kept_for_another(std::uint32_t slot, std::uint32_t generation,
                                        std::uint8_t attempt,
                                        const Result<Replica::Merged>& merged) {
  Operation* operation = operations_.find(slot, generation);
  if (operation == nullptr) return;
  std::optional<ErrorCode> refused;
  if (!merged) {
    refused = merged.error().code;
  } else if (merged->differs) {
    // What is kept there is shown as any replica shows it.
    const auto not_learned = learn(*operation, merged->object);
    operation = operations_.find(slot, generation);
    if (operation == nullptr) return;
    if (!operation->has_context) refused = not_learned;
  }
  if (refused) {
    operation->round.on_failure(kLocal, attempt, *refused, context_.now());
  } else {
    operation->round.on_ack(kLocal, attempt, merged->digest, merged->durable, context_.now());
  }
  run(*operation);
}

void WriteCoordinator::observe_answer(const Operation& operation) {
  const WriteRound& round = operation.round;
  SmallVector<NodeId, kCandidatesMax> owners;
  for (const ReplicaIndex owner : round.places()) owners.push_back(round.candidate(owner).node);
  context_.options.observer->on_acknowledged(operation.bucket, operation.key, operation.request.id,
                                             owners.view());
}

void WriteCoordinator::note_asked(const Operation& operation) {
  if (operation.round.asked_durable().size() > 1) ++context_.metrics.durable_asked_again_total;
}

void WriteCoordinator::make_durable(Operation& operation, ReplicaIndex replica,
                                    std::uint8_t attempt) {
  // Under another name it is asked as anybody is: with the object, which may be on its way still.
  if (replica != kLocal || operation.round.renamed(kLocal)) {
    send(operation, replica, attempt, true);
    return;
  }
  STATOR_PROBE("write: the coordinator's own copy is the durable one");
  context_.records->when_durable(
      operation.place, operation.storage_key,
      [this, slot = operation.slot, generation = operation.generation,
       attempt](const Result<void>& result) { made_durable(slot, generation, attempt, result); });
}

void WriteCoordinator::made_durable(std::uint32_t slot, std::uint32_t generation,
                                    std::uint8_t attempt, const Result<void>& result) {
  if (result) ++context_.metrics.durable_copies_total;
  Operation* operation = operations_.find(slot, generation);
  if (operation == nullptr) return;
  if (result) {
    operation->round.on_ack(kLocal, attempt, operation->round.digest(), true, context_.now());
  } else {
    operation->round.on_failure(kLocal, attempt, result.error().code, context_.now());
  }
  run(*operation);
}

void WriteCoordinator::answer(Operation& operation) {
  if (context_.options.observer != nullptr) observe_answer(operation);
  WriteResult result;
  result.bucket = operation.bucket;
  result.key = operation.key;
  result.evidence = operation.round.evidence();
  result.id = operation.request.id;
  result.time = operation.time;
  if (operation.has_context) result.context = &operation.context;
  complete(operation, result);
}

void WriteCoordinator::complete(Operation& operation, const WriteResult& result) {
  WriteDone done = std::exchange(operation.done, nullptr);
  context_.note_answered(operation.began);
  done(result);
}

// A second copy is work for a second node, and for whoever brings it home later: only where an
// acknowledgement takes far longer than those of the slowest candidate usually do.
Duration WriteCoordinator::hedge_after() const {
  constexpr Duration kLeast = milliseconds(50);
  constexpr Duration kMost = milliseconds(200);
  Duration slowest{};
  for (const Candidate& candidate : candidates_.list) {
    if (candidate.node == context_.self() || !candidate.usable) continue;
    slowest =
        std::max(slowest, context_.peers->patience(candidate.node, AnswerKind::kWrite, kMost));
  }
  return slowest.ns == 0 ? kMost : std::clamp(slowest * 4, kLeast, kMost);
}

void WriteCoordinator::note_late(const Operation& operation) {
  const MonoTime now = context_.now();
  for (const ReplicaIndex replica : operation.round.waiting()) {
    context_.peers->on_answer(operation.round.candidate(replica).node, AnswerKind::kWrite,
                              now - operation.round.sent_at(replica));
  }
}

void WriteCoordinator::fail(Operation& operation, const WriteWish& wish) {
  WriteResult result;
  result.bucket = operation.bucket;
  result.key = operation.key;
  result.outcome = wish.outcome;
  result.error = operation.refusal;
  result.error.code = wish.code;
  result.error.needed = wish.needed;
  result.error.got = wish.got;
  result.id = operation.request.id;
  if (operation.confirm_only) result.outcome = Outcome::kUnknown;
  if (result.outcome == Outcome::kUnknown) {
    ++context_.metrics.writes_unknown_total;
  } else {
    ++context_.metrics.writes_not_applied_total;
  }
  complete(operation, result);
}

void WriteCoordinator::repair(Operation& operation) {
  operation.repaired = true;
  note_late(operation);
  repair_.run({.round = operation.round,
               .bucket = operation.bucket,
               .key = operation.key,
               .partition = operation.partition,
               .place = operation.place,
               .storage_key = operation.storage_key,
               .object = operation.object});
}

void WriteCoordinator::finish(Operation& operation) {
  STATOR_ASSERT(!operation.done);
  if (operation.round.lacks_durable()) ++context_.metrics.durable_unconfirmed_total;
  if (!operation.repaired) repair(operation);
  recycle(operation.object);
  recycle(operation.copy);
  operation.running = false;
  operations_.release(operation);
}

void WriteCoordinator::note_stored(const Operation& operation, const RecordStore::Loaded& loaded) {
  if (operation.place == operation.partition) return;
  if (loaded.status == RecordStore::Status::kMissing) ++context_.metrics.hints_kept_total;
  context_.hints.stored(operation.place, operation.storage_key, loaded.payload.size(),
                        operation.object.size(),
                        {.wall = context_.guarded_now(), .batch = context_.records->staging()});
}

WriteCoordinator::Operation* WriteCoordinator::find(std::uint64_t request_id, NodeId sender,
                                                    ReplicaIndex& replica) {
  const RequestId id = RequestId::unpack(request_id);
  Operation* operation = operations_.find(id.slot, id.generation);
  if (operation == nullptr) return nullptr;
  replica = operation->round.index_of(sender);
  return replica == kNoReplica ? nullptr : operation;
}

std::optional<ErrorCode> WriteCoordinator::learn(const Operation& operation,
                                                 std::string_view object) {
  if (!decode_object(object, object_)) {
    ++context_.metrics.frames_bad_total;
    return ErrorCode::kCorrupt;
  }
  learning_ = true;
  not_learned_.reset();
  replica_.merge_in(operation.place, operation.storage_key, object, {.sync = operation.sync},
                    [this](const Result<Replica::Merged>& merged) {
                      if (learning_ && !merged) not_learned_ = merged.error().code;
                    });
  learning_ = false;
  return not_learned_;
}

/// The second answer of one that makes its copy durable tells only that it is; what else that one
/// holds the first has shown. Where it comes without the first, a plain write could not cover that.
bool WriteCoordinator::overtakes(const Operation& operation, ReplicaIndex replica,
                                 std::uint8_t attempt, const wire::ReplicaPutReply& reply) {
  const WriteRound& round = operation.round;
  return !operation.has_context && reply.object.empty() && attempt == round.attempt_of(replica) &&
         round.waiting().contains(replica) && reply.digest != round.digest();
}

void WriteCoordinator::on_reply(const wire::FrameHeader& header,
                                const wire::ReplicaPutReply& reply) {
  ReplicaIndex replica = kNoReplica;
  Operation* operation = find(header.request_id, header.sender, replica);
  if (operation == nullptr) {
    STATOR_PROBE("write: an acknowledgement comes after the end");
    return;
  }
  const std::uint8_t attempt = RequestId::unpack(header.request_id).attempt;
  if (attempt == operation->round.attempt_of(replica) &&
      operation->round.waiting().contains(replica)) {
    context_.peers->on_answer(header.sender, AnswerKind::kWrite,
                              context_.now() - operation->round.sent_at(replica));
  }
  if (reply.status == wire::ReplyStatus::kFailed) {
    STATOR_PROBE("write: a replica says that it failed");
    context_.peers->on_refused(header.sender, reply.code);
    operation->round.on_failure(replica, attempt, reply.code, context_.now());
  } else {
    std::optional<ErrorCode> refused;
    if (overtakes(*operation, replica, attempt, reply)) {
      STATOR_PROBE("write: word of the disk overtakes that of the engine");
      return;
    }
    if (!reply.object.empty()) {
      refused = learn(*operation, reply.object);
      operation = find(header.request_id, header.sender, replica);
      if (operation == nullptr) return;
    }
    if (refused && !operation->has_context) {
      operation->round.on_failure(replica, attempt, *refused, context_.now());
    } else {
      operation->round.on_ack(replica, attempt, reply.digest, reply.durable, context_.now());
    }
  }
  run(*operation);
}

void WriteCoordinator::on_refusal(const wire::FrameHeader& header, ErrorCode code) {
  ReplicaIndex replica = kNoReplica;
  Operation* operation = find(header.request_id, header.sender, replica);
  if (operation == nullptr) return;
  STATOR_PROBE("write: a replica refuses");
  context_.peers->on_refused(header.sender, code);
  operation->round.on_failure(replica, RequestId::unpack(header.request_id).attempt, code,
                              context_.now());
  run(*operation);
}

template <typename Use>
void WriteCoordinator::for_each_waiting_for(NodeId peer, Use use) {
  operations_.for_each([&](Operation& operation) {
    const ReplicaIndex replica = operation.round.index_of(peer);
    if (replica == kNoReplica) return;
    if (!(operation.round.not_acked() | operation.round.syncing()).contains(replica)) return;
    use(operation, replica);
    run(operation);
  });
}

void WriteCoordinator::on_peer_down(NodeId peer) {
  for_each_waiting_for(peer, [&](Operation& operation, ReplicaIndex replica) {
    STATOR_PROBE("write: a link breaks before the acknowledgement");
    operation.round.on_failure(replica, operation.round.attempt_of(replica), ErrorCode::kClosed,
                               context_.now());
  });
}

void WriteCoordinator::on_peer_up(NodeId peer) {
  for_each_waiting_for(peer, [&](Operation& operation, ReplicaIndex replica) {
    STATOR_PROBE("write: sent again to a peer that came back");
    send(operation, replica, operation.round.attempt_of(replica),
         operation.round.asked_durable().contains(replica));
  });
}

void WriteCoordinator::tick() {
  const MonoTime now = context_.now();
  operations_.for_each([&](Operation& operation) {
    if (operation.more_owed && !awaits_owners(context_, operation.began, operation.deadline)) {
      name_more(operation);
      run(operation);
      return;
    }
    if (operation.round.wake_at() > now) return;
    operation.round.on_tick(now);
    run(operation);
  });
}

}  // namespace stator::node

#include "node/replica.h"

#include <limits>
#include <utility>

#include "base/hash.h"
#include "base/probe.h"
#include "core/version/object_codec.h"
#include "node/hint_place.h"

namespace stator::node {

void Replica::merge_in(PartitionId partition, std::string_view storage_key, std::string_view object,
                       MergeOptions options, MergeDone done) {
  if (const DiskState disk = context_.disk_state(); !takes_repairs(disk)) {
    STATOR_PROBE("replica: takes no repairs");
    done(std::unexpected(Error{.code = refusal_of(disk)}));
    return;
  }
  const bool full =
      context_.records->overloaded() || context_.env.buggified("replica: refuses as if full");
  Put* put = full ? nullptr : puts_.acquire(context_.options.operations_max);
  if (put == nullptr) {
    STATOR_PROBE("replica: refuses, too many are open");
    done(std::unexpected(Error{.code = ErrorCode::kOverloaded}));
    return;
  }
  put->partition = partition;
  put->storage_key.assign(storage_key);
  put->object = object;
  put->sync = context_.syncs(options.sync);
  // Where every copy is synced before it is told of, nothing can be told earlier.
  put->early = options.sync && options.early && !context_.syncs(false);
  put->restores = options.restores;
  put->loaded = false;
  put->differs = false;
  put->digest = 0;
  put->done = std::move(done);
  const std::uint32_t slot = put->slot;
  const std::uint32_t generation = put->generation;
  context_.records->load(partition, put->storage_key,
                         [this, slot, generation](const RecordStore::Loaded& loaded) {
                           Put* loading = puts_.find(slot, generation);
                           if (loading != nullptr) merge_loaded(*loading, loaded);
                         });
  // The read is under way: the caller's bytes go when this call returns.
  put = puts_.find(slot, generation);
  if (put != nullptr && !put->loaded) {
    STATOR_PROBE("replica: waits for the engine to read");
    put->object_copy.assign(object);
    put->object = put->object_copy;
  }
}

StoreDone Replica::on_stored(const Put& put) {
  return [this, slot = put.slot, generation = put.generation](const Result<void>& stored) {
    finish(slot, generation, stored);
  };
}

/// Of a record that cannot be read. False: it has to stay, and the other owners are asked for what
/// restores it.
bool Replica::set_aside(const Put& put, const RecordStore::Loaded& loaded) {
  // What stands at a hint's place the owners cannot tell: it is kept as it is.
  if (is_hint_partition(put.partition)) return false;
  if (!put.restores) {
    context_.restore(put.partition, put.storage_key);
    return false;
  }
  STATOR_PROBE("replica: what the others hold takes the place of a record");
  context_.quarantine->keep(put.partition, put.storage_key, loaded.damaged);
  ++context_.metrics.records_restored_total;
  return true;
}

void Replica::merge_loaded(Put& put, const RecordStore::Loaded& loaded) {
  put.loaded = true;
  if (!decode_object(put.object, incoming_)) return fail(put, ErrorCode::kCorrupt);
  const bool unreadable = loaded.status == RecordStore::Status::kUnreadable;
  if (unreadable && !set_aside(put, loaded)) return fail(put, ErrorCode::kUnreadable);
  const bool lost = unreadable || loaded.status == RecordStore::Status::kMissing;
  const bool in_doubt = context_.records->in_doubt(put.partition, put.storage_key);
  storage::RecordHeader header = loaded.header;
  // What was lost here, with its record or with a batch that failed, others may hold as events of
  // the life that the record names. What is refilled begins without one: a later counter of the old
  // life would say that it has seen them (D1).
  if (lost || in_doubt) header = {};
  const bool wait = put.sync && !put.early;
  bool store = true;
  const std::size_t before = loaded.payload.size();
  if (lost) {
    put.digest = digest(incoming_);
    context_.records->begin_store(put.partition, put.storage_key).append(put.object);
  } else {
    if (!decode_object(loaded.payload, local_)) return fail(put, ErrorCode::kUnreadable);
    switch (compare(local_, incoming_)) {
      case Relation::kEqual:
        put.digest = digest(local_);
        store = in_doubt;
        if (store) context_.records->begin_store(put.partition, put.storage_key).append(put.object);
        break;
      case Relation::kCovers:
        STATOR_PROBE("replica: knows more than it is sent");
        put.digest = digest(local_);
        keep_merged(put, local_);
        store = in_doubt;
        if (store) context_.records->begin_store(put.partition, put.storage_key).append(put.merged);
        break;
      case Relation::kCoveredBy:
        put.digest = digest(incoming_);
        context_.records->begin_store(put.partition, put.storage_key).append(put.object);
        break;
      case Relation::kConcurrent:
        STATOR_PROBE("replica: each knows what the other lacks");
        merge(local_, incoming_);
        put.digest = digest(local_);
        keep_merged(put, local_);
        context_.records->begin_store(put.partition, put.storage_key).append(put.merged);
        break;
    }
  }
  if (store) {
    context_.records->finish_store(header, wait, on_stored(put));
    if (is_hint_partition(put.partition)) note_hint(put, before);
  } else {
    ++context_.metrics.replica_writes_equal_total;
    // What is known already may still be on its way to the disk.
    if (wait) {
      context_.records->when_durable(put.partition, put.storage_key, on_stored(put));
    } else {
      context_.records->when_stored(put.partition, put.storage_key, on_stored(put));
    }
  }
}

void Replica::keep_merged(Put& put, const Object& object) {
  put.differs = true;
  put.merged.clear();
  encode_object(object, put.merged);
}

void Replica::fail(Put& put, ErrorCode code) {
  MergeDone done = std::move(put.done);
  recycle(put.object_copy);
  puts_.release(put);
  done(std::unexpected(Error{.code = code}));
}

void Replica::finish(std::uint32_t slot, std::uint32_t generation, const Result<void>& stored) {
  Put* put = puts_.find(slot, generation);
  if (put == nullptr) return;
  if (!stored) return fail(*put, stored.error().code);
  if (std::exchange(put->early, false)) return finish_early(*put);
  MergeDone done = std::move(put->done);
  done(Result<Merged>(merged(*put, context_.durable(put->sync))));
  recycle(put->object_copy);
  recycle(put->merged);
  puts_.release(*put);
}

Replica::Merged Replica::merged(const Put& put, bool durable) const {
  return {.digest = put.digest,
          .differs = put.differs,
          .object = put.differs ? std::string_view(put.merged) : std::string_view(),
          .durable = durable};
}

// The engine has it. What follows is told by finish() again, and is about the disk alone: an object
// of many megabytes is not sent twice.
void Replica::finish_early(Put& put) {
  put.done(Result<Merged>(merged(put, false)));
  put.differs = false;
  recycle(put.merged);
  if (!context_.durable(true)) {
    STATOR_PROBE("replica: asked for a durable copy that its engine cannot keep");
    fail(put, ErrorCode::kNotSupported);
    return;
  }
  context_.records->when_durable(
      put.partition, put.storage_key,
      [this, slot = put.slot, generation = put.generation](const Result<void>& synced) {
        if (synced) ++context_.metrics.durable_copies_total;
        finish(slot, generation, synced);
      });
}

void Replica::note_hint(const Put& put, std::size_t before) {
  context_.hints.stored(put.partition, put.storage_key, before,
                        put.differs ? put.merged.size() : put.object.size(),
                        {.wall = context_.guarded_now(), .batch = context_.records->staging()});
}

void Replica::keep_extra_hint(PartitionId partition, NodeId owner, std::string_view storage_key,
                              std::string_view object) {
  const std::uint64_t cap = context_.options.hint_bytes_max / context_.env.executor.shard_count();
  if (context_.hints.bytes() + object.size() > cap) {
    ++context_.metrics.hints_left_out_total;
    return;
  }
  hint_key_.clear();
  append_hint_key(owner, storage_key, hint_key_);
  // As durable as any other: what is known here already is acknowledged without being written
  // again, so that nothing at a hint's place may be less durable than what counts.
  merge_in(hint_partition(partition), hint_key_, object, {},
           [&metrics = context_.metrics](const Result<Merged>& merged) {
             ++(merged ? metrics.hints_kept_total : metrics.hints_left_out_total);
           });
}

void Replica::on_put(const wire::FrameHeader& header, const wire::ReplicaPut& message) {
  if (const DiskState disk = context_.disk_state(); !message.repair && !takes_writes(disk)) {
    wire::ReplicaPutReply reply;
    reply.status = wire::ReplyStatus::kFailed;
    reply.code = refusal_of(disk);
    context_.peers->send(header.sender, header.request_id, {}, PartitionId{header.partition},
                         reply);
    return;
  }
  ++context_.metrics.replica_writes_total;
  storage_key_.clear();
  storage::append_storage_key(message.bucket, message.key, storage_key_);
  PartitionId place{header.partition};
  const std::string* key = &storage_key_;
  if (message.intended && message.intended != context_.self()) {
    STATOR_PROBE("hint: kept for an owner that is away");
    ++context_.metrics.hints_kept_total;
    hint_key_.clear();
    append_hint_key(message.intended, storage_key_, hint_key_);
    place = hint_partition(place);
    key = &hint_key_;
  }
  // Of background work that waits for an answer the pace is set here.
  const auto cost = static_cast<std::uint32_t>(
      message.repair ? BackgroundBudget::cost(1, message.object.size()) : 0);
  context_.background.note(cost);
  merge_in(place, *key, message.object,
           {.sync = message.durability == wire::Durability::kDurable,
            .early = message.early,
            .restores = message.restores},
           [this, to = header.sender, request = header.request_id, came = context_.now(), cost,
            pace = message.pace, partition = header.partition](const Result<Merged>& merged) {
             if (request == 0) return;  // repair: nobody waits
             wire::ReplicaPutReply reply;
             if (merged) {
               reply.digest = merged->digest;
               reply.durable = merged->durable;
               reply.object = merged->object;
             } else {
               reply.status = wire::ReplyStatus::kFailed;
               reply.code = merged.error().code;
             }
             const MonoTime now = context_.now();
             if (cost == 0) {
               if (merged) context_.background.on_copy(now - came);
             } else {
               // Of a node with several shards each delivers for itself.
               const std::uint64_t sender = mix64(to.value + RequestId::unpack(request).shard);
               reply.pause_us = static_cast<std::uint32_t>(
                   context_.background.pause(sender, cost, pace, now).us());
             }
             context_.peers->send(to, request, {}, PartitionId{partition}, reply);
           });
}

MonoTime Replica::deadline_in(const wire::FrameHeader& header) const {
  if (header.deadline_us == 0) return {std::numeric_limits<std::int64_t>::max()};
  return context_.now() + microseconds(header.deadline_us);
}

void Replica::on_get(const wire::FrameHeader& header, const wire::ReplicaGet& message) {
  ++context_.metrics.replica_reads_total;
  const PartitionId partition{header.partition};
  if (context_.records->reads_pile_up()) {
    const wire::ReplicaGetReply overloaded{.status = wire::ReplyStatus::kFailed,
                                           .code = ErrorCode::kOverloaded};
    context_.peers->send(header.sender, header.request_id, {}, partition, overloaded);
    return;
  }
  storage_key_.clear();
  storage::append_storage_key(message.bucket, message.key, storage_key_);
  const auto answer = [this, to = header.sender, request = header.request_id,
                       partition = header.partition, value = message.value,
                       deadline = deadline_in(header)](RecordStore::Status status,
                                                       std::string_view object,
                                                       std::string_view unreadable_key = {}) {
    // By this node itself: who asks may have enough without it, or not ask it again.
    if (!unreadable_key.empty()) {
      STATOR_PROBE("replica: is asked for a record that it cannot read");
      context_.restore(PartitionId{partition}, unreadable_key);
    }
    // The disk may have taken its time: nobody waits for a value any more.
    if (context_.now() > deadline) {
      STATOR_PROBE("request: its time is over when the engine has read");
      ++context_.metrics.requests_late_total;
      wire::Refusal refusal;
      refusal.code = ErrorCode::kTimeout;
      context_.peers->send(to, request, {}, PartitionId{partition}, refusal);
      return;
    }
    answer_get(to, request, partition, value, status, object);
  };
  if (!context_.topology->ring->owns(context_.self(), partition)) {
    hints_.read(partition, storage_key_, answer);
    return;
  }
  context_.records->load(partition, storage_key_, [answer](const RecordStore::Loaded& loaded) {
    answer(loaded.status, loaded.payload, loaded.key);
  });
}

void Replica::answer_get(NodeId to, std::uint64_t request, std::uint16_t partition, bool value,
                         RecordStore::Status status, std::string_view object) {
  wire::ReplicaGetReply reply;
  if (status == RecordStore::Status::kMissing) {
    reply.status = wire::ReplyStatus::kMissing;
  } else if (status == RecordStore::Status::kUnreadable || !decode_object(object, local_)) {
    reply.status = wire::ReplyStatus::kFailed;
    reply.code = ErrorCode::kUnreadable;
  } else {
    reply.digest = digest(local_);
    if (value) reply.object = object;
  }
  context_.peers->send(to, request, {}, PartitionId{partition}, reply);
}

}  // namespace stator::node

#include "node/hint_reader.h"

#include <utility>

#include "base/probe.h"
#include "core/version/object_codec.h"
#include "node/hint_place.h"
#include "node/shard_context.h"

namespace stator::node {

HintReader::HintReader(ShardContext& context)
    : context_(context), reads_(context.env.executor.random()) {}

void HintReader::read(PartitionId partition, std::string_view storage_key, Done done) {
  if (context_.hints.none_in(partition)) {
    done(RecordStore::Status::kMissing, {});
    return;
  }
  Read* read = reads_.acquire(context_.options.operations_max);
  if (read == nullptr) {
    done(RecordStore::Status::kUnreadable, {});
    return;
  }
  read->partition = partition;
  read->storage_key.assign(storage_key);
  read->next = 0;
  read->merged.clear();
  read->done = std::move(done);
  look_on(*read);
}

void HintReader::look_on(Read& read) {
  const auto owners = context_.topology->ring->owners(read.partition);
  if (read.next >= owners.size()) {
    finish(read, read.merged.empty() ? RecordStore::Status::kMissing : RecordStore::Status::kFound);
    return;
  }
  hint_key_.clear();
  append_hint_key(owners[read.next++], read.storage_key, hint_key_);
  context_.records->load(
      hint_partition(read.partition), hint_key_,
      [this, slot = read.slot, generation = read.generation](const RecordStore::Loaded& loaded) {
        Read* waiting = reads_.find(slot, generation);
        if (waiting != nullptr) take(*waiting, loaded);
      });
}

void HintReader::take(Read& read, const RecordStore::Loaded& loaded) {
  if (loaded.status == RecordStore::Status::kUnreadable) {
    finish(read, loaded.status);
    return;
  }
  if (loaded.status == RecordStore::Status::kFound) {
    if (read.merged.empty()) {
      read.merged.assign(loaded.payload);
    } else if (!decode_object(read.merged, merged_) || !decode_object(loaded.payload, found_)) {
      finish(read, RecordStore::Status::kUnreadable);
      return;
    } else {
      STATOR_PROBE("hint: a stand-in keeps a key for two owners");
      merge(merged_, found_);
      encoded_.clear();
      encode_object(merged_, encoded_);
      read.merged.swap(encoded_);
    }
  }
  look_on(read);
}

void HintReader::finish(Read& read, RecordStore::Status status) {
  Done done = std::exchange(read.done, nullptr);
  done(status, read.merged);
  recycle(read.merged);
  reads_.release(read);
}

}  // namespace stator::node

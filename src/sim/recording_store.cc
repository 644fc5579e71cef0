#include "sim/recording_store.h"

#include <algorithm>
#include <utility>

#include "node/metrics.h"

namespace stator::sim {
namespace {

template <typename Open>
std::uint32_t take_slot(std::vector<Open>& open, std::vector<std::uint32_t>& free) {
  if (free.empty()) {
    open.emplace_back();
    return static_cast<std::uint32_t>(open.size() - 1);
  }
  const std::uint32_t slot = free.back();
  free.pop_back();
  return slot;
}

}  // namespace

node::Metrics RecordingStore::metrics() const {
  return inner_.metrics();
}

void RecordingStore::read(std::string_view bucket, std::string_view key,
                          const node::ReadQuorum& quorum, node::ReadDone done) {
  const std::uint32_t slot = take_slot(reads_, free_reads_);
  reads_[slot] = {std::move(done), log_.key_index(bucket, key), scheduler_.now(),
                  quorum.r != 0 ? quorum.r : r_, quorum.pr};
  inner_.read(bucket, key, quorum, [this, slot](const Result<node::ReadResult>& result) {
    read_answered(slot, result);
  });
}

void RecordingStore::read_answered(std::uint32_t slot, const Result<node::ReadResult>& result) {
  OpenRead open = std::move(reads_[slot]);
  free_reads_.push_back(slot);
  if (result) {
    ReadCall call{open.begin, scheduler_.now(), result->evidence, open.quorum, {}, open.owners};
    SeenIds seen;
    Context context;
    if (result->object != nullptr) {
      for (const Version& version : result->object->versions) {
        call.versions.push_back({version.dot, version.write_id,
                                 hash_of_value(version.value, version.tombstone),
                                 version.tombstone});
        seen.push_back(version.write_id);
      }
      make_context(*result->object, result->fastest, context);
    }
    log_.context_given(open.key, context, seen);
    log_.key(open.key).reads.push_back(call);
  }
  open.done(result);
}

void RecordingStore::write(const node::WriteRequest& request, node::WriteDone done) {
  const std::uint32_t key = log_.key_index(request.bucket, request.key);
  WriteCall call;
  call.id = request.id;
  call.plain = request.kind == node::WriteKind::kOverAll;
  call.tombstone = request.tombstone;
  call.value_hash = hash_of_value(request.value, request.tombstone);
  if (!call.plain && request.context != nullptr) {
    if (const SeenIds* seen = log_.find_context(key, *request.context)) {
      call.seen = *seen;
    } else {
      call.forged = true;
    }
  }
  call.begin = scheduler_.now();
  call.quorum = request.quorum.w != 0 ? request.quorum.w : w_;
  call.owners = request.quorum.pw;
  std::vector<WriteCall>& calls = log_.key(key).writes;
  const std::uint32_t slot = take_slot(writes_, free_writes_);
  writes_[slot] = {std::move(done), key, calls.size(), request.quorum.dw};
  calls.push_back(call);
  inner_.write(request,
               [this, slot](const node::WriteResult& result) { write_answered(slot, result); });
}

void RecordingStore::write_answered(std::uint32_t slot, const node::WriteResult& result) {
  OpenWrite open = std::move(writes_[slot]);
  free_writes_.push_back(slot);
  WriteCall& call = log_.key(open.key).writes[open.call];
  if (!call.id) call.id = result.id;
  call.end = scheduler_.now();
  call.outcome = result.outcome;
  call.evidence = result.evidence;
  if (result.outcome == Outcome::kOk && result.context != nullptr) {
    SeenIds seen;
    if (!call.plain) seen = call.seen;
    seen.push_back(result.id);
    log_.context_given(open.key, *result.context, seen);
  }
  witness_.on_answered({.node = node_,
                        .key = open.key,
                        .id = call.id,
                        .begin = call.begin,
                        .end = call.end,
                        .quorum = call.quorum,
                        .owners = call.owners,
                        .durable = open.durable,
                        .outcome = result.outcome,
                        .code = result.error.code,
                        .got = result.error.got});
  open.done(result);
}

void RecordingObserver::on_mint(std::string_view bucket, std::string_view key, const WriteId& id,
                                const Dot& dot, std::span<const WriteId> superseded) {
  MintEvent event{scheduler_.now(), id, dot, {}};
  for (const WriteId& each : superseded) event.superseded.push_back(each);
  log_.key(log_.key_index(bucket, key)).mints.push_back(event);
}

void RecordingObserver::on_acknowledged(std::string_view bucket, std::string_view key,
                                        const WriteId& id, std::span<const NodeId> owners) {
  if (copies_ == nullptr) return;
  Promise promise{.when = scheduler_.now(), .id = id};
  for (const NodeId owner : owners) {
    const NodeNumber number = copies_->number_of(owner);
    if (std::ranges::find(promise.owners, number) == promise.owners.end()) {
      promise.owners.push_back(number);
    }
  }
  log_.key(log_.key_index(bucket, key)).promises.push_back(promise);
}

void RecordingObserver::on_hint_gone(NodeId keeper, NodeId owner, std::string_view bucket,
                                     std::string_view key, const Object& object) {
  if (copies_ == nullptr) return;
  HintGone hint{.when = scheduler_.now(),
                .keeper = copies_->number_of(keeper),
                .owner = copies_->number_of(owner)};
  for (const Version& version : object.versions) hint.kept.push_back(version.write_id);
  if (const auto held = copies_->at(hint.owner, bucket, key)) {
    hint.held = *held;
    hint.held_known = true;
  }
  log_.key(log_.key_index(bucket, key)).hints_gone.push_back(hint);
}

}  // namespace stator::sim

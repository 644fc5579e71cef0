#pragma once

#include <string>
#include <string_view>

#include "node/hint_reader.h"
#include "node/operation_table.h"
#include "node/shard_context.h"
#include "wire/messages.h"

namespace stator::node {

/// One shard's copies, as coordinators use them: merge this object, say what you hold (paper 4.5).
/// Merging what is known already writes nothing (D20); what is learned is acknowledged when it is
/// as durable as asked, never before. A node that is no owner of the range keeps what it is sent as
/// a hint for the owner that is named, and says what it keeps for any of them (paper 4.6).
class Replica {
 public:
  explicit Replica(ShardContext& context) : context_(context), hints_(context) {}

  void on_put(const wire::FrameHeader& header, const wire::ReplicaPut& message);
  void on_get(const wire::FrameHeader& header, const wire::ReplicaGet& message);

  struct Merged {
    std::uint64_t digest = 0;   // of the local object after the merge
    bool differs = false;       // it is not what was given: it holds more; not told twice
    std::string_view object{};  // encoded, when it differs; valid during the callback
    bool durable = false;
  };
  struct MergeOptions {
    bool sync = false;      // done when it is on disk, whatever the node promises
    bool early = false;     // with `sync`: done when the engine has it, and once more
    bool restores = false;  // see merge_in()
  };
  using MergeDone = Callback<void(const Result<Merged>&)>;
  /// What this node keeps of a key whose range it does not own, merged over the owners for whom it
  /// keeps it. `object` is encoded, and valid during the callback.
  void read_hints(PartitionId partition, std::string_view storage_key, HintReader::Done done) {
    hints_.read(partition, storage_key, std::move(done));
  }
  /// Keeps an encoded object for an owner that has missed it, unless the hints of this node are
  /// over their cap: counts for nobody (D15). `object` must live during the call only.
  void keep_extra_hint(PartitionId partition, NodeId owner, std::string_view storage_key,
                       std::string_view object);
  /// Merges an encoded object into this shard's copy, or, at a hint's place, into the hint; `done`
  /// when the result is as durable as the node promises, or on disk where `sync` asks for it; with
  /// `early` twice, unless the first tells of a failure or of a durable copy. The second brings no
  /// object, and is kNotSupported where the engine keeps nothing on a disk. `object` must live
  /// during the call only.
  /// A copy that cannot be read stays as it is (kUnreadable), unless `object` was merged from so
  /// many others that it `restores` it: then the damaged bytes are kept aside (D30).
  void merge_in(PartitionId partition, std::string_view storage_key, std::string_view object,
                MergeOptions options, MergeDone done);
  /// Merges that wait for the engine.
  [[nodiscard]] std::size_t open() const { return puts_.open(); }

 private:
  struct Put : OperationSlot {
    PartitionId partition{};
    std::string storage_key;
    std::string_view
        object;  // incoming: the caller's bytes, or `object_copy` once the call is over
    std::string object_copy;
    bool sync = false;
    bool early = false;  // the first answer is still owed
    bool restores = false;
    bool loaded = false;
    bool differs = false;
    std::uint64_t digest = 0;
    std::string merged;  // when it differs
    MergeDone done;
  };

  void merge_loaded(Put& put, const RecordStore::Loaded& loaded);
  bool set_aside(const Put& put, const RecordStore::Loaded& loaded);
  void note_hint(const Put& put, std::size_t before);
  void answer_get(NodeId to, std::uint64_t request, std::uint16_t partition, bool value,
                  RecordStore::Status status, std::string_view object);
  void keep_merged(Put& put, const Object& object);
  [[nodiscard]] Merged merged(const Put& put, bool durable) const;
  void finish_early(Put& put);
  void finish(std::uint32_t slot, std::uint32_t generation, const Result<void>& stored);
  void fail(Put& put, ErrorCode code);
  StoreDone on_stored(const Put& put);
  [[nodiscard]] MonoTime deadline_in(const wire::FrameHeader& header) const;

  ShardContext& context_;
  OperationTable<Put> puts_{context_.env.executor.random()};
  Object local_;     // scratch
  Object incoming_;  // scratch
  std::string storage_key_;
  std::string hint_key_;
  HintReader hints_;
};

}  // namespace stator::node

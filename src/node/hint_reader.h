#pragma once

#include <string>
#include <string_view>

#include "core/version/object.h"
#include "node/operation_table.h"
#include "node/record_store.h"

namespace stator::node {

struct ShardContext;

/// What this node, which does not own the range, keeps of one key for all of its owners, merged: so
/// that a sloppy read sees what a stand-in took (paper 4.6). At most N look-ups, one after the
/// other; none where nothing is kept for the range. A hint that cannot be read makes the answer
/// kUnreadable, never "missing" (D30). One per shard, on its loop only.
class HintReader {
 public:
  explicit HintReader(ShardContext& context);
  /// `object` is encoded and valid during the callback; kMissing: nothing is kept. May be called
  /// inside the call.
  using Done = Callback<void(RecordStore::Status status, std::string_view object)>;
  void read(PartitionId partition, std::string_view storage_key, Done done);

 private:
  struct Read : OperationSlot {
    PartitionId partition{};
    std::string storage_key;
    std::size_t next = 0;  // of the range's owners
    std::string merged;    // encoded; empty: nothing so far
    Done done;
  };
  void look_on(Read& read);
  void take(Read& read, const RecordStore::Loaded& loaded);
  void finish(Read& read, RecordStore::Status status);

  ShardContext& context_;
  OperationTable<Read> reads_;
  std::string hint_key_;  // scratch
  Object merged_;         // scratch
  Object found_;          // scratch
  std::string encoded_;   // scratch
};

}  // namespace stator::node

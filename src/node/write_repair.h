#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/quorum/write_round.h"
#include "node/replica.h"
#include "node/shard_context.h"

namespace stator::node {

/// A write whose round has finished, or waits for a disk only; views and references are the
/// caller's, for the call.
struct FinishedWrite {
  const WriteRound& round;
  std::string_view bucket;
  std::string_view key;
  PartitionId partition{};       // of the key
  PartitionId place{};           // where this node's own object stands: the partition, or a hint's
  std::string_view storage_key;  // there
  std::string_view object;       // as it was sent last
};

/// What is owed after a write: a hint to an owner that missed it (paper 4.6), and the whole object
/// to a replica that lacked part of it (paper 5, read repair; D20). Best effort: nobody waits for
/// it, and what is left out is found by reads. On the shard of the write.
class WriteRepair {
 public:
  WriteRepair(ShardContext& context, Replica& replica) : context_(context), replica_(replica) {}

  void run(const FinishedWrite& write);

 private:
  void keep_hints(const FinishedWrite& write);
  void repair(const FinishedWrite& write);
  void send_repairs(const FinishedWrite& write, const RecordStore::Loaded& loaded);

  ShardContext& context_;
  Replica& replica_;
  const FinishedWrite* inside_ = nullptr;  // of repair()
  std::uint64_t turn_ = 0;                 // of repair()
  std::string key_;                        // scratch
  Object object_;                          // scratch
};

}  // namespace stator::node

#pragma once

#include <string>
#include <vector>

#include "core/version/object.h"
#include "node/key_position.h"
#include "node/operation_table.h"
#include "node/shard_context.h"
#include "node/store.h"
#include "wire/messages.h"

namespace stator::node {

/// Walks all living keys of the cluster in ring order, from any node (design 2.4 SCAN): each step
/// takes one partition from R of its owners, who send what they know of each key; of these the
/// latest version counts, as in a plain read, and this node's time says whether it is alive. The
/// cursor is a place on the ring, so it is good on every node and with every engine. A key that is
/// there throughout is returned; repeats are possible, as in Redis.
class Scanner {
 public:
  /// `sibling(shard)`: the scanner of another shard of this node, used on that shard's loop only.
  using Siblings = Callback<Scanner&(unsigned)>;
  Scanner(ShardContext& context, Siblings sibling)
      : context_(context), sibling_(std::move(sibling)) {}

  void scan(const ScanRequest& request, ScanDone done);
  /// Living keys of the partitions, counted in this node's own copies; one that cannot be read
  /// counts, too. Fails where the engine cannot walk to the end.
  void count(std::vector<PartitionId> partitions, CountDone done);
  /// From here on the engine is left alone: what is under way, and what comes, ends with kClosed.
  void close();

  void on_scan(const wire::FrameHeader& header, const wire::Scan& message);
  void on_reply(const wire::FrameHeader& header, const wire::ScanReply& reply);
  void on_refusal(const wire::FrameHeader& header);
  void on_peer_down(NodeId peer);
  void tick();
  [[nodiscard]] std::size_t open() const { return walks_.open(); }
  [[nodiscard]] MonoTime first_deadline() const { return walks_.first_deadline(); }

 private:
  struct Found {
    std::uint64_t place = 0;
    std::string bucket;
    std::string key;
    // Of the latest version that was seen. Nobody but the coordinator judges it (design 4.2).
    Hlc time{};
    Dot event{};
    WallTime expires_at{};
    bool tombstone = false;
    [[nodiscard]] bool dead(WallTime now) const {
      return Version{.expires_at = expires_at, .tombstone = tombstone}.dead(now);
    }
  };
  /// One walk through one partition of the own engine, in bounded steps over several turns. Refused
  /// or failed: keys_max is 0 when it is done, and `why` says which.
  struct LocalWalk : OperationSlot {
    PartitionId partition{};
    std::uint64_t from = 0;
    std::size_t keys_max = 0;
    std::string after;
    std::vector<Found> found;  // the first keys_max by place, and those of the last place
    bool cut = false;          // more lies behind them
    ErrorCode why = ErrorCode::kOverloaded;
    Callback<void(LocalWalk&)> done;
  };
  struct Walk : OperationSlot {
    std::uint64_t cursor = 0;
    std::uint32_t count = 0;
    std::uint32_t partitions_left = 0;  // that this call may still visit
    PartitionId partition{};
    MonoTime deadline{};
    Candidates candidates;
    std::uint8_t asked = 0;   // candidates asked so far, in their order
    std::uint8_t needed = 0;  // answers needed for this partition
    std::vector<NodeId> waiting;
    std::uint8_t answers = 0;
    std::uint64_t bound = 0;  // everything up to here is known from all answers
    bool all_done = true;
    std::vector<Found> found;
    std::vector<Found> result;
    ScanDone done;
  };
  struct Count : OperationSlot {
    std::vector<PartitionId> partitions;
    std::string after;
    std::uint64_t living = 0;
    CountDone done;
  };

  /// Of the engine of whichever shard has the partition; `take` gets the keys on this loop.
  void walk_own(Walk& walk, std::size_t keys_max);
  void on_own(std::uint32_t slot, std::uint32_t generation, PartitionId partition, bool refused,
              std::vector<Found>&& found, bool done);
  void count_here(std::vector<PartitionId> partitions, CountDone done);
  [[nodiscard]] bool mine(PartitionId partition) const;
  void walk_local(PartitionId partition, std::uint64_t from, std::size_t keys_max,
                  Callback<void(LocalWalk&)> done);
  void step_local(std::uint32_t slot, std::uint32_t generation);
  void refuse_local(LocalWalk& walk, const Result<std::string>& next);
  void begin_partition(Walk& walk);
  void ask_more(Walk& walk);
  void take(Walk& walk, std::vector<Found>&& found, bool done);
  void end_partition(Walk& walk);
  void complete(Walk& walk);
  void fail(Walk& walk, ErrorCode code);
  void step_count(std::uint32_t slot, std::uint32_t generation);
  void fail_count(Count& count, ErrorCode code);

  ShardContext& context_;
  Siblings sibling_;
  OperationTable<LocalWalk> local_walks_{context_.env.executor.random()};
  OperationTable<Walk> walks_{context_.env.executor.random()};
  OperationTable<Count> counts_{context_.env.executor.random()};
  bool closed_ = false;
};

}  // namespace stator::node

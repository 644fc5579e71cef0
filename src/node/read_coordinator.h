#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>

#include "core/load/hedge_budget.h"
#include "core/quorum/read_round.h"
#include "node/key_position.h"
#include "node/operation_table.h"
#include "node/replica.h"
#include "node/shard_context.h"
#include "node/store.h"
#include "wire/messages.h"

namespace stator::node {

/// Carries out the wishes of ReadRounds: asks replicas, merges what they send, answers, and repairs
/// stale replicas after the answer (paper 4.5, 5 "read repair"). Decides nothing; core/quorum does.
class ReadCoordinator {
 public:
  ReadCoordinator(ShardContext& context, Replica& replica) : context_(context), replica_(replica) {}

  void read(std::string_view bucket, std::string_view key, const ReadQuorum& quorum, ReadDone done);

  /// Reads the key in the background from all its owners, to replace records of it that cannot be
  /// read (D30). In a later turn; at most kRestoresMax keys at a time, others when they are met
  /// again.
  void restore(PartitionId partition, std::string_view storage_key);

  void on_reply(const wire::FrameHeader& header, const wire::ReplicaGetReply& reply);
  void on_refusal(const wire::FrameHeader& header, ErrorCode code);
  void on_peer_down(NodeId peer);
  void on_peer_silent(NodeId peer);
  void on_peer_up(NodeId peer);
  void tick();
  [[nodiscard]] std::size_t open() const { return operations_.open(); }
  [[nodiscard]] MonoTime first_deadline() const { return operations_.first_deadline(); }

 private:
  struct Operation : OperationSlot {
    std::string bucket;
    std::string key;
    std::string storage_key;
    PartitionId partition{};
    MonoTime began{};
    MonoTime deadline{};
    ReadRound round;
    Object merged;
    /// Bytes that `merged` holds views into: one for each replica that sent a value.
    std::array<std::string, kCandidatesMax> values;
    std::uint8_t value_count = 0;
    bool running = false;
    bool check_the_rest = false;  // a background look at all owners follows
    bool restoring = false;       // a background look for the sake of an unreadable record
    std::uint8_t all_but = 0;     // so many owners were not counted on from the start
    ReadDone done;                // empty: a background look
  };

  /// `sloppy`: stand-ins may make up for owners (paper 4.6). Not for a look at the owners' copies:
  /// what stand-ins keep is delivered.
  Operation* start(std::string_view bucket, std::string_view key, PartitionId partition,
                   const ReadQuorum& quorum, bool sloppy);
  /// A background look at all owners, but for so many of them that cannot read their records.
  void look_at_all(std::string_view bucket, std::string_view key, PartitionId partition,
                   std::uint8_t all_but, bool restoring);
  void run(Operation& operation);
  void name_more(Operation& operation);
  void ask(Operation& operation, ReplicaIndex replica, bool value);
  void ask_local(Operation& operation, ReplicaIndex replica, bool value);
  void on_local(Operation& operation, ReplicaIndex replica, bool value,
                const RecordStore::Loaded& loaded);
  void on_local_hints(Operation& operation, ReplicaIndex replica, bool value,
                      RecordStore::Status status, std::string_view object);
  /// `object` lies in operation.values[operation.value_count].
  void take_value(Operation& operation, ReplicaIndex replica, std::string_view object);
  void answer(Operation& operation);
  [[nodiscard]] bool tries_any(std::span<const NodeId> owners);
  [[nodiscard]] bool may_miss_something(std::span<const NodeId> owners,
                                        PartitionId partition) const;
  /// Calls `done`, if that has not been.
  void complete(Operation& operation, const Result<ReadResult>& result);
  void finish(Operation& operation);
  /// Tells how long those took whose answers have not come.
  void note_late(const Operation& operation, ReplicaSet late);
  void repair(Operation& operation);
  /// Each operation that waits for an answer of `peer` goes on after use(operation, replica).
  template <typename Use>
  void for_each_waiting_for(NodeId peer, Use use);
  [[nodiscard]] Operation* find(std::uint64_t request_id, NodeId sender, ReplicaIndex& replica);

  static constexpr std::size_t kRestoresMax = 16;

  ShardContext& context_;
  Replica& replica_;
  std::size_t restores_ = 0;  // under way
  OperationTable<Operation> operations_{context_.env.executor.random()};
  HedgeBudget hedges_;
  Candidates candidates_;  // scratch
  Object received_;        // scratch
  std::string encoded_;    // scratch
};

}  // namespace stator::node

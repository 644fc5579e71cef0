#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/quorum/write_round.h"
#include "node/key_position.h"
#include "node/operation_table.h"
#include "node/replica.h"
#include "node/shard_context.h"
#include "node/store.h"
#include "node/write_repair.h"
#include "wire/messages.h"

namespace stator::node {

/// Coordinates writes: mints the version into the local object, stores it, sends the whole object
/// to the owners, or stand-ins of those that are away, and answers when the WriteRound says so
/// (paper 4.5, 4.6). A node that is no owner coordinates where no owner can be reached: its local
/// object is then a hint, in the name of an owner, or, where that one acknowledges late and
/// another has nobody, one hint for each of both. A plain write that an acknowledgement shows to
/// have missed something is covered again before the answer (design 2.4). With durability `one` it
/// asks for one durable copy, which the answer does not wait for (paper 6.1).
class WriteCoordinator {
 public:
  WriteCoordinator(ShardContext& context, Replica& replica)
      : context_(context), replica_(replica), repair_(context, replica) {}

  /// `request` was checked (check_write) and has an id; this node owns the partition, or stands in.
  /// `confirm_only`: the id is of a kind that is minted once and came from a client, which can only
  /// learn what became of it.
  void write(const WriteRequest& request, PartitionId partition, bool confirm_only, WriteDone done);

  /// A reply to what stands in this slot comes soon.
  void expect(std::uint32_t slot) const { operations_.prefetch(slot); }
  void on_reply(const wire::FrameHeader& header, const wire::ReplicaPutReply& reply);
  void on_refusal(const wire::FrameHeader& header, ErrorCode code);
  void on_peer_down(NodeId peer);
  void on_peer_up(NodeId peer);
  void tick();
  [[nodiscard]] std::size_t open() const { return operations_.open(); }
  [[nodiscard]] MonoTime first_deadline() const { return operations_.first_deadline(); }

 private:
  struct Operation : OperationSlot {
    // The request; its views are the caller's while the first load is inside the call, then into
    // `copy`.
    WriteRequest request;
    std::string bucket;
    std::string key;
    std::string copy;
    bool confirm_only = false;
    bool sync = false;  // every store of it, here and elsewhere
    bool has_context = false;
    Context context;  // what the writer saw, then what it knows afterwards

    // Where the local object stands: the key's place, or that of a hint.
    PartitionId place{};
    std::string storage_key;
    PartitionId partition{};  // of the key
    MonoTime began{};
    MonoTime deadline{};
    WriteRound round;
    std::string object;  // encoded, of the present attempt
    Hlc time{};
    Error refusal{};  // why the local store refused, with its detail
    bool minting = false;
    bool running = false;
    bool more_owed = false;  // it wished more candidates while this node came back
    bool repaired = false;   // what is owed beside the answer is done
    WriteDone done;
  };

  void begin_round(Operation& operation);
  void run(Operation& operation);
  void name_more(Operation& operation);
  void load_then(Operation& operation,
                 void (WriteCoordinator::*use)(Operation&, const RecordStore::Loaded&));
  void mint(Operation& operation, const RecordStore::Loaded& loaded);
  bool may_mint(Operation& operation, const Object& object, WallTime now);
  bool apply(Operation& operation, Object& object, storage::RecordHeader& header, bool& store);
  void cover(Operation& operation, const RecordStore::Loaded& loaded);
  /// What operation.object encodes, which has this digest.
  void store(Operation& operation, const storage::RecordHeader& header, std::uint64_t digest);
  void stored(std::uint32_t slot, std::uint32_t generation, std::uint8_t attempt,
              std::uint64_t digest, const Result<void>& result);
  StoreDone on_stored(const Operation& operation, std::uint8_t attempt, std::uint64_t digest);
  void send(Operation& operation, ReplicaIndex replica, std::uint8_t attempt, bool durable);
  void keep_for_another(Operation& operation, std::uint8_t attempt, bool durable);
  void kept_for_another(std::uint32_t slot, std::uint32_t generation, std::uint8_t attempt,
                        const Result<Replica::Merged>& merged);
  void note_asked(const Operation& operation);
  void make_durable(Operation& operation, ReplicaIndex replica, std::uint8_t attempt);
  void made_durable(std::uint32_t slot, std::uint32_t generation, std::uint8_t attempt,
                    const Result<void>& result);
  void refuse(Operation& operation, Error error);
  void answer(Operation& operation);
  void complete(Operation& operation, const WriteResult& result);
  void fail(Operation& operation, const WriteWish& wish);
  /// Tells how long those took whose acknowledgements have not come.
  void note_late(const Operation& operation);
  /// How long a copy may be on its way before another node gets it, too.
  [[nodiscard]] Duration hedge_after() const;
  void repair(Operation& operation);
  void finish(Operation& operation);
  void note_stored(const Operation& operation, const RecordStore::Loaded& loaded);
  void keep_request(Operation& operation);
  void observe(const Operation& operation, const Object& object, const WriteId& id);
  void observe_answer(const Operation& operation);
  /// Merges what an acknowledgement brought, before the round decides whether to cover it. What it
  /// returns was not taken: a plain write must not count such an acknowledgement, since it could
  /// not cover what that shows. What fails later, the cover meets too: it reads behind the merge.
  std::optional<ErrorCode> learn(const Operation& operation, std::string_view object);
  /// Each operation that waits for an acknowledgement of `peer`, or for word that its copy is
  /// durable, goes on after use(operation, replica).
  template <typename Use>
  void for_each_waiting_for(NodeId peer, Use use);
  [[nodiscard]] Operation* find(std::uint64_t request_id, NodeId sender, ReplicaIndex& replica);
  [[nodiscard]] static bool overtakes(const Operation& operation, ReplicaIndex replica,
                                      std::uint8_t attempt, const wire::ReplicaPutReply& reply);

  ShardContext& context_;
  Replica& replica_;
  WriteRepair repair_;
  OperationTable<Operation> operations_{context_.env.executor.random()};
  Candidates candidates_;            // scratch
  std::string key_;                  // scratch
  Object object_;                    // scratch
  std::vector<WriteId> before_;      // scratch, for the observer
  std::vector<WriteId> superseded_;  // scratch, for the observer
  bool learning_ = false;            // inside learn()
  std::optional<ErrorCode> not_learned_;
};

}  // namespace stator::node

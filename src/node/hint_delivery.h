#pragma once

#include <deque>
#include <map>
#include <string>

#include "core/load/drain_pace.h"
#include "core/version/object.h"
#include "env/executor.h"
#include "node/hint_recount.h"
#include "node/operation_table.h"
#include "node/record_store.h"
#include "wire/messages.h"

namespace stator::node {

struct ShardContext;

/// Brings what this shard keeps for others to its owners (paper 4.6). For each owner that answers
/// and has a backlog there is one walk over the ranges in which it has one, with a bounded window
/// of hints under way. They are spread over the time that there is (DrainPace), and the owner says
/// with each answer how long to wait before the next, so the receiver paces (D15). When it says
/// that it has a hint durably, the record is looked at again: if it is still what was sent, it is
/// deleted; else it goes out again, under another request id, so that no answer is taken for that
/// to another object. Nothing else ever deletes a hint (D14).
///
/// A walk that has come to its end begins again while there is a backlog, which may be hints that
/// cannot be delivered (damaged, D30): these are met again and again, and set no pace. A range that
/// cannot be read to its end is left for then, too. One per shard, on its loop only.
class HintDelivery {
 public:
  explicit HintDelivery(ShardContext& context);
  ~HintDelivery() { stop(); }
  HintDelivery(const HintDelivery&) = delete;
  HintDelivery& operator=(const HintDelivery&) = delete;

  void on_reply(const wire::FrameHeader& header, const wire::ReplicaPutReply& reply);
  void on_refusal(const wire::FrameHeader& header, ErrorCode code);
  void on_peer_down(NodeId peer);
  void on_peer_up() { wake(); }
  /// Hints that are being delivered.
  [[nodiscard]] std::size_t open() const { return operations_.open(); }
  /// The node ends: begins nothing more, and forgets what is under way.
  void stop();

  static constexpr std::size_t kWindow = 16;
  /// Of objects under way to one owner; a larger one goes alone.
  static constexpr std::size_t kWindowBytes = 1 << 20;

 private:
  struct Walk {
    bool under_way = false;
    PartitionId range{};            // being walked
    std::string after;              // the last key that was seen in it
    bool range_done = false;        // all its keys have been seen
    bool range_failed = false;      // all that could be
    std::uint64_t seen = 0;         // of this owner, in the range
    std::uint64_t batch = 0;        // of the range's last hint, if over when the walk began
    std::deque<std::string> queue;  // hints to send, all of `range`
    std::size_t in_flight = 0;
    std::size_t bytes_in_flight = 0;
    std::uint64_t delivered = 0;  // since it began
    bool left_out = false;        // not all that could be was delivered by it
    MonoTime not_before{};        // as the owner, or a failure, asks
    DrainPace pace;
  };
  struct Operation : OperationSlot {
    NodeId owner{};
    PartitionId range{};
    std::string key;  // the hint's
    std::uint64_t digest = 0;
    std::size_t bytes = 0;  // of the object that was sent
    MonoTime sent_at{};
    MonoTime deadline{};
    bool sent = false;
  };

  void wake();
  void tick();
  void give_up_late();
  void advance(NodeId owner, Walk& walk);
  void look_at_pace(NodeId owner, Walk& walk);
  [[nodiscard]] bool may_send(const Walk& walk) const;
  void pay(Walk& walk, std::uint64_t cost);
  [[nodiscard]] bool refill(NodeId owner, Walk& walk);
  [[nodiscard]] bool next_range(NodeId owner, Walk& walk);
  void end_range(NodeId owner, Walk& walk);
  void deliver(NodeId owner, Walk& walk, std::string key);
  void send(Operation& operation, const RecordStore::Loaded& loaded);
  void check(Operation& operation, const RecordStore::Loaded& loaded);
  /// `object` stands there, as `bytes`.
  void erase(const Operation& operation, const Object& object, std::size_t bytes);
  void send_again(Operation& operation);
  /// The hint is done with, for this walk.
  void release(Operation& operation);
  /// The same, though it was not delivered and may be in a later walk.
  void fail(Operation& operation);
  void load(const Operation& operation,
            void (HintDelivery::*use)(Operation&, const RecordStore::Loaded&));
  [[nodiscard]] Operation* find(const wire::FrameHeader& header);

  ShardContext& context_;
  HintRecount recount_;
  OperationTable<Operation> operations_;
  std::map<NodeId, Walk> walks_;
  env::TimerId timer_{};
  bool resting_ = false;  // the timer is that of hints whose owners are away
  bool stopped_ = false;
};

}  // namespace stator::node

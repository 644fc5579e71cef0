#pragma once

#include <string>

#include "node/key_position.h"
#include "node/operation_table.h"
#include "node/recent_frames.h"
#include "node/recent_ids.h"
#include "node/shard_context.h"
#include "node/store.h"
#include "node/write_coordinator.h"
#include "wire/messages.h"

namespace stator::node {

/// Hands writes to a node that may mint them (paper 4.5: a node outside the key's top N forwards),
/// and takes such writes from others. The target is the fastest reader that the context names, if
/// it owns the key and answers, else the first healthy owner. Where none can be reached it is the
/// first usable node of the preference list, which may be this one, and which stands in
/// (paper 4.6). A write whose id is minted once goes to one node only: when that one may have got
/// it and does not answer, the outcome is unknown. One with a retryable id is tried at the next
/// node while there is time (D7).
class Forwarder {
 public:
  Forwarder(ShardContext& context, WriteCoordinator& coordinator)
      : context_(context), coordinator_(coordinator) {}

  /// This node does not own the partition, or takes no writes; `request` was checked and has an id.
  void forward(const WriteRequest& request, PartitionId partition, bool confirm_only,
               WriteDone done);
  /// False for a frame that came before: the first one's answer is on its way.
  [[nodiscard]] bool first_arrival(const wire::FrameHeader& header) {
    return recent_frames_.first_time(header);
  }
  /// From a node that forwards; this node owns the partition, or is asked to stand in.
  void on_forward(const wire::FrameHeader& header, const wire::ForwardWrite& message);

  void on_reply(const wire::FrameHeader& header, const wire::ForwardWriteReply& reply);
  void on_refusal(const wire::FrameHeader& header, ErrorCode code);
  void on_peer_down(NodeId peer);
  void on_peer_silent(NodeId peer);
  void tick();
  [[nodiscard]] std::size_t open() const { return operations_.open(); }
  [[nodiscard]] MonoTime first_deadline() const { return operations_.first_deadline(); }

 private:
  /// A frame that comes twice comes soon; what is forgotten here counts as a repeat.
  static constexpr std::size_t kFirstIdsMax = 4096;

  struct Operation : OperationSlot {
    WriteId id{};
    std::string bucket;
    std::string key;
    PartitionId partition{};
    MonoTime began{};
    MonoTime deadline{};
    MonoTime try_next_at{};
    std::string body;       // the encoded message, for the next try
    Candidates targets;     // owners first; the others once those are used up
    std::uint8_t next = 0;  // index into targets
    bool others_named = false;
    bool waits = false;  // nobody is left to ask, until an owner is heard again
    NodeId asked{};
    std::uint8_t attempt = 0;  // of the frame that `asked` got
    // Some node before `asked` may have got it.
    bool others_may_have_it = false;
    bool maybe_applied = false;  // some node may have got it
    bool may_repeat = false;     // as given: somebody else may have minted it before
    ErrorCode last_error = ErrorCode::kTooFewNodes;
    WriteDone done;
  };

  void send_next(Operation& operation);
  [[nodiscard]] bool send_to(Operation& operation, const Candidate& target,
                             wire::ForwardWrite& message);
  void stand_in(Operation& operation, const wire::ForwardWrite& message);
  void on_stood_in(std::uint32_t slot, std::uint32_t generation, const WriteResult& result);
  void name_others(Operation& operation);
  [[nodiscard]] bool read_request(const wire::ForwardWrite& message, WriteRequest& request);
  void give_up(Operation& operation, ErrorCode code);
  void complete(Operation& operation, WriteResult result);
  void choose_targets(const WriteRequest& request, PartitionId partition, Candidates& out) const;

  ShardContext& context_;
  WriteCoordinator& coordinator_;
  OperationTable<Operation> operations_{context_.env.executor.random()};
  RecentFrames recent_frames_;
  RecentIds recent_;
  RecentIds recent_first_{kFirstIdsMax};  // retryable ones that came as first attempts
  Candidates others_;                     // scratch
  Context received_;                      // scratch
  std::string encoded_;                   // scratch
};

}  // namespace stator::node

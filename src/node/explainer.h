#pragma once

#include <string_view>
#include <vector>

#include "node/key_position.h"
#include "node/operation_table.h"
#include "node/replica.h"
#include "node/shard_context.h"
#include "node/store.h"
#include "wire/messages.h"

namespace stator::node {

/// Shows one key as every member of its preference list holds it, and what a read would make of
/// that (design 2.3 `explain`). Asks every owner for its whole object, and the stand-ins that
/// answer for what they keep of it; repairs nothing.
class Explainer {
 public:
  Explainer(ShardContext& context, Replica& replica) : context_(context), replica_(replica) {}

  void explain(std::string_view bucket, std::string_view key, ExplainDone done);
  void on_reply(const wire::FrameHeader& header, const wire::ReplicaGetReply& reply);
  void on_refusal(const wire::FrameHeader& header, ErrorCode code);
  void on_peer_down(NodeId peer);
  void tick();
  [[nodiscard]] std::size_t open() const { return operations_.open(); }
  [[nodiscard]] MonoTime first_deadline() const { return operations_.first_deadline(); }

 private:
  struct Operation : OperationSlot {
    Explanation explanation;
    PartitionId partition{};
    std::vector<bool> asked;  // by replica
    MonoTime deadline{};
    std::size_t waiting = 0;
    ExplainDone done;
  };
  void ask(Operation& operation, std::size_t replica, std::string_view bucket,
           std::string_view key);
  void ask_here(const Operation& operation, std::string_view storage_key, bool owner);
  void note(Operation& operation, NodeId node, const char* error, std::string_view object);
  void finish_if_complete(Operation& operation);
  void finish(Operation& operation);

  ShardContext& context_;
  Replica& replica_;
  OperationTable<Operation> operations_{context_.env.executor.random()};
};

}  // namespace stator::node

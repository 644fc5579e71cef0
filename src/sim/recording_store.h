#pragma once

#include <cstdint>
#include <vector>

#include "env_sim/scheduler.h"
#include "node/observer.h"
#include "node/store.h"
#include "sim/copies.h"
#include "sim/operation_log.h"
#include "sim/refusals.h"

namespace stator::sim {

/// Where a node's calls are written down. All outlive its processes.
struct Recording {
  OperationLog& log;
  const Scheduler& scheduler;
  AnswerWitness& witness;
  std::uint32_t node;  // as the witness knows it
};

/// A Store that writes down every call and its answer, and hands both on unchanged: it stands
/// between the front door and the node of each simulated process. So the log knows ids, contexts
/// and outcomes for certain, however little the protocol tells the client.
class RecordingStore final : public node::Store {
 public:
  /// `inner` outlives it. `r` and `w` are what a request gets that asks for no quorum of its own.
  RecordingStore(node::Store& inner, const Recording& recording, std::uint8_t r, std::uint8_t w)
      : inner_(inner),
        log_(recording.log),
        scheduler_(recording.scheduler),
        witness_(recording.witness),
        node_(recording.node),
        r_(r),
        w_(w) {}

  void read(std::string_view bucket, std::string_view key, const node::ReadQuorum& quorum,
            node::ReadDone done) override;
  void write(const node::WriteRequest& request, node::WriteDone done) override;
  void explain(std::string_view bucket, std::string_view key, node::ExplainDone done) override {
    inner_.explain(bucket, key, std::move(done));
  }
  void scan(const node::ScanRequest& request, node::ScanDone done) override {
    inner_.scan(request, std::move(done));
  }
  void count_published_keys(node::CountDone done) override {
    inner_.count_published_keys(std::move(done));
  }
  [[nodiscard]] Room room() const override { return inner_.room(); }
  [[nodiscard]] const node::ClusterView& cluster() const override { return inner_.cluster(); }
  [[nodiscard]] node::NodeStatus status() const override { return inner_.status(); }
  [[nodiscard]] node::Metrics metrics() const override;
  [[nodiscard]] WallTime guarded_now() const override { return inner_.guarded_now(); }
  [[nodiscard]] std::uint64_t context_secret() const override { return inner_.context_secret(); }

 private:
  struct OpenRead {
    node::ReadDone done;
    std::uint32_t key = 0;
    MonoTime begin{};
    std::uint8_t quorum = 0;
    std::uint8_t owners = 0;
  };
  struct OpenWrite {
    node::WriteDone done;
    std::uint32_t key = 0;
    std::size_t call = 0;  // index into the key's writes
    std::uint8_t durable = 0;
  };
  void read_answered(std::uint32_t slot, const Result<node::ReadResult>& result);
  void write_answered(std::uint32_t slot, const node::WriteResult& result);

  node::Store& inner_;
  OperationLog& log_;
  const Scheduler& scheduler_;
  AnswerWitness& witness_;
  const std::uint32_t node_;
  const std::uint8_t r_;
  const std::uint8_t w_;
  std::vector<OpenRead> reads_;
  std::vector<std::uint32_t> free_reads_;
  std::vector<OpenWrite> writes_;
  std::vector<std::uint32_t> free_writes_;
};

/// Writes down what nodes mint, whose copies they counted, and which hints they let go of.
class RecordingObserver final : public node::Observer {
 public:
  /// All outlive it. Without `copies` only mints are written down: no single copy is promised where
  /// disks lose what they were given.
  RecordingObserver(OperationLog& log, const Scheduler& scheduler, Copies* copies)
      : log_(log), scheduler_(scheduler), copies_(copies) {}
  void on_mint(std::string_view bucket, std::string_view key, const WriteId& id, const Dot& dot,
               std::span<const WriteId> superseded) override;
  void on_acknowledged(std::string_view bucket, std::string_view key, const WriteId& id,
                       std::span<const NodeId> owners) override;
  void on_hint_gone(NodeId keeper, NodeId owner, std::string_view bucket, std::string_view key,
                    const Object& object) override;

 private:
  OperationLog& log_;
  const Scheduler& scheduler_;
  Copies* copies_;
};

}  // namespace stator::sim

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "node/shard.h"
#include "node/store.h"

namespace stator::node {

/// What the fronts of the other shards see of this node beside keys.
class NodeFacts {
 public:
  virtual ~NodeFacts() = default;
  /// Sums as of the last publication. `from` is the shard that asks; it is counted as it is now.
  [[nodiscard]] virtual NodeStatus node_status(unsigned from) const = 0;
  [[nodiscard]] virtual Metrics all_metrics(unsigned from) const = 0;
};

/// The Store of the clients of one shard. Requests for partitions of other shards are copied over
/// to them and their results back; those of its own go straight in.
class ShardStore final : public Store {
 public:
  ShardStore(Shard& shard, ShardHost& host, const NodeFacts& facts);

  void read(std::string_view bucket, std::string_view key, const ReadQuorum& quorum,
            ReadDone done) override;
  void write(const WriteRequest& request, WriteDone done) override;
  void explain(std::string_view bucket, std::string_view key, ExplainDone done) override;
  void scan(const ScanRequest& request, ScanDone done) override;
  void count_published_keys(CountDone done) override;

  [[nodiscard]] Room room() const override;
  [[nodiscard]] const ClusterView& cluster() const override;
  [[nodiscard]] NodeStatus status() const override {
    return facts_.node_status(shard_.context().env.executor.shard());
  }
  [[nodiscard]] Metrics metrics() const override {
    return facts_.all_metrics(shard_.context().env.executor.shard());
  }
  [[nodiscard]] WallTime guarded_now() const override { return shard_.context().guarded_now(); }
  [[nodiscard]] std::uint64_t context_secret() const override {
    return shard_.context().topology->cluster_tag();
  }

 private:
  struct RemoteRead;
  struct RemoteWrite;

  [[nodiscard]] Result<void> check_write(const WriteRequest& request) const;
  [[nodiscard]] unsigned target_of(std::string_view bucket, std::string_view key,
                                   PartitionId& partition) const;
  static void coordinate(Shard& shard, const WriteRequest& request, PartitionId partition,
                         bool confirm_only, WriteDone done);
  void write_elsewhere(unsigned target, const WriteRequest& request, PartitionId partition,
                       bool confirm_only, WriteDone done);
  void refresh_view() const;

  Shard& shard_;
  ShardHost& host_;
  const NodeFacts& facts_;
  mutable ClusterView view_;
  mutable std::uint64_t view_of_peers_ = 0;
  mutable bool view_no_write_ = false;
};

}  // namespace stator::node

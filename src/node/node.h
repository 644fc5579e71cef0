#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "env/env.h"
#include "node/disk_keeper.h"
#include "node/options.h"
#include "node/shard.h"
#include "node/shard_store.h"
#include "storage/data_directory.h"

namespace stator::node {

/// One node: its identity, its history, its store and its shards. Composes; decides nothing.
///
/// open() and start() are called before the loops run; stop() on shard 0's loop.
class Node final : public ShardHost, public NodeFacts {
 public:
  /// Opens or creates the data directory and the engine. One Env per shard; they and `options`'
  /// observer outlive the node. Errors name what is wrong and what to do: kConflict (another
  /// process, another cluster, another engine), kCorrupt, kNotSupported, kBadRequest, kDiskFull,
  /// kIo.
  [[nodiscard]] static Result<std::unique_ptr<Node>> open(std::vector<env::Env> shards,
                                                          NodeOptions options);
  ~Node() override;

  /// Listens for peers and begins to talk to them. kConflict when the address is in use.
  [[nodiscard]] Result<void> start();
  /// What is announced to peers and clients, once the fronts have bound their addresses.
  void announce(const env::Address& redis, const env::Address& http);
  /// Tells the peers that this node is about to stop: they give it no new work from now on, and
  /// what they have under way here is served as before. On shard 0's loop.
  void leave();
  /// Completes what was begun, by peers too, syncs, and lets go of the files; then `done`. Fronts
  /// have stopped before. What still comes is refused, so that whoever sent it asks another node.
  void stop(Callback<void()> done);

  /// For the clients of one shard.
  [[nodiscard]] Store& store(unsigned shard) { return *stores_[shard]; }
  /// Where the fronts of a shard count. On that shard's loop.
  [[nodiscard]] Metrics& counters(unsigned shard) { return shards_[shard]->context().metrics; }
  [[nodiscard]] const NodeOptions& options() const { return options_; }
  [[nodiscard]] NodeId id() const { return identity_.node_id; }
  /// Opening it wrote one copy of the identity anew from the other (D24): the disk may be failing.
  [[nodiscard]] bool identity_mended() const { return directory_->mended(); }
  [[nodiscard]] const env::Address& peer_address() const { return peer_address_; }
  /// Every shard has heard from every other member, or waited a second for them: a client that
  /// comes earlier may meet a node that cannot reach a quorum yet. Any thread.
  [[nodiscard]] bool settled() const { return shards_unsettled_ == 0; }
  [[nodiscard]] bool member() const { return topology_->member; }
  /// So many more members are needed before R and W can be reached at all.
  [[nodiscard]] std::size_t members_wanting() const;
  /// Requests of clients on a shard that wait for an answer. On that shard's loop.
  [[nodiscard]] std::size_t open_operations(unsigned shard) const {
    return shards_[shard]->open_operations();
  }
  /// On that shard's loop.
  Shard& shard(unsigned index) override { return *shards_[index]; }

 private:
  Node(std::vector<env::Env> envs, NodeOptions options);

  Result<void> open_identity();
  Result<void> load_history();
  Result<void> save_history(const History& history);
  Result<void> open_shards();
  void publish(unsigned shard);
  void await_peers(unsigned shard, MonoTime until);
  void close_shard(unsigned shard, std::shared_ptr<Callback<void()>> done);
  [[nodiscard]] bool may_close(unsigned shard) const;
  [[nodiscard]] wire::NodeInfo announcement(DiskState disk, bool stopping) const;
  bool watch_disk();
  /// What the disk takes, and whether this node stops.
  void tell_shards();

  // ShardHost
  void on_history(unsigned from_shard, History&& other) override;
  // NodeFacts
  [[nodiscard]] NodeStatus node_status(unsigned from) const override;
  [[nodiscard]] Metrics all_metrics(unsigned from) const override;

  std::vector<env::Env> envs_;
  NodeOptions options_;
  std::unique_ptr<storage::DataDirectory> directory_;
  storage::NodeIdentity identity_;
  Incarnation incarnation_{};
  WallTime started_at_{};
  MonoTime started_{};
  std::shared_ptr<const Topology> topology_;
  std::unique_ptr<DiskKeeper> disk_keeper_;  // shard 0's
  DiskState disk_told_ = DiskState::kRoomy;  // to the shards; shard 0's
  std::unique_ptr<storage::EngineHome> engine_home_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::vector<std::unique_ptr<ShardStore>> stores_;
  std::vector<std::unique_ptr<env::Listener>> listeners_;
  env::Address peer_address_;
  std::string redis_text_;
  std::string http_text_;
  std::string peer_text_;
  MonoTime left_at_{};  // when leave() was called; 0: not yet
  std::atomic<unsigned> open_shards_ = 0;
  std::atomic<unsigned> shards_unsettled_ = 0;

  /// What each shard published last, for the others: the only memory that shards share.
  struct Published {
    Metrics metrics;
    storage::EngineStats engine;
    bool clock_skewed = false;
    std::optional<ErrorCode> failure;  // of the engine's last write
    std::vector<HintsView> hints;
    bool hints_counting = false;
  };
  /// What the shard keeps for others, as of now. On that shard's loop.
  [[nodiscard]] std::vector<HintsView> hints_of(unsigned shard) const;
  mutable std::mutex mutex_;
  std::vector<Published> published_;
  DiskState disk_ = DiskState::kRoomy;
  std::optional<std::uint64_t> disk_free_;
};

}  // namespace stator::node

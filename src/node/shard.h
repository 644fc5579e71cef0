#pragma once

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "node/explainer.h"
#include "node/forwarder.h"
#include "node/hint_delivery.h"
#include "node/peers.h"
#include "node/read_coordinator.h"
#include "node/replica.h"
#include "node/scanner.h"
#include "node/shard_context.h"
#include "node/write_coordinator.h"

namespace stator::node {

class Shard;

/// What a shard needs of its node: the other shards, and the one history.
class ShardHost {
 public:
  virtual ~ShardHost() = default;
  [[nodiscard]] virtual Shard& shard(unsigned index) = 0;
  /// A peer holds another history: merge it, keep it, tell all shards. Any shard may call.
  virtual void on_history(unsigned from_shard, History&& other) = 0;
};

/// One shard of a node: a loop, its partitions, and the parts that serve them (design 4.1). This
/// class only composes them and deals out frames. Shards share nothing; what belongs to another one
/// is posted to it.
class Shard final : public env::FrameSink, private PeerEvents {
 public:
  Shard(const env::Env& env, const NodeOptions& options, Incarnation incarnation,
        std::unique_ptr<storage::Engine> engine, ShardHost& host);
  ~Shard() override;

  void set_topology(std::shared_ptr<const Topology> topology);
  void set_announcement(const wire::NodeInfo& info) { peers_.set_announcement(info); }

  /// A frame from any peer, about any shard's partitions.
  void on_frame(std::string_view frame) override;
  void on_frames_ahead(std::span<const std::string_view> frames) override;
  /// The shard that serves a partition; the same on every start only as long as the number of
  /// shards is.
  [[nodiscard]] static unsigned shard_of(PartitionId partition, unsigned shards) {
    return partition.value % shards;
  }

  [[nodiscard]] ShardContext& context() { return context_; }
  [[nodiscard]] const ShardContext& context() const { return context_; }
  [[nodiscard]] ReadCoordinator& reads() { return reads_; }
  [[nodiscard]] WriteCoordinator& writes() { return writes_; }
  [[nodiscard]] Forwarder& forwarder() { return forwarder_; }
  [[nodiscard]] Explainer& explainer() { return explainer_; }
  [[nodiscard]] Scanner& scanner() { return scanner_; }
  [[nodiscard]] Peers& peers() { return peers_; }
  [[nodiscard]] storage::Engine& engine() { return *engine_; }
  /// Begins no more work of its own accord.
  void stop_background() { hints_.stop(); }
  /// From here on requests are refused and the engine is left alone.
  void close();
  [[nodiscard]] bool closed() const { return closed_; }
  /// When a peer asked for anything last, pings aside.
  [[nodiscard]] MonoTime last_request() const { return last_request_; }
  /// Requests of clients that are not answered yet.
  [[nodiscard]] std::size_t open_operations() const {
    return reads_.open() + writes_.open() + forwarder_.open();
  }
  /// By when the first of what clients have asked for has to be over; never, if nothing is open.
  [[nodiscard]] MonoTime first_deadline() const {
    return std::min({reads_.first_deadline(), writes_.first_deadline(), forwarder_.first_deadline(),
                     explainer_.first_deadline(), scanner_.first_deadline()});
  }
  /// What this shard does of its own accord or for its peers, and has not ended.
  [[nodiscard]] std::size_t hints_under_way() const { return hints_.open(); }
  [[nodiscard]] std::size_t merges_under_way() const { return replica_.open(); }

 private:
  void serve(const wire::Frame& frame);
  void serve_request(const wire::Frame& frame);
  void serve_refused(const wire::Frame& frame);
  template <typename Message, typename Serve>
  void serve_sound(const wire::Frame& frame, Serve serve);
  void serve_reply(const wire::Frame& frame);
  void serve_refusal(const wire::Frame& frame);
  void serve_history(const wire::Frame& frame);
  bool refused_for_history(const wire::Frame& frame);
  bool refused_as_late(const wire::FrameHeader& header);
  void refuse(const wire::FrameHeader& header, ErrorCode code);
  void fetch_history(NodeId from);
  void on_peer_down(NodeId peer) override;
  void on_peer_silent(NodeId peer) override;
  void on_peer_up(NodeId peer) override;
  void on_peer_shard_up(NodeId peer) override;
  void on_peer_started(NodeId peer) override;
  void on_sighting(NodeId peer, const Sighting& sighting) override;
  void on_answer_of(NodeId peer, Incarnation process, MonoTime asked) override;
  void on_claimants(NodeId peer, const std::vector<Incarnation>& refused) override;
  void expect_next();
  bool on_turn_end();
  void tick();

  std::unique_ptr<storage::Engine> engine_;
  ShardHost& host_;
  ShardContext context_;
  RecordStore records_;
  Mint mint_;
  Quarantine quarantine_;
  Peers peers_;
  Replica replica_;
  ReadCoordinator reads_;
  WriteCoordinator writes_;
  Forwarder forwarder_;
  Explainer explainer_;
  Scanner scanner_;
  HintDelivery hints_;
  env::TimerId tick_timer_{};
  // Of the frames that were announced, in their order: the records that they are about.
  std::string keys_ahead_;
  std::vector<storage::Place> places_ahead_;
  std::size_t next_ahead_ = 0;  // the first of them that was not fetched yet
  MonoTime last_request_{};
  bool closed_ = false;
};

}  // namespace stator::node

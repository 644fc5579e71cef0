#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/version/object_codec.h"
#include "env_sim/world.h"
#include "node/node.h"

// A small cluster of real nodes in the simulated world, driven by calls on their stores: for tests
// that tell one story. The swarm of clients and faults is src/sim.

namespace stator::test {

struct ReadAnswer {
  bool ok = false;
  Error error;
  node::Evidence evidence;
  NodeId fastest;
  std::vector<std::string> values;  // of the living versions
  Context context;
  std::string object_bytes;
};
struct WriteAnswer {
  Outcome outcome = Outcome::kUnknown;
  Error error;
  node::Evidence evidence;
  WriteId id;
  Context context;
  Hlc time;
};

class Cluster {
 public:
  /// Changes what every node is started with.
  using Tune = std::function<void(node::NodeOptions&)>;
  explicit Cluster(std::uint64_t seed, unsigned nodes, std::uint8_t n = 3, std::uint8_t r = 2,
                   std::uint8_t w = 2, std::uint32_t q = 64, Tune tune = {}, unsigned shards = 1);

  [[nodiscard]] sim::World& world() { return world_; }
  [[nodiscard]] unsigned size() const { return static_cast<unsigned>(hosts_.size()); }
  [[nodiscard]] sim::Host& host(unsigned i) { return *hosts_[i]; }
  /// The node that runs on host `i`; it must run.
  [[nodiscard]] node::Node& node(unsigned i) { return *nodes_[i]; }
  [[nodiscard]] node::Store& store(unsigned i) { return nodes_[i]->store(0); }
  [[nodiscard]] unsigned shards() const { return shards_; }
  /// Of every node; none may run.
  void set_shards(unsigned shards) { shards_ = shards; }
  void start(unsigned i);
  /// The same of one that may refuse: what it says then, and no process is left; nothing when it
  /// runs.
  std::string try_start(unsigned i);
  /// Ends the node on host `i` in order; its process goes on without it, and can be killed.
  std::shared_ptr<bool> begin_stop(unsigned i);
  /// The node on host `i` is there and takes requests.
  [[nodiscard]] bool runs(unsigned i) const { return nodes_[i] != nullptr; }
  void run(Duration time) { world_.run_for(time); }
  /// Runs until `done`, at most `limit`; true when done.
  bool run_until(const std::function<bool()>& done, Duration limit = seconds(30));

  /// Begins a request on node `i`, which must run, in a turn of its own, on one shard after the
  /// other; `done` is called in the turn that answers it, never if the node dies before.
  void read_then(unsigned i, std::string key, node::ReadQuorum quorum,
                 std::function<void(ReadAnswer)> done);
  void write_then(unsigned i, std::string key, std::string value, const Context* context,
                  node::WriteKind kind, node::WriteQuorum quorum, WriteId id, bool tombstone,
                  std::function<void(WriteAnswer)> done);
  /// Any other request, in the same way.
  void ask(unsigned i, std::function<void(node::Store&)> request);
  /// The same; the answer stands in the result when it came.
  std::shared_ptr<std::optional<ReadAnswer>> begin_read(unsigned i, std::string key,
                                                        node::ReadQuorum quorum = {});
  std::shared_ptr<std::optional<WriteAnswer>> begin_write(
      unsigned i, std::string key, std::string value, const Context* context,
      node::WriteKind kind = node::WriteKind::kWithContext, node::WriteQuorum quorum = {},
      WriteId id = {}, bool tombstone = false);
  ReadAnswer read(unsigned i, const std::string& key, node::ReadQuorum quorum = {});
  WriteAnswer write(unsigned i, const std::string& key, const std::string& value,
                    const Context* context = nullptr,
                    node::WriteKind kind = node::WriteKind::kWithContext,
                    node::WriteQuorum quorum = {}, WriteId id = {}, bool tombstone = false);
  /// Indices of the owners of a key, in preference order.
  std::vector<unsigned> owners(const std::string& key);
  /// What node `i` itself holds of the key.
  std::string local_object(unsigned i, const std::string& key);
  /// Cuts or heals both directions between two nodes.
  void set_cut(unsigned a, unsigned b, bool cut);
  /// Cuts node `i` off from all others, or connects it again.
  void set_isolated(unsigned i, bool isolated);
  /// Every shard of every node believes that every other node is healthy.
  [[nodiscard]] bool all_healthy();
  /// Runs until all_healthy(); asserted.
  void settle();
  /// Sum of one metric over the shards of a node, and over all nodes that run.
  [[nodiscard]] std::uint64_t count(unsigned i, std::uint64_t node::Metrics::* metric);
  [[nodiscard]] std::uint64_t total(std::uint64_t node::Metrics::* metric);

 private:
  class NodeProgram;
  node::NodeOptions options_of(unsigned i) const;

  Founding founding_;
  Tune tune_;
  unsigned shards_;
  unsigned next_shard_ = 0;
  std::vector<sim::Host*> hosts_;
  std::vector<node::Node*> nodes_;
  sim::World world_;  // last: its processes end first, and say so in `nodes_`
};

}  // namespace stator::test

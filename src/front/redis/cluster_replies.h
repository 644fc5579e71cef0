#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "env/network.h"
#include "node/store.h"

namespace stator::redis {

/// A run of slots and the member that is published for it.
struct SlotRun {
  std::uint16_t first = 0;
  std::uint16_t last = 0;  // included
  std::uint16_t member = 0;
};

/// The runs of slots that clients are told: each goes to the first healthy node of its preference
/// list (design 2.4); where that node's address is not known, to this node, since every node serves
/// every key. Neighbouring partitions of one node are one run. Empty when this node is no member.
[[nodiscard]] std::vector<SlotRun> slot_runs(const node::ClusterView& view);

/// An address that a client could use: a host and a port other than 0.
[[nodiscard]] bool usable_address(std::string_view text, env::Address& out);

/// The answers to CLUSTER SLOTS, SHARDS and NODES, made once for each state of the cluster. One per
/// shard.
class ClusterReplies {
 public:
  [[nodiscard]] std::string_view slots(const node::ClusterView& view);
  [[nodiscard]] std::string_view shards(const node::ClusterView& view, int protocol);
  /// The text, without its frame.
  [[nodiscard]] std::string_view nodes(const node::ClusterView& view);

 private:
  void refresh(const node::ClusterView& view);

  std::uint64_t made_of_ = 0;  // hash of what the answers depend on; 0: nothing was made
  std::vector<SlotRun> runs_;
  std::string slots_;
  std::string shards_[2];
  std::string nodes_;
};

}  // namespace stator::redis

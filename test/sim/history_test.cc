// What a node does with a membership history that a peer has told it (paper 4.8.1; D22, D24). How
// it comes to be told: src/node/frame_check_test.cc.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "cluster.h"
#include "node/stored_history.h"

namespace stator::test {
namespace {

/// The same founding, and a change of a kind that a later version brings: kept and passed on.
History with_a_later_change(const History& history) {
  constexpr std::size_t kCountAt = 1;  // behind the format
  std::string bytes;
  history.encode(bytes);
  STATOR_ASSERT(bytes[kCountAt] == 1);
  bytes[kCountAt] = 2;
  append_u64(bytes, 2);  // logical time
  append_u64(bytes, history.founding().founders.front().id.value);
  append_u8(bytes, 200);  // kind
  append_sized(bytes, "what only a later version understands");
  auto longer = History::decode(bytes);
  STATOR_ASSERT(longer.has_value());
  return std::move(*longer);
}

class ToldHistory : public testing::Test {
 protected:
  static constexpr unsigned kShards = 2;

  /// As one shard of a node does that was told it.
  void tell(unsigned node, unsigned shard, const History& history) {
    node::ShardHost& host = cluster.node(node);
    cluster.host(node).process()->loop(shard).post(
        [&host, shard, given = std::make_unique<History>(history)] {
          host.on_history(shard, std::move(*given));
        });
  }
  /// Every shard of the node goes by it, and it stands in both copies on its disk.
  bool has(unsigned node, const History& history) {
    for (unsigned shard = 0; shard < kShards; ++shard) {
      const auto& topology = *cluster.node(node).shard(shard).context().topology;
      if (topology.version() != history.version()) return false;
    }
    for (const char* name : node::kHistoryFiles) {
      const auto file = cluster.host(node).disk().find(std::string("/data/") + name);
      const auto stored = node::unseal_history(file->bytes());
      if (!stored || stored->version() != history.version()) return false;
    }
    return true;
  }

  Cluster cluster{41, 3, 3, 2, 2, 64, {}, kShards};
  const History known = cluster.node(0).shard(0).context().topology->history;
  const History longer = with_a_later_change(known);
};

TEST_F(ToldHistory, IsKeptOnDiskAndToldToAllShards) {
  ASSERT_NE(longer.version(), known.version());
  for (unsigned node = 0; node < 3; ++node) {
    EXPECT_TRUE(has(node, known));
    tell(node, 1, longer);
  }
  EXPECT_TRUE(
      cluster.run_until([&] { return has(0, longer) && has(1, longer) && has(2, longer); }));
  cluster.settle();
  EXPECT_EQ(cluster.write(0, "k", "v").outcome, Outcome::kOk);
  EXPECT_EQ(cluster.read(1, "k").values, std::vector<std::string>{"v"});
}

TEST_F(ToldHistory, OutlivesTheProcess) {
  for (unsigned node = 0; node < 3; ++node) tell(node, 0, longer);
  ASSERT_TRUE(
      cluster.run_until([&] { return has(0, longer) && has(1, longer) && has(2, longer); }));
  cluster.host(0).crash();
  cluster.run(milliseconds(100));
  cluster.start(0);  // with the line that founded it, which knows less
  cluster.settle();
  EXPECT_TRUE(has(0, longer));
}

TEST_F(ToldHistory, ThatIsShorterOrOfAnotherClusterChangesNothing) {
  tell(0, 0, longer);
  ASSERT_TRUE(cluster.run_until([&] { return has(0, longer); }));
  Founding founding;
  founding.cluster_id = "another";
  founding.founders.push_back({.name = "n1", .peer_address = "n1:7381"});
  ASSERT_TRUE(complete_founding(founding));
  tell(0, 1, known);
  tell(0, 1, History::found(founding));
  cluster.run(seconds(1));
  EXPECT_TRUE(has(0, longer));
}

// What a restart would forget must not be acted upon (D24).
TEST_F(ToldHistory, ThatCannotBeStoredIsNotGoneBy) {
  cluster.host(0).disk().faults.write_fails = 1;
  tell(0, 1, longer);
  cluster.run(seconds(1));
  EXPECT_EQ(cluster.node(0).shard(0).context().topology->version(), known.version());
  EXPECT_EQ(cluster.node(0).shard(1).context().topology->version(), known.version());
  cluster.host(0).disk().faults.write_fails = 0;
  tell(0, 1, longer);
  EXPECT_TRUE(cluster.run_until([&] { return has(0, longer); }));
}

}  // namespace
}  // namespace stator::test

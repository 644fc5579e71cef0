// D3: the disk of a node is copied, and the copy started beside the original. Each is a process of
// its own with an incarnation of its own, so that no event is named twice (D1); but which of them
// has what the node says that it has? The one that answers where its peers dial it.

#include <gtest/gtest.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cluster.h"

namespace stator::test {
namespace {

/// A node as it is started on a disk that holds one already.
class Copy final : public sim::Program {
 public:
  Copy(std::span<env::Env> shards, const std::string& name, const std::string& host) {
    node::NodeOptions options;
    options.name = name;
    options.data_directory = "/data";
    options.engine = {.name = "memory", .journal = true};
    options.peer_listen = {host, 7381};
    auto opened = node::Node::open({shards.begin(), shards.end()}, options);
    STATOR_ASSERT(opened.has_value());
    node_ = std::move(*opened);
    const auto started = node_->start();
    STATOR_ASSERT(started.has_value());
    node_->announce({host, 7379}, {host, 7380});
  }

 private:
  std::unique_ptr<node::Node> node_;
};

// On the machine of `where`, which loses what it was.
void start_copy(Cluster& cluster, unsigned of, unsigned where) {
  cluster.host(where).kill();
  cluster.host(where).disk().become_copy_of(cluster.host(of).disk());
  const std::string name = "n" + std::to_string(of + 1);
  const std::string host = "n" + std::to_string(where + 1);
  cluster.host(where).start(cluster.shards(), [name, host](std::span<env::Env> shards) {
    return std::make_unique<Copy>(shards, name, host);
  });
}

node::MemberView seen_by(Cluster& cluster, unsigned who, unsigned of) {
  const std::string name = "n" + std::to_string(of + 1);
  for (const node::MemberView& member : cluster.store(who).cluster().members) {
    if (member.name == name) return member;
  }
  return {};
}

TEST(TwoProcesses, ACopyThatRunsBesideItsOriginalIsRefusedAndTheOriginalGoesOn) {
  for (const unsigned shards : {1U, 3U}) {
    SCOPED_TRACE(shards);
    Cluster cluster(70 + shards, 4, 3, 2, 2, 64, {}, shards);
    cluster.run(seconds(2));
    ASSERT_EQ(cluster.write(1, "before", "v").outcome, Outcome::kOk);
    start_copy(cluster, 0, 3);
    cluster.run(seconds(30));
    for (const unsigned other : {1U, 2U}) {
      EXPECT_FALSE(seen_by(cluster, other, 0).fenced);
      EXPECT_TRUE(seen_by(cluster, other, 0).healthy);
      EXPECT_TRUE(seen_by(cluster, other, 0).copy_refused);
      EXPECT_EQ(cluster.count(other, &node::Metrics::peers_fenced_total), 1U);
      EXPECT_GT(cluster.count(other, &node::Metrics::frames_fenced_total), 0U);
    }
    EXPECT_FALSE(cluster.store(0).status().fenced);
    EXPECT_EQ(cluster.write(0, "during", "v").outcome, Outcome::kOk);
    for (int i = 0; i < 10; ++i) {
      const std::string key = "k" + std::to_string(i);
      EXPECT_EQ(cluster.write(1, key, "v").outcome, Outcome::kOk) << key;
      EXPECT_TRUE(cluster.read(2, key).ok) << key;
    }
    cluster.host(3).kill();
    cluster.run(seconds(20));
    EXPECT_FALSE(seen_by(cluster, 1, 0).copy_refused) << "it has ended";
    cluster.host(0).kill();
    cluster.start(0);
    const auto trusted = [&](unsigned by) {
      const node::MemberView seen = seen_by(cluster, by, 0);
      return seen.healthy && !seen.fenced;
    };
    cluster.run(seconds(15));
    EXPECT_TRUE(trusted(1));
    EXPECT_TRUE(trusted(2));
    EXPECT_FALSE(cluster.store(0).status().fenced);
    EXPECT_EQ(cluster.write(0, "mine", "v").outcome, Outcome::kOk);
    EXPECT_EQ(cluster.read(0, "before").values, std::vector<std::string>{"v"});
  }
}

// A whole cluster is cloned to another place, say for tests. Each clone dials production.
TEST(TwoProcesses, CopiesOfAllNodesDoNotTakeTheClusterOutOfService) {
  Cluster cluster(75, 6, 3, 2, 2, 64, {});
  cluster.run(seconds(2));
  for (const unsigned node : {0U, 1U, 2U}) start_copy(cluster, node, node + 3);
  cluster.run(seconds(60));
  for (const unsigned node : {0U, 1U, 2U}) {
    EXPECT_FALSE(cluster.store(node).status().fenced);
    EXPECT_EQ(cluster.count(node, &node::Metrics::peers_fenced_total), 2U);
    for (const unsigned other : {0U, 1U, 2U}) {
      if (other != node) {
        EXPECT_TRUE(seen_by(cluster, node, other).healthy);
      }
    }
    const std::string key = "k" + std::to_string(node);
    EXPECT_EQ(cluster.write(node, key, "v").outcome, Outcome::kOk);
    EXPECT_TRUE(cluster.read(node, key).ok);
  }
}

// Frames of each process come late, twice, and a minute later, while its successors run.
TEST(TwoProcesses, NoRestartIsTakenForACopy) {
  for (const unsigned shards : {1U, 2U}) {
    SCOPED_TRACE(shards);
    Cluster cluster(80 + shards, 3, 3, 2, 2, 64, {}, shards);
    sim::NetworkFaults faults;
    faults.replay = 0.3;
    faults.duplicate = 0.05;
    faults.reorder = 0.05;
    faults.reset = 0.01;
    cluster.world().wire().set_faults(faults);
    for (int round = 0; round < 12; ++round) {
      cluster.run(milliseconds(300 + 700 * (round % 4)));
      cluster.host(0).kill();
      cluster.run(milliseconds(10 * round));
      cluster.start(0);
    }
    cluster.run(seconds(60));
    EXPECT_GT(cluster.world().wire().counters().replayed, 100U);
    EXPECT_EQ(cluster.count(1, &node::Metrics::peers_fenced_total), 0U);
    EXPECT_EQ(cluster.count(2, &node::Metrics::peers_fenced_total), 0U);
  }
}

}  // namespace
}  // namespace stator::test

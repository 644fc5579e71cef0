#include <gtest/gtest.h>

#include "cluster.h"
#include "node/metrics.h"

// Disks that fill up under a running cluster (D29, G20).

namespace stator::test {
namespace {

constexpr std::uint64_t kKiB = 1024;
constexpr std::uint64_t kRoomy = 1ULL << 40;

class FullDisk : public ::testing::Test {
 protected:
  /// From now on so much more fits on the disk of node `i`.
  void leave(unsigned i, std::uint64_t bytes) {
    sim::DiskImage& disk = cluster_.host(i).disk();
    disk.faults.capacity = bytes == kRoomy ? kRoomy : disk.used_bytes() + bytes;
  }
  bool no_write(unsigned i) { return cluster_.store(i).status().no_write; }
  bool seen_by_all(unsigned full, bool no_write) {
    for (unsigned i = 0; i < cluster_.size(); ++i) {
      for (const auto& member : cluster_.store(i).cluster().members) {
        if (member.name == "n" + std::to_string(full + 1) && member.no_write != no_write) {
          return false;
        }
      }
    }
    return true;
  }
  WriteAnswer put(unsigned node, int key, const std::string& value) {
    return cluster_.write(node, "key" + std::to_string(key), value, nullptr,
                          node::WriteKind::kOverAll);
  }
  void expect_value(unsigned node, int key, const std::string& value) {
    const ReadAnswer answer = cluster_.read(node, "key" + std::to_string(key));
    ASSERT_TRUE(answer.ok) << key;
    EXPECT_EQ(answer.values, std::vector<std::string>{value}) << key;
  }

  static void tune(node::NodeOptions& options) {
    options.disk.marks = {.low = 800 * kKiB, .refuse = 400 * kKiB, .read_only = 200 * kKiB};
  }
  Cluster cluster_{11, 3, 3, 2, 2, 64, &tune};
};

TEST_F(FullDisk, OfOneNodeFailsNoWriteAndTheNodeComesBackByItself) {
  ASSERT_EQ(put(0, 1, "old").outcome, Outcome::kOk);
  leave(0, 300 * kKiB);
  const MonoTime full = cluster_.world().now();
  ASSERT_TRUE(cluster_.run_until([&] { return seen_by_all(0, true); }));
  EXPECT_LE(cluster_.world().now() - full, seconds(1));
  EXPECT_TRUE(no_write(0));
  const std::uint64_t forwarded = cluster_.count(0, &node::Metrics::writes_forwarded_total);
  for (int key = 0; key < 60; ++key) {
    const WriteAnswer answer = put(static_cast<unsigned>(key) % 3, key, "new");
    ASSERT_EQ(answer.outcome, Outcome::kOk) << key;
    EXPECT_EQ(answer.evidence.nodes, 2);
    EXPECT_EQ(cluster_.local_object(0, "key" + std::to_string(key)).empty(), key != 1);
  }
  EXPECT_EQ(cluster_.count(0, &node::Metrics::writes_forwarded_total), forwarded + 20);
  for (int key = 0; key < 60; ++key) expect_value(0, key, "new");

  leave(0, kRoomy);
  ASSERT_TRUE(cluster_.run_until([&] { return seen_by_all(0, false); }));
  EXPECT_FALSE(no_write(0));
  const WriteAnswer answer = put(0, 100, "v");
  EXPECT_EQ(answer.outcome, Outcome::kOk);
  cluster_.run(seconds(1));
  EXPECT_FALSE(cluster_.local_object(0, "key100").empty());
}

TEST_F(FullDisk, OfAllNodesRefusesWritesCleanlyAndServesReads) {
  for (int key = 0; key < 30; ++key) ASSERT_EQ(put(0, key, "old").outcome, Outcome::kOk);
  for (unsigned i = 0; i < 3; ++i) leave(i, 300 * kKiB);
  cluster_.run(seconds(2));
  for (int key = 0; key < 30; ++key) {
    const WriteAnswer answer = put(static_cast<unsigned>(key) % 3, key, "new");
    EXPECT_EQ(answer.outcome, Outcome::kNotApplied);
    EXPECT_EQ(answer.error.code, ErrorCode::kDiskFull);
  }
  for (int key = 0; key < 30; ++key) expect_value(static_cast<unsigned>(key) % 3, key, "old");
  for (unsigned i = 0; i < 3; ++i) leave(i, kRoomy);
  cluster_.run(seconds(2));
  for (int key = 0; key < 30; ++key) {
    EXPECT_EQ(put(static_cast<unsigned>(key) % 3, key, "new").outcome, Outcome::kOk);
    expect_value(0, key, "new");
  }
}

TEST_F(FullDisk, ANodeThatStartsOnOneRefusesFromItsFirstTurnOn) {
  cluster_.host(0).kill();
  leave(0, 300 * kKiB);
  cluster_.start(0);
  cluster_.settle();
  EXPECT_TRUE(no_write(0));
  EXPECT_EQ(put(0, 1, "v").outcome, Outcome::kOk);
  EXPECT_TRUE(cluster_.local_object(0, "key1").empty());
}

TEST_F(FullDisk, OfANodeThatLeavesDoesNotMakeItStay) {
  cluster_.host(0).process()->loop().post([this] { cluster_.node(0).leave(); });
  cluster_.run(milliseconds(100));
  leave(0, 300 * kKiB);
  ASSERT_TRUE(cluster_.run_until([&] { return seen_by_all(0, true); }));
  cluster_.run(seconds(1));
  for (unsigned i = 1; i < 3; ++i) {
    for (const auto& member : cluster_.store(i).cluster().members) {
      EXPECT_EQ(member.leaving, member.name == "n1");
    }
  }
}

// Without marks: the engine itself meets the end of the disk.
TEST(FullEngine, IsTriedByItsNodeUntilItWritesAgain) {
  Cluster cluster(12, 3);
  sim::DiskImage& disk = cluster.host(0).disk();
  disk.faults.capacity = disk.used_bytes() + 50 * kKiB;
  const auto put = [&](unsigned node, int key) {
    return cluster.write(node, "key" + std::to_string(key), std::string(2000, 'v'), nullptr,
                         node::WriteKind::kOverAll);
  };
  for (int key = 0; key < 100; ++key) {
    ASSERT_EQ(put(static_cast<unsigned>(key) % 3, key).outcome, Outcome::kOk) << key;
  }
  cluster.run(seconds(1));
  EXPECT_TRUE(cluster.store(0).status().no_write);
  EXPECT_EQ(cluster.store(0).status().disk, DiskState::kFull);
  disk.faults.capacity = kRoomy;
  ASSERT_TRUE(cluster.run_until([&] { return !cluster.store(0).status().no_write; }));
  EXPECT_EQ(cluster.store(0).status().disk, DiskState::kRoomy);
  ASSERT_EQ(put(0, 200).outcome, Outcome::kOk);
  cluster.run(seconds(1));
  EXPECT_FALSE(cluster.local_object(0, "key200").empty());
}

}  // namespace
}  // namespace stator::test

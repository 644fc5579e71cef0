#include <gtest/gtest.h>

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/hash.h"
#include "env_sim/world.h"
#include "node/node.h"

// What a node says that cannot start, to whoever has to do something about it.

namespace stator::test {
namespace {

/// Opens a node on /data, and ends.
class Opener final : public sim::Program {
 public:
  Opener(std::span<env::Env> shards, std::vector<Error>& refusals, int& opened) {
    node::NodeOptions options;
    options.name = "n1";
    options.data_directory = "/data";
    options.engine = {.name = "memory", .journal = true};
    options.peer_listen = {"n1", 7381};
    options.found = true;
    options.founding.cluster_id = "test";
    options.founding.q = 64;
    options.founding.n = options.founding.r = options.founding.w = 1;
    options.founding.founders.push_back({.name = "n1", .peer_address = "n1:7381"});
    const auto complete = complete_founding(options.founding);
    STATOR_ASSERT(complete.has_value());
    auto node = node::Node::open({shards.begin(), shards.end()}, options);
    if (node) {
      node_ = std::move(*node);
      ++opened;
    } else {
      refusals.push_back(node.error());
    }
  }

 private:
  std::unique_ptr<node::Node> node_;
};

class RefusedStart : public testing::Test {
 protected:
  /// Starts the node, and kills it whether it opened or not.
  void start() {
    host.start(1, [this](std::span<env::Env> shards) {
      return std::make_unique<Opener>(shards, refusals, opened);
    });
    world.run_for(milliseconds(200));
    host.kill();
    world.run_for(milliseconds(10));
  }
  void overwrite(const std::string& path, const std::string& bytes) {
    const auto file = host.disk().find(path);
    file->truncate(0);
    file->write(0, bytes);
    host.disk().sync_all();
  }

  std::vector<Error> refusals;
  int opened = 0;
  sim::World world{7};
  sim::Host& host = world.add_host("n1");
};

// D30: what a disk does not give is not known to be damaged, and what stands there may be the last
// copy of something: nobody is told to start with an empty directory.
TEST_F(RefusedStart, ADiskThatFailsIsNotCalledDamaged) {
  start();
  ASSERT_EQ(opened, 1);
  host.disk().faults.read_fails = 0.6;
  for (int i = 0; i < 200; ++i) start();
  EXPECT_GT(opened, 1);
  EXPECT_GT(refusals.size(), 50U);
  for (const Error& refusal : refusals) {
    EXPECT_EQ(refusal.code, ErrorCode::kIo) << refusal.detail;
    EXPECT_EQ(refusal.detail.find("empty"), std::string::npos) << refusal.detail;
  }
  host.disk().faults = {};
  const int before = opened;
  start();
  EXPECT_EQ(opened, before + 1);
}

// D24, D36: a downgrade is undone by the program that it came from, not by an empty directory.
TEST_F(RefusedStart, AHistoryOfALaterVersionIsNotCalledDamagedAndIsLeftAlone) {
  start();
  ASSERT_EQ(opened, 1);
  std::string body(1, '\x02');  // the format
  body += "of a later version";
  std::string later;
  append_u64(later, hash64(body));
  later += body;
  const std::string right = host.disk().find("/data/history")->bytes();
  ASSERT_EQ(host.disk().find("/data/history.copy")->bytes(), right);
  // That version may have been stopped between its two copies.
  for (const auto& [first, second] :
       {std::pair{later, later}, std::pair{later, right}, std::pair{right, later}}) {
    overwrite("/data/history", first);
    overwrite("/data/history.copy", second);
    start();
    EXPECT_EQ(opened, 1);
    ASSERT_EQ(refusals.size(), 1U);
    EXPECT_EQ(refusals[0].code, ErrorCode::kNotSupported);
    EXPECT_NE(refusals[0].detail.find("format 2"), std::string::npos) << refusals[0].detail;
    EXPECT_TRUE(refusals[0].detail.ends_with(": start the version of stator that wrote it"))
        << refusals[0].detail;
    EXPECT_EQ(host.disk().find("/data/history")->bytes(), first);
    EXPECT_EQ(host.disk().find("/data/history.copy")->bytes(), second);
    refusals.clear();
  }
  overwrite("/data/history", right);
  overwrite("/data/history.copy", right);
  start();
  EXPECT_EQ(opened, 2);
}

// Somebody has put files of two nodes together.
TEST_F(RefusedStart, CopiesOfTwoClustersAreNamedWithWhatToDo) {
  start();
  ASSERT_EQ(opened, 1);
  Founding other;
  other.cluster_id = "other";
  other.founders.push_back({.name = "n1", .peer_address = "n1:7381"});
  ASSERT_TRUE(complete_founding(other));
  std::string body;
  History::found(other).encode(body);
  std::string foreign;
  append_u64(foreign, hash64(body));
  foreign += body;
  overwrite("/data/history.copy", foreign);
  start();
  EXPECT_EQ(opened, 1);
  ASSERT_EQ(refusals.size(), 1U);
  EXPECT_EQ(refusals[0].code, ErrorCode::kConflict);
  EXPECT_TRUE(refusals[0].detail.starts_with("/data/history.copy: ")) << refusals[0].detail;
  EXPECT_NE(refusals[0].detail.find("from a backup"), std::string::npos) << refusals[0].detail;
  EXPECT_EQ(host.disk().find("/data/history.copy")->bytes(), foreign);
}

}  // namespace
}  // namespace stator::test

#include <gtest/gtest.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

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

// D30: what a disk does not give is not known to be damaged, and what stands there may be the last
// copy of something: nobody is told to start with an empty directory.
TEST(RefusedStart, ADiskThatFailsIsNotCalledDamaged) {
  sim::World world(7);
  sim::Host& host = world.add_host("n1");
  std::vector<Error> refusals;
  int opened = 0;
  const auto start = [&] {
    host.start(1, [&](std::span<env::Env> shards) {
      return std::make_unique<Opener>(shards, refusals, opened);
    });
    world.run_for(milliseconds(200));
    host.kill();
    world.run_for(milliseconds(10));
  };
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

}  // namespace
}  // namespace stator::test

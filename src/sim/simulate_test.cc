#include "sim/simulate.h"

#include <gtest/gtest.h>

#include <map>

namespace stator::sim {
namespace {

TEST(Simulate, NodesAreANumberOrARange) {
  EXPECT_EQ(*parse_nodes("5"), (NodeRange{5, 5}));
  EXPECT_EQ(*parse_nodes("3-9"), (NodeRange{3, 9}));
  EXPECT_EQ(*parse_nodes("1-32"), (NodeRange{1, 32}));
  for (const char* wrong : {"", "0", "33", "9-3", "3-", "-3", "3-9-11", "3-33", "five", "5 "}) {
    EXPECT_FALSE(parse_nodes(wrong)) << wrong;
  }
}

TEST(Simulate, EachSeedDrawsItsNodesAndTheLineThatRepeatsItNamesThem) {
  SimulateOptions options;
  options.nodes = {3, 9};
  std::map<std::uint32_t, int> drawn;
  for (std::uint64_t seed = 0; seed < 700; ++seed) {
    const RunOptions run = run_of(options, kAllFaults, seed);
    ++drawn[run.nodes];
    SimulateOptions again = options;
    again.nodes = {run.nodes, run.nodes};
    EXPECT_EQ(reproduce_line(options, seed), reproduce_line(again, seed));
  }
  ASSERT_EQ(drawn.size(), 7U);
  EXPECT_EQ(drawn.begin()->first, 3U);
  for (const auto& [nodes, count] : drawn) EXPECT_GT(count, 50) << nodes;
  options.nodes = {4, 4};
  EXPECT_NE(reproduce_line(options, 7).find(" --nodes 4 "), std::string::npos);
}

TEST(Simulate, AGroupIsSwarmedAndWhatIsNamedIsNot) {
  SimulateOptions options;
  for (const char* group : {"all", "disks"}) {
    options.faults = group;
    EXPECT_TRUE(run_of(options, *parse_faults(group), 1).swarm) << group;
  }
  for (const char* names : {"none", "full", "full,rot"}) {
    options.faults = names;
    EXPECT_FALSE(run_of(options, *parse_faults(names), 1).swarm) << names;
  }
}

TEST(Simulate, TheEndSaysForPeopleWhetherItWasGood) {
  RunReport good;
  good.shards = {1};
  RunReport broken = good;
  broken.violations = {"I1: key 3: a write is not there"};
  Summary summary;
  for (int i = 0; i < 3; ++i) summary.add(good);
  EXPECT_TRUE(summary.sound());
  EXPECT_EQ(summary.conclusion(), "3 of 3 seeds kept every promise");
  summary.add(broken);
  EXPECT_FALSE(summary.sound());
  EXPECT_TRUE(summary.conclusion().starts_with("3 of 4 seeds kept every promise; "));
}

TEST(Simulate, ASeedThatIsBrokenAndDiffersIsOneSeed) {
  RunReport broken;
  broken.shards = {1};
  broken.violations = {"I1: key 3: a write is not there"};
  Summary summary;
  summary.add(broken);
  summary.add_second(false);
  EXPECT_TRUE(summary.conclusion().starts_with("0 of 1 seeds kept every promise; "));
}

}  // namespace
}  // namespace stator::sim

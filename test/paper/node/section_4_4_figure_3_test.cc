// Paper 4.4, Figure 3 on three running nodes (V3): the version evolution of an object over time.
//
// The paper counts each node's updates of the object from 1. Our actor is one run of a process and
// one life of its record, and its counters count all mints of that process in the partition. So an
// actor is shown as the node that it belongs to, and a counter as its rank among that node's writes
// of the object; writes of a neighbour key see to it that the two differ.

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "support.h"

namespace stator::test {
namespace {

constexpr unsigned kSx = 0;
constexpr unsigned kSy = 1;
constexpr unsigned kSz = 2;
constexpr const char* kNames[] = {"Sx", "Sy", "Sz"};

class Figure3 : public testing::Test {
 protected:
  // One hash tag: both keys are in one partition.
  const std::string key = "{cart}";
  const std::string neighbour = "{cart}neighbour";

  Figure3() { write_neighbour(); }

  void write_neighbour() {
    for (unsigned i = 0; i < 3; ++i) {
      for (unsigned k = 0; k <= i; ++k) cluster.write(i, neighbour, "n");
    }
  }

  /// A put that node `i` coordinates: every node owns every key here.
  WriteAnswer put(unsigned i, const std::string& value, const Context* context,
                  node::WriteQuorum quorum = {}) {
    WriteAnswer answer =
        cluster.write(i, key, value, context, node::WriteKind::kWithContext, quorum);
    EXPECT_EQ(answer.outcome, Outcome::kOk) << value;
    const Dot own = answer.context.seen.back().dot;
    EXPECT_EQ(name_of(own.actor), kNames[i]);
    counters_[own.actor].push_back(own.counter);
    return answer;
  }

  std::string name_of(const Actor& actor) {
    for (unsigned i = 0; i < 3; ++i) {
      const node::ClusterView& view = cluster.store(i).cluster();
      for (const node::MemberView& member : view.members) {
        if (member.self && member.incarnation == actor.incarnation.value) {
          return kNames[i];
        }
      }
    }
    return "?";
  }

  /// As the paper prints it.
  std::string printed(const Clock& clock) {
    std::map<std::string, std::size_t> entries;
    for (const Dot& dot : clock.entries()) {
      const std::vector<std::uint64_t>& known = counters_[dot.actor];
      const auto rank = std::upper_bound(known.begin(), known.end(), dot.counter) - known.begin();
      // An actor is one life of one record here: no node may appear twice.
      EXPECT_TRUE(entries.emplace(name_of(dot.actor), rank).second);
      EXPECT_EQ(known.at(static_cast<std::size_t>(rank) - 1), dot.counter);
    }
    std::string text = "[";
    for (const auto& [name, rank] : entries) {
      if (text.size() > 1) text += ",";
      text += "(" + name + "," + std::to_string(rank) + ")";
    }
    return text + "]";
  }
  std::string printed(const Context& context) {
    Clock clock = context.clock;
    for (const SeenVersion& seen : context.seen) clock.add(seen.dot);
    return printed(clock);
  }

  /// What node `i` holds: values and clock.
  std::string held_by(unsigned i) {
    Object object;
    const std::string bytes = cluster.local_object(i, key);
    EXPECT_TRUE(decode_object(bytes, object));
    EXPECT_TRUE(object.cloud.empty());
    std::vector<std::string> values;
    for (const Version& version : object.versions) values.emplace_back(version.value);
    std::string text;
    for (const std::string& value : sorted(values)) text += value + " ";
    return text + printed(object.clock);
  }
  void expect_held_by_all(const std::string& text) {
    for (unsigned i = 0; i < 3; ++i) EXPECT_EQ(held_by(i), text) << "node " << i;
  }

  Cluster cluster{33, 3};

 private:
  std::map<Actor, std::vector<std::uint64_t>> counters_;
};

TEST_F(Figure3, TheClocksOfD1ToD5AreAsPrinted) {
  const WriteAnswer d1 = put(kSx, "D1", nullptr);
  EXPECT_EQ(printed(d1.context), "[(Sx,1)]");
  cluster.run(seconds(1));
  expect_held_by_all("D1 [(Sx,1)]");

  write_neighbour();
  const WriteAnswer d2 = put(kSx, "D2", &d1.context);
  EXPECT_EQ(printed(d2.context), "[(Sx,2)]");
  cluster.run(seconds(1));
  expect_held_by_all("D2 [(Sx,2)]");

  // The same client goes on through Sy, which nobody else reaches; another one, which has read D2
  // too, through Sz.
  const ReadAnswer one = cluster.read(kSy, key);
  const ReadAnswer other = cluster.read(kSz, key);
  cluster.set_isolated(kSy, true);
  cluster.run(seconds(2));
  const WriteAnswer d3 = put(kSy, "D3", &one.context, {.w = 1});
  EXPECT_EQ(printed(d3.context), "[(Sx,2),(Sy,1)]");
  EXPECT_EQ(held_by(kSy), "D3 [(Sx,2),(Sy,1)]");
  const WriteAnswer d4 = put(kSz, "D4", &other.context);
  EXPECT_EQ(printed(d4.context), "[(Sx,2),(Sz,1)]");
  EXPECT_EQ(held_by(kSz), "D4 [(Sx,2),(Sz,1)]");
  // Sx knew D2 and was sent D4: D2 is gone.
  EXPECT_EQ(held_by(kSx), "D4 [(Sx,2),(Sz,1)]");

  // A reader of both gets both, and one context for them; Sy, which has D3, keeps it beside D4.
  cluster.set_isolated(kSy, false);
  cluster.settle();
  const ReadAnswer both = cluster.read(kSy, key, {.r = 3});
  EXPECT_EQ(sorted(both.values), (std::vector<std::string>{"D3", "D4"}));
  EXPECT_EQ(printed(both.context), "[(Sx,2),(Sy,1),(Sz,1)]");
  cluster.run(seconds(1));
  expect_held_by_all("D3 D4 [(Sx,2),(Sy,1),(Sz,1)]");

  write_neighbour();
  const WriteAnswer d5 = put(kSx, "D5", &both.context);
  EXPECT_EQ(printed(d5.context), "[(Sx,3),(Sy,1),(Sz,1)]");
  cluster.run(seconds(1));
  expect_held_by_all("D5 [(Sx,3),(Sy,1),(Sz,1)]");
  for (unsigned i = 0; i < 3; ++i) {
    EXPECT_EQ(cluster.read(i, key).values, std::vector<std::string>{"D5"});
  }
}

TEST_F(Figure3, ANodeThatKnowsOnlyD1ForgetsItOnSeeingD4) {
  const WriteAnswer d1 = put(kSx, "D1", nullptr);
  cluster.run(seconds(1));
  cluster.set_isolated(kSy, true);
  cluster.run(seconds(2));
  put(kSx, "D2", &d1.context);
  const ReadAnswer read = cluster.read(kSz, key);
  put(kSz, "D4", &read.context);
  EXPECT_EQ(held_by(kSy), "D1 [(Sx,1)]");
  cluster.set_isolated(kSy, false);
  cluster.settle();
  EXPECT_EQ(cluster.read(kSy, key, {.r = 3}).values, std::vector<std::string>{"D4"});
  cluster.run(seconds(1));
  expect_held_by_all("D4 [(Sx,2),(Sz,1)]");
}

TEST_F(Figure3, EveryNodeGivesTheSameContextForTheSameVersions) {
  put(kSx, "D1", nullptr);
  put(kSy, "D1'", nullptr);
  cluster.run(seconds(1));
  cluster.read(kSz, key, {.r = 3});
  cluster.run(seconds(1));
  for (unsigned i = 0; i < 3; ++i) {
    EXPECT_EQ(printed(cluster.read(i, key).context), "[(Sx,1),(Sy,1)]");
  }
}

}  // namespace
}  // namespace stator::test

// Section 5, the write coordinator (V19): "always the first node of the preference list" loads the
// nodes unevenly and makes every write of a range wait for that node; so the node that answered the
// preceding get fastest coordinates the put. Both rules on the same cluster: in the first run the
// context says nothing of the fastest node, and the first owner coordinates.
//
// Puts go through nodes that do not own the key; one node is slow, not so slow that it is avoided.
// How evenly coordination is spread is measured with equal nodes: else what a rule saves the slow
// node looks like unevenness.
// Where we differ from the paper: a get asks the first R owners and not all N, so the fastest is
// one of these. With R=2 a client then reads its own writes by either rule, since both coordinators
// are among those that are asked. What is gained shows where one owner answers: the second story.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>

#include "node/metrics.h"
#include "support.h"

namespace stator::test {
namespace {

constexpr unsigned kNodes = 7;
constexpr unsigned kSlow = 0;
constexpr std::size_t kKeys = 200;
constexpr Duration kWay = microseconds(300);

struct Seen {
  Latencies puts;
  std::vector<double> coordinated = std::vector<double>(kNodes);  // by node
  unsigned own_reads = 0, own_seen = 0;

  [[nodiscard]] double spread() const {
    const double sum = std::accumulate(coordinated.begin(), coordinated.end(), 0.0);
    return *std::max_element(coordinated.begin(), coordinated.end()) / (sum / kNodes);
  }
  [[nodiscard]] double own_percent() const { return 100.0 * own_seen / own_reads; }
  void print(const char* rule) const {
    std::printf(
        "V19: %s: read-your-writes %.3f %%, puts p50 %.2f ms p99.9 %.2f ms, busiest coordinator "
        "%.2f times the mean\n",
        rule, own_percent(), puts.median(), puts.quantile(0.999), spread());
  }
};

/// Draws a rank, the first one most often (s = 1).
class Zipf {
 public:
  Zipf() {
    double sum = 0;
    for (std::size_t rank = 1; rank <= kKeys; ++rank) {
      sum += 1.0 / static_cast<double>(rank);
      sums_.push_back(sum);
    }
  }
  std::size_t draw(sim::Random& random) const {
    const double at = static_cast<double>(random.below(1'000'000)) / 1e6 * sums_.back();
    const auto found = std::upper_bound(sums_.begin(), sums_.end(), at) - sums_.begin();
    return static_cast<std::size_t>(found);
  }

 private:
  std::vector<double> sums_;
};

unsigned any_outsider(Cluster& cluster, const std::string& key, sim::Random& random) {
  const std::vector<unsigned> owners = cluster.owners(key);
  for (;;) {
    const auto node = static_cast<unsigned>(random.below(kNodes));
    if (node != kSlow && std::find(owners.begin(), owners.end(), node) == owners.end()) return node;
  }
}

void set_ways(Cluster& cluster, Duration way_to_slow) {
  for (unsigned a = 0; a < kNodes; ++a) {
    for (unsigned b = a + 1; b < kNodes; ++b) {
      set_delay(cluster, a, b, a == kSlow ? way_to_slow : kWay, microseconds(150));
    }
  }
  cluster.run(seconds(3));
}

Seen run(bool by_fastest, Duration way_to_slow) {
  Cluster cluster(519, kNodes);
  set_ways(cluster, way_to_slow);
  sim::Random random = cluster.world().random().fork("clients");
  const Zipf zipf;
  Seen seen;
  std::vector<double> before(kNodes);
  for (unsigned i = 0; i < kNodes; ++i) {
    before[i] = static_cast<double>(cluster.count(i, &node::Metrics::writes_total));
  }
  const unsigned cycles = full_size() ? 100'000 : 6'000;
  for (unsigned i = 0; i < cycles; ++i) {
    const std::string key = "key" + std::to_string(zipf.draw(random));
    const unsigned node = any_outsider(cluster, key, random);
    ReadAnswer got = cluster.read(node, key);
    EXPECT_TRUE(got.ok) << to_string(got.error.code);
    if (!by_fastest) got.context.fastest = NodeId{};
    const std::string value = "v" + std::to_string(i);
    const MonoTime began = cluster.world().now();
    Duration took{-1};
    cluster.write_then(node, key, value, &got.context, node::WriteKind::kWithContext, {.w = 1}, {},
                       false, [&](const WriteAnswer& put) {
                         EXPECT_EQ(put.outcome, Outcome::kOk) << to_string(put.error.code);
                         took = cluster.world().now() - began;
                       });
    EXPECT_TRUE(cluster.run_until([&] { return took.ns >= 0; }));
    seen.puts.add(took);
    const ReadAnswer own = cluster.read(node, key);
    ++seen.own_reads;
    seen.own_seen += std::find(own.values.begin(), own.values.end(), value) != own.values.end();
  }
  cluster.run(seconds(1));
  for (unsigned i = 0; i < kNodes; ++i) {
    seen.coordinated[i] =
        static_cast<double>(cluster.count(i, &node::Metrics::writes_total)) - before[i];
  }
  const double coordinated = std::accumulate(seen.coordinated.begin(), seen.coordinated.end(), 0.0);
  EXPECT_EQ(coordinated, cycles) << "each put has one coordinator";
  return seen;
}

/// Gets of clients beside the slow node, which owns their keys and is the first owner of none, are
/// answered by it alone; their puts reach other nodes, as a load balancer has it. So many of them
/// see what they have put, right after it was acknowledged.
unsigned own_seen_beside_slow(bool by_fastest, unsigned cycles) {
  Cluster cluster(520, kNodes);
  set_ways(cluster, milliseconds(6));
  sim::Random random = cluster.world().random().fork("clients");
  const auto write = [&](unsigned through, const std::string& key, const char* value,
                         const Context* context, std::uint8_t w) {
    const WriteAnswer put =
        cluster.write(through, key, value, context, node::WriteKind::kWithContext, {.w = w});
    EXPECT_EQ(put.outcome, Outcome::kOk) << to_string(put.error.code);
  };
  unsigned number = 0;
  unsigned seen = 0;
  for (unsigned i = 0; i < cycles; ++i) {
    std::string key;
    std::vector<unsigned> owners;
    do {
      key = "key" + std::to_string(number++);
      owners = cluster.owners(key);
    } while (std::find(owners.begin() + 1, owners.end(), kSlow) == owners.end());
    const unsigned through = any_outsider(cluster, key, random);
    write(through, key, "old", nullptr, 3);
    cluster.run(milliseconds(50));
    ReadAnswer got = cluster.read(kSlow, key, {.r = 1});
    EXPECT_EQ(got.values, std::vector<std::string>{"old"});
    if (!by_fastest) got.context.fastest = NodeId{};
    write(through, key, "new", &got.context, 1);
    seen += cluster.read(kSlow, key, {.r = 1}).values == std::vector<std::string>{"new"} ? 1U : 0U;
    cluster.run(milliseconds(50));
  }
  return seen;
}

TEST(Section5, TheNodeThatAnsweredTheGetFastestCoordinatesThePut) {  // V19
  const Seen by_first = run(false, milliseconds(6));
  const Seen by_fastest = run(true, milliseconds(6));
  by_first.print("one slow node, first node    ");
  by_fastest.print("one slow node, fastest reader");
  EXPECT_GE(by_fastest.own_percent(), by_first.own_percent());
  EXPECT_LT(by_fastest.puts.quantile(0.999), by_first.puts.quantile(0.999));
  EXPECT_LT(by_fastest.puts.mean(), by_first.puts.mean());
  EXPECT_LT(by_fastest.coordinated[kSlow], by_first.coordinated[kSlow] / 2);
  EXPECT_GT(by_first.coordinated[kSlow], 0);

  const Seen equal_first = run(false, kWay);
  const Seen equal_fastest = run(true, kWay);
  equal_first.print("equal nodes, first node      ");
  equal_fastest.print("equal nodes, fastest reader  ");
  EXPECT_LT(equal_fastest.spread(), equal_first.spread());
}

// The first owner acknowledges after some 2 ms, and its copy is 6 ms away from the reader: that one
// has it only where the sync before the acknowledgement took long, which is one in 500.
TEST(Section5, WhoReadsAtOneOwnerReadsItsOwnWriteWhereThatOneCoordinates) {  // V19
  const unsigned cycles = full_size() ? 2'000 : 100;
  const unsigned by_first = own_seen_beside_slow(false, cycles);
  const unsigned by_fastest = own_seen_beside_slow(true, cycles);
  std::printf(
      "V19: gets of one owner: of %u own writes %u are read by the first node's rule, %u by "
      "the fastest reader's\n",
      cycles, by_first, by_fastest);
  EXPECT_EQ(by_fastest, cycles);
  EXPECT_LT(by_first, cycles / 10);
}

}  // namespace
}  // namespace stator::test

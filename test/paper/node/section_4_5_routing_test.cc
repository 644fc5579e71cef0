// Paper 4.5 and 6.4: which node carries out a request (V5). Behind a generic load balancer a put
// lands on a node that does not store the key with probability 1 - N/S, and is forwarded; a client
// that knows the partitions goes straight to a node that does.

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>

#include "core/ring/position.h"
#include "node/metrics.h"
#include "support.h"

namespace stator::test {
namespace {

constexpr unsigned kN = 3;

class Routing : public testing::TestWithParam<unsigned> {
 protected:
  /// Where a client that has read the published table of node `i` sends a request for the key:
  /// the first healthy node of its partition's preference list.
  unsigned published_by(unsigned i, const std::string& key) {
    const node::ClusterView& view = cluster.store(i).cluster();
    const PartitionId partition = partition_of(position_of(kDefaultBucket, key), view.q);
    const node::MemberView& first = view.members[view.first_healthy[partition.value]];
    return static_cast<unsigned>(std::stoul(first.name.substr(1)) - 1);
  }

  /// `count` puts without context, some at a time, each of a key of its own through the node that
  /// `choose` names; `down` names a node that does not run.
  template <typename Choose>
  void put_many(unsigned count, Choose choose) {
    const unsigned puts_before = answered_;
    for (unsigned i = 0; i < count; ++i) {
      const std::string key = "key" + std::to_string(next_key_++);
      cluster.write_then(choose(key), key, "value", nullptr, node::WriteKind::kWithContext, {}, {},
                         false, [this](const WriteAnswer& answer) {
                           EXPECT_EQ(answer.outcome, Outcome::kOk);
                           ++answered_;
                         });
      if (i % 20 == 19) cluster.run(milliseconds(2));
    }
    EXPECT_TRUE(cluster.run_until([&] { return answered_ == puts_before + count; }));
    cluster.run(milliseconds(100));
  }

  std::uint64_t forwarded() { return cluster.total(&node::Metrics::writes_forwarded_total); }

  Cluster cluster{45, GetParam()};

 private:
  unsigned next_key_ = 0;
  unsigned answered_ = 0;
};

TEST_P(Routing, ALoadBalancerHasOneMinusNOverSOfThePutsForwarded) {
  const unsigned s = GetParam();
  const unsigned puts = full_size() ? 400'000 : 20'000;
  sim::Random random = cluster.world().random().fork("balancer");
  put_many(puts, [&](const std::string&) { return static_cast<unsigned>(random.below(s)); });
  const double expected = 1 - static_cast<double>(kN) / s;
  const double share = static_cast<double>(forwarded()) / puts;
  const double half_width = 2.576 * std::sqrt(expected * (1 - expected) / puts);
  std::printf("V5: S=%u: %.4f of %u puts forwarded; 1-N/S = %.4f +- %.4f\n", s, share, puts,
              expected, half_width);
  EXPECT_NEAR(share, expected, half_width);
  EXPECT_EQ(cluster.total(&node::Metrics::forwards_received_total), forwarded());
  EXPECT_EQ(cluster.total(&node::Metrics::writes_total), puts) << "each coordinated once";
}

TEST_P(Routing, AClientThatKnowsThePartitionsHasNoPutForwarded) {
  const unsigned s = GetParam();
  sim::Random random = cluster.world().random().fork("tables");
  put_many(2'000, [&](const std::string& key) {
    return published_by(static_cast<unsigned>(random.below(s)), key);
  });
  EXPECT_EQ(forwarded(), 0U);
  EXPECT_EQ(cluster.total(&node::Metrics::writes_total), 2'000U);
}

TEST_P(Routing, ItStillHasNoneForwardedOnceItKnowsThatANodeDied) {
  const unsigned s = GetParam();
  cluster.host(s - 1).kill();
  cluster.run(seconds(2));
  sim::Random random = cluster.world().random().fork("tables");
  put_many(2'000, [&](const std::string& key) {
    return published_by(static_cast<unsigned>(random.below(s - 1)), key);
  });
  EXPECT_EQ(forwarded(), 0U);
}

TEST_P(Routing, AnyNodeCoordinatesAGet) {
  const WriteAnswer put = cluster.write(0, "k", "value");
  ASSERT_EQ(put.outcome, Outcome::kOk);
  const std::uint64_t before = forwarded();
  for (unsigned i = 0; i < GetParam(); ++i) {
    const std::uint64_t reads = cluster.store(i).metrics().reads_total;
    EXPECT_EQ(cluster.read(i, "k").values, std::vector<std::string>{"value"});
    EXPECT_EQ(cluster.store(i).metrics().reads_total, reads + 1);
  }
  EXPECT_EQ(forwarded(), before);
}

// Section 6.4, of Table 2 the part that a hop explains: what the client saves is the way to the
// coordinator and back.
TEST_P(Routing, WhatAClientThatKnowsThePartitionsSavesIsOneRoundTripPerRequestThatMissed) {
  constexpr int kRoundTripMs = 10;
  constexpr unsigned kRequests = 300;
  const unsigned s = GetParam();
  for (unsigned a = 0; a < s; ++a) {
    for (unsigned b = a + 1; b < s; ++b) set_delay(cluster, a, b, milliseconds(kRoundTripMs) / 2);
  }
  cluster.run(seconds(1));
  sim::Random random = cluster.world().random().fork("balancer");
  struct Mode {
    Latencies puts, gets_of_one, gets_of_two;
  } balanced, aware;
  for (unsigned i = 0; i < kRequests; ++i) {
    const std::string key = "key" + std::to_string(i);
    const auto any = static_cast<unsigned>(random.below(s));
    for (Mode* mode : {&balanced, &aware}) {
      const unsigned node = mode == &aware ? published_by(any, key) : any;
      mode->puts.add(timed_put(cluster, node, key, 2));
      cluster.run(milliseconds(50));
      mode->gets_of_one.add(timed_get(cluster, node, key, 1));
      mode->gets_of_two.add(timed_get(cluster, node, key, 2));
    }
  }
  const double missed = 1 - static_cast<double>(kN) / s;
  const auto print = [&](const char* what, const Latencies& by_balancer,
                         const Latencies& by_client) {
    std::printf("6.4: S=%u, round trip %d ms, %s: balancer %.2f ms, client that knows %.2f ms\n", s,
                kRoundTripMs, what, by_balancer.mean(), by_client.mean());
  };
  print("puts, W=2", balanced.puts, aware.puts);
  print("gets, R=1", balanced.gets_of_one, aware.gets_of_one);
  print("gets, R=2", balanced.gets_of_two, aware.gets_of_two);
  EXPECT_NEAR(balanced.puts.mean() - aware.puts.mean(), missed * kRoundTripMs, 1);
  EXPECT_NEAR(balanced.gets_of_one.mean() - aware.gets_of_one.mean(), missed * kRoundTripMs, 1);
  EXPECT_LT(aware.gets_of_one.median(), 0.1) << "its own replica answers";
  // One owner has to be asked in either case: with R=2 a get gains nothing.
  EXPECT_NEAR(balanced.gets_of_two.mean(), aware.gets_of_two.mean(), 0.5);
}

// Section 5: the write that follows a read is coordinated by the node that answered it fastest.
TEST_P(Routing, AForwardedPutGoesToTheNodeThatTheContextNamesAsFastest) {
  const std::string key = "cart";
  const unsigned through = outsider(cluster, key);
  cluster.write(through, key, "value");
  cluster.run(seconds(1));
  for (const unsigned fast : cluster.owners(key)) {
    for (const unsigned owner : cluster.owners(key)) {
      set_delay(cluster, through, owner, owner == fast ? milliseconds(1) : milliseconds(20));
    }
    const ReadAnswer read = cluster.read(through, key, {.r = 3});
    ASSERT_TRUE(read.ok);
    EXPECT_EQ(read.fastest, cluster.node(fast).id());
    const std::uint64_t before = cluster.store(fast).metrics().forwards_received_total;
    ASSERT_EQ(cluster.write(through, key, "next", &read.context).outcome, Outcome::kOk);
    EXPECT_EQ(cluster.store(fast).metrics().forwards_received_total, before + 1);
  }
}

INSTANTIATE_TEST_SUITE_P(Nodes, Routing, testing::Values(5U, 9U));

}  // namespace
}  // namespace stator::test

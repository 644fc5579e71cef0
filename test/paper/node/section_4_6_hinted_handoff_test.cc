// Section 4.6, handling failures (V7, V8): while a node is away its copies go to the next healthy
// nodes of the preference list, with a hint that names it; when it is back they are delivered.

#include <gtest/gtest.h>

#include <map>

#include "node/metrics.h"
#include "support.h"

namespace stator::test {
namespace {

constexpr unsigned kNodes = 5;
constexpr unsigned kA = 0;  // the node that is away

std::string key_name(unsigned i) {
  return "k" + std::to_string(i);
}

/// Who holds a key, by the order of its preference list.
struct Holders {
  std::vector<std::string> names;    // of the list
  std::vector<bool> owner, holding;  // by place in it
  [[nodiscard]] unsigned copies() const {
    return static_cast<unsigned>(std::count(holding.begin(), holding.end(), true));
  }
};

Holders holders(Cluster& cluster, unsigned through, const std::string& key) {
  auto found = std::make_shared<std::optional<Holders>>();
  cluster.ask(through, [found, key](node::Store& store) {
    store.explain(kDefaultBucket, key, [found](const Result<node::Explanation>& result) {
      *found = Holders();
      if (!result) return;
      for (const node::ReplicaView& replica : result->replicas) {
        (*found)->names.push_back(replica.name);
        (*found)->owner.push_back(replica.owner);
        (*found)->holding.push_back(replica.digest != 0);
      }
    });
  });
  EXPECT_TRUE(cluster.run_until([&] { return found->has_value(); }));
  return **found;
}

bool is_owner(Cluster& cluster, unsigned node, const std::string& key) {
  const auto owners = cluster.owners(key);
  return std::find(owners.begin(), owners.end(), node) != owners.end();
}

std::uint64_t pending(Cluster& cluster) {
  return cluster.total(&node::Metrics::hints_pending);
}

TEST(Section46, AnAbsentNodesCopiesWaitAtTheNextHealthyNodesAndAreDeliveredOnce) {  // V7
  const unsigned writes = full_size() ? 100'000 : 3'000;
  Cluster cluster(46, kNodes);
  cluster.host(kA).kill();
  cluster.run(seconds(2));

  unsigned answered = 0;
  std::uint64_t missed = 0;
  for (unsigned first = 0; first < writes; first += 50) {
    const unsigned end = std::min(first + 50, writes);
    for (unsigned i = first; i < end; ++i) {
      missed += is_owner(cluster, kA, key_name(i));
      cluster.write_then(1 + i % (kNodes - 1), key_name(i), "v" + std::to_string(i), nullptr,
                         node::WriteKind::kWithContext, {}, {}, false, [&](const WriteAnswer& put) {
                           ++answered;
                           EXPECT_EQ(put.outcome, Outcome::kOk) << to_string(put.error.code);
                         });
    }
    ASSERT_TRUE(cluster.run_until([&] { return answered == end; }));
  }
  cluster.run(seconds(2));
  ASSERT_GT(missed, writes / 3);
  // One hint for each write that A has missed, in stores that nothing else stands in.
  EXPECT_EQ(pending(cluster), missed);
  EXPECT_EQ(cluster.total(&node::Metrics::hints_kept_total), missed);

  for (unsigned i = 0; i < 200; ++i) {
    const Holders held = holders(cluster, 1, key_name(i));
    EXPECT_EQ(held.copies(), 3U) << "as many copies as with A";
    for (std::size_t place = 0; place < held.names.size(); ++place) {
      if (held.owner[place]) continue;
      // The first beyond the owners, if A is one of them; nobody else.
      EXPECT_EQ(held.holding[place], place == 3 && is_owner(cluster, kA, key_name(i)))
          << key_name(i) << " at " << held.names[place];
    }
  }

  cluster.start(kA);
  while (pending(cluster) > 0) {
    cluster.run(milliseconds(20));
    const auto i = static_cast<unsigned>(cluster.world().now().ns / 20'000'000 % 200);
    ASSERT_GE(holders(cluster, 1, key_name(i)).copies(), 3U) << "never fewer than N";
  }
  cluster.settle();
  cluster.run(seconds(2));
  EXPECT_EQ(pending(cluster), 0U);
  EXPECT_EQ(cluster.total(&node::Metrics::hints_delivered_total), missed);
  EXPECT_EQ(cluster.count(kA, &node::Metrics::replica_writes_total), missed) << "each once";
  for (unsigned i = 0; i < 200; ++i) {
    const Holders held = holders(cluster, 1, key_name(i));
    EXPECT_EQ(held.holding, held.owner) << "the owners, and nobody else";
  }
}

TEST(Section46, WhatStandInsHoldIsReadable) {  // V7
  Cluster cluster(47, kNodes);
  cluster.host(kA).kill();
  cluster.run(seconds(2));
  const std::string key = [&] {
    unsigned i = 0;
    while (!is_owner(cluster, kA, key_name(i))) ++i;
    return key_name(i);
  }();
  ASSERT_EQ(cluster.write(1, key, "v", nullptr, node::WriteKind::kWithContext, {.w = 3}).outcome,
            Outcome::kOk);
  unsigned survivor = 0;
  for (unsigned i = 0; i < kNodes; ++i) {
    if (is_owner(cluster, i, key)) {
      if (i != kA) cluster.host(i).kill();
    } else {
      survivor = i;
    }
  }
  cluster.run(seconds(2));
  const ReadAnswer got = cluster.read(survivor, key);
  ASSERT_TRUE(got.ok) << to_string(got.error.code);
  EXPECT_EQ(got.values, std::vector<std::string>{"v"}) << "no owner is there";
  EXPECT_EQ(got.evidence.primaries, 0);
  EXPECT_EQ(got.evidence.fallbacks, 2);
}

TEST(Section46, WithWOfOneALoneSurvivorAcceptsEverything) {  // V8
  const unsigned writes = full_size() ? 20'000 : 1'000;
  Cluster cluster(48, kNodes);
  const unsigned survivor = 3;
  for (unsigned i = 0; i < kNodes; ++i) {
    if (i != survivor) cluster.host(i).kill();
  }
  cluster.run(seconds(2));
  for (unsigned i = 0; i < writes; ++i) {
    const WriteAnswer put = cluster.write(survivor, key_name(i), "v" + std::to_string(i), nullptr,
                                          node::WriteKind::kWithContext, {.w = 1});
    ASSERT_EQ(put.outcome, Outcome::kOk) << to_string(put.error.code);
    ASSERT_EQ(put.evidence.nodes, 1);
  }
  for (unsigned i = 0; i < 50; ++i) {
    EXPECT_EQ(cluster.read(survivor, key_name(i), {.r = 1}).values,
              std::vector<std::string>{"v" + std::to_string(i)});
  }
  for (unsigned i = 0; i < kNodes; ++i) {
    if (i != survivor) cluster.start(i);
  }
  cluster.settle();
  ASSERT_TRUE(cluster.run_until([&] { return pending(cluster) == 0; }, seconds(120)));
  cluster.run(seconds(1));
  // All N replicas have it, though nobody has read it since.
  for (unsigned i = 0; i < writes; i += writes / 100) {
    const Holders held = holders(cluster, 0, key_name(i));
    EXPECT_EQ(held.holding, held.owner) << key_name(i);
  }
}

}  // namespace
}  // namespace stator::test

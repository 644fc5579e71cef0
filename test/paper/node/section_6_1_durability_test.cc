// Section 6.1, performance and durability (V23): the coordinator has one of the N replicas write
// durably, and does not wait for it. An acknowledged write is then lost only when everybody who has
// it loses power before that one sync is through.
//
// Where a copy is, and whether it is on a disk, is read from the journals of the hosts, in which
// nothing else is written meanwhile. What is not synced is lost with the power, always.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "node/metrics.h"
#include "support.h"

namespace stator::test {
namespace {

using node::Durability;

constexpr unsigned kNodes = 3;
constexpr Duration kStep = microseconds(10);

const char* name_of(Durability durability) {
  switch (durability) {
    case Durability::kAll: return "all";
    case Durability::kOne: return "one";
    case Durability::kNone: break;
  }
  return "none";
}

Cluster make(std::uint64_t seed, Durability durability, unsigned nodes = kNodes) {
  return Cluster(seed, nodes, 3, 2, 2, 64,
                 [durability](node::NodeOptions& options) { options.durability = durability; });
}

void lose_all_that_is_not_synced(Cluster& cluster) {
  for (unsigned i = 0; i < cluster.size(); ++i) {
    cluster.host(i).disk().faults.crash_keeps_write = 0;
    cluster.host(i).disk().faults.crash_tears_write = 0;
  }
}

/// Copies of the one write that begins now. Of hosts that have lost their power since it says
/// nothing.
class Copies {
 public:
  explicit Copies(Cluster& cluster) {
    for (unsigned i = 0; i < cluster.size(); ++i) {
      journals_.push_back(cluster.host(i).disk().find("/data/memory/journal-1"));
      EXPECT_NE(journals_.back(), nullptr);
      before_.push_back(journals_.back()->changes());
    }
  }
  [[nodiscard]] bool held(unsigned host) const {
    return journals_[host]->changes() > before_[host];
  }
  [[nodiscard]] bool durable(unsigned host) const {
    return journals_[host]->durable_changes() > before_[host];
  }
  [[nodiscard]] unsigned durable() const {
    unsigned count = 0;
    for (unsigned host = 0; host < journals_.size(); ++host) count += durable(host);
    return count;
  }

 private:
  std::vector<std::shared_ptr<sim::FileContent>> journals_;
  std::vector<std::uint64_t> before_;
};

/// A write that is acknowledged; the world stands where it was.
void write(Cluster& cluster, unsigned coordinator, const std::string& key) {
  bool answered = false;
  cluster.write_then(coordinator, key, "v", nullptr, node::WriteKind::kWithContext, {}, {}, false,
                     [&answered](const WriteAnswer& answer) {
                       EXPECT_EQ(answer.outcome, Outcome::kOk) << to_string(answer.error.code);
                       answered = true;
                     });
  const MonoTime end = cluster.world().now() + seconds(5);
  while (!answered && cluster.world().now() < end) cluster.run(kStep);
  EXPECT_TRUE(answered) << key;
}

/// Every owner is asked. With one copy left a read of R may miss it, until repair has spread it.
bool is_lost(Cluster& cluster, const std::string& key) {
  ReadAnswer answer;
  const bool read = cluster.run_until([&] {
    answer = cluster.read(0, key, {.r = 3});
    return answer.ok;
  });
  EXPECT_TRUE(read);
  return answer.values.empty();
}

struct Tally {
  unsigned writes = 0;
  unsigned lost = 0;
  unsigned unsafe = 0;  // nobody who kept its power had it, and it was on no disk
};

/// Writes, and then the power fails on `victims` holders some time after each acknowledgement.
Tally lose_power(Durability durability, unsigned victims, unsigned writes) {
  Cluster cluster = make(61 + victims, durability);
  lose_all_that_is_not_synced(cluster);
  SplitMix64 random(victims * 7 + static_cast<unsigned>(durability));
  Tally tally;
  for (unsigned i = 0; i < writes; ++i) {
    const std::string key = "k" + std::to_string(i);
    const Copies copies(cluster);
    write(cluster, i % kNodes, key);
    cluster.run(microseconds(static_cast<std::int64_t>(random.below(2500))));
    const auto first = static_cast<unsigned>(random.below(kNodes));
    bool safe = copies.durable() > 0;
    for (unsigned host = 0; host < kNodes; ++host) {
      const bool dies = (host + kNodes - first) % kNodes < victims;
      safe = safe || (!dies && copies.held(host));
    }
    for (unsigned k = 0; k < victims; ++k) cluster.host((first + k) % kNodes).crash();
    for (unsigned k = 0; k < victims; ++k) cluster.start((first + k) % kNodes);
    cluster.settle();
    const bool lost = is_lost(cluster, key);
    EXPECT_FALSE(lost && safe) << key << " was on a disk, or at somebody who kept its power";
    ++tally.writes;
    tally.lost += lost;
    tally.unsafe += !safe;
    cluster.run(milliseconds(50));  // what is repaired is repaired
  }
  std::printf("V23: durability %s, power lost on %u of 3: %u of %u acknowledged writes lost\n",
              name_of(durability), victims, tally.lost, tally.writes);
  return tally;
}

TEST(Section61, AWriteIsLostOnlyWithAllWhoHaveItAndBeforeTheOneSync) {  // V23
  const unsigned writes = full_size() ? 2'000 : 200;
  unsigned lost[3] = {};
  for (const Durability durability : {Durability::kAll, Durability::kOne, Durability::kNone}) {
    for (const unsigned victims : {1U, 2U, 3U}) {
      const Tally tally = lose_power(durability, victims, writes);
      EXPECT_EQ(tally.writes, writes);
      EXPECT_LE(tally.lost, tally.unsafe);
      if (victims == 3) {
        EXPECT_EQ(tally.lost, tally.unsafe) << "nobody had it any more";
      }
      lost[static_cast<unsigned>(durability)] += tally.lost;
    }
  }
  EXPECT_EQ(lost[static_cast<unsigned>(Durability::kAll)], 0U) << "P1";
  EXPECT_GE(lost[static_cast<unsigned>(Durability::kNone)], writes) << "all copies at once";
  EXPECT_LT(lost[static_cast<unsigned>(Durability::kOne)],
            lost[static_cast<unsigned>(Durability::kNone)]);
}

TEST(Section61, TheWindowIsThatOfOneSync) {  // V23
  const unsigned writes = full_size() ? 3'000 : 500;
  Cluster cluster = make(64, Durability::kOne);
  Latencies window;
  unsigned at_once = 0;
  for (unsigned i = 0; i < writes; ++i) {
    const Copies copies(cluster);
    write(cluster, i % kNodes, "k" + std::to_string(i));
    const MonoTime answered = cluster.world().now();
    if (copies.durable() > 0) ++at_once;
    while (copies.durable() == 0) {
      ASSERT_LT(cluster.world().now(), answered + seconds(15)) << "nobody was asked";
      cluster.run(kStep);
    }
    window.add(cluster.world().now() - answered);
    cluster.run(milliseconds(5));
  }
  std::printf(
      "V23: a copy was durable after the acknowledgement by: p50 %.2f ms, p99 %.2f ms, p99.9 %.2f "
      "ms, at most %.2f ms; before it: %u of %u\n",
      window.median(), window.quantile(0.99), window.quantile(0.999), window.quantile(1), at_once,
      writes);
  // The disks of this world sync in 1 ms, and in 30 ms now and then.
  EXPECT_LT(window.median(), 2);
  EXPECT_GE(cluster.total(&node::Metrics::durable_copies_total), writes);
  EXPECT_EQ(cluster.total(&node::Metrics::durable_unconfirmed_total), 0U);
  // No disk is the one that pays.
  for (unsigned i = 0; i < kNodes; ++i) {
    EXPECT_GT(cluster.count(i, &node::Metrics::durable_copies_total), writes / 5) << i;
  }
}

struct Answered {
  double median = 0;
  double p99 = 0;
};

Answered latency(Durability durability, std::uint8_t w) {
  Cluster cluster = make(65, durability);
  for (unsigned a = 0; a < kNodes; ++a) {
    for (unsigned b = 0; b < a; ++b) set_delay(cluster, a, b, microseconds(200));
    sim::DiskFaults& disk = cluster.host(a).disk().faults;
    disk.sync_min = milliseconds(5);
    disk.sync_mean = microseconds(500);
    disk.sync_tail = 0;
  }
  cluster.run(seconds(2));
  Latencies latencies;
  for (unsigned i = 0; i < 300; ++i) {
    latencies.add(timed_put(cluster, i % kNodes, "k" + std::to_string(i), w));
    // The syncs of the last ones are still under way.
    cluster.run(milliseconds(1));
  }
  std::printf("V23: durability %s, W=%u: answered after p50 %.2f ms, p99 %.2f ms\n",
              name_of(durability), unsigned{w}, latencies.median(), latencies.quantile(0.99));
  return {latencies.median(), latencies.quantile(0.99)};
}

TEST(Section61, AWriteWithOneDurableCopyIsAnsweredAsSoonAsOneWithout) {  // V23
  for (std::uint8_t w = 1; w <= 3; ++w) {
    const Answered none = latency(Durability::kNone, w);
    const Answered one = latency(Durability::kOne, w);
    const Answered all = latency(Durability::kAll, w);
    EXPECT_NEAR(one.median, none.median, 0.05) << int{w};
    EXPECT_NEAR(one.p99, none.p99, 0.1) << int{w};
    EXPECT_GT(all.median, one.median + 4.9) << int{w} << ": a sync";
  }
}

TEST(Section61, WhereTheDurableOneLosesItsPowerAnotherIsAsked) {  // V23
  Cluster cluster = make(66, Durability::kOne);
  lose_all_that_is_not_synced(cluster);
  for (unsigned i = 0; i < 12; ++i) {
    for (unsigned host = 0; host < kNodes; ++host) {
      cluster.host(host).disk().faults.sync_min = milliseconds(50);
    }
    const std::string key = "k" + std::to_string(i);
    const unsigned coordinator = i % kNodes;
    const unsigned victim = (coordinator + 1 + i / kNodes % 2) % kNodes;
    const Copies copies(cluster);
    write(cluster, coordinator, key);
    cluster.run(milliseconds(5));
    EXPECT_EQ(copies.durable(), 0U);
    cluster.host(victim).crash();
    const auto at_another = [&] {
      for (unsigned host = 0; host < kNodes; ++host) {
        if (host != victim && copies.durable(host)) return true;
      }
      return false;
    };
    EXPECT_TRUE(cluster.run_until(at_another, seconds(2))) << key;
    for (unsigned host = 0; host < kNodes; ++host) {
      if (host != victim) cluster.host(host).crash();
    }
    for (unsigned host = 0; host < kNodes; ++host) {
      cluster.host(host).disk().faults.sync_min = microseconds(300);
      cluster.start(host);
    }
    cluster.settle();
    EXPECT_FALSE(is_lost(cluster, key)) << key;
    cluster.run(milliseconds(50));
  }
}

// A copy that counts toward W is data wherever it is (D14): the one that is durable as well.
TEST(Section61, AStandInsCopyMayBeTheDurableOneAndReachesItsOwner) {  // V23
  Cluster cluster = make(67, Durability::kOne, 5);
  lose_all_that_is_not_synced(cluster);
  const std::string key = "k";
  const std::vector<unsigned> owners = cluster.owners(key);
  cluster.host(owners[1]).kill();
  cluster.host(owners[2]).kill();
  cluster.run(seconds(2));
  write(cluster, owners[0], key);
  const auto by_stand_ins = [&] {
    std::uint64_t count = 0;
    for (unsigned i = 0; i < cluster.size(); ++i) {
      const bool owner = std::find(owners.begin(), owners.end(), i) != owners.end();
      if (!owner) count += cluster.count(i, &node::Metrics::durable_copies_total);
    }
    return count;
  };
  ASSERT_TRUE(cluster.run_until([&] { return by_stand_ins() == 1; }, seconds(2)));
  for (unsigned i = 0; i < cluster.size(); ++i) {
    if (cluster.runs(i)) cluster.host(i).crash();
  }
  for (unsigned i = 0; i < cluster.size(); ++i) cluster.start(i);
  cluster.settle();
  ASSERT_TRUE(cluster.run_until([&] {
    return !cluster.local_object(owners[1], key).empty() ||
           !cluster.local_object(owners[2], key).empty();
  }));
  EXPECT_FALSE(is_lost(cluster, key));
}

}  // namespace
}  // namespace stator::test

// A node of five was away under load and comes back: four others bring it what it missed, while
// clients go on (D14, D15; G22). Time is virtual, so what is judged here repeats to the digit; what
// it costs on real disks and cores is test/torture/drain_test.py.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <deque>
#include <optional>

#include "core/load/drain_pace.h"
#include "load.h"
#include "node/background_budget.h"
#include "node/hint_delivery.h"
#include "node/metrics.h"

namespace stator::test {
namespace {

constexpr unsigned kAway = 4;
constexpr std::uint64_t kKeepers = 4;

class Draining : public testing::Test {
 protected:
  Draining() {
    load_.emplace(cluster_, Load::Options{.nodes = {0, 1, 2, 3}, .keys = 3'000});
    cluster_.run(seconds(3));
    load_->begin_phase();
    cluster_.run(seconds(5));
    healthy_ = load_->seen();
    cluster_.host(kAway).crash();
    cluster_.run(seconds(8));
    owed_ = pending();
  }
  void TearDown() override { load_->end(); }

  [[nodiscard]] std::uint64_t pending() { return cluster_.total(&node::Metrics::hints_pending); }
  [[nodiscard]] std::uint64_t delivered() {
    return cluster_.total(&node::Metrics::hints_delivered_total);
  }
  /// Keepers look once a second whether somebody is back.
  [[nodiscard]] bool all_keepers_deliver() {
    for (unsigned keeper = 0; keeper < kKeepers; ++keeper) {
      if (cluster_.count(keeper, &node::Metrics::hints_delivered_total) == 0) return false;
    }
    return true;
  }
  /// It comes back; returns how long it took until it has all.
  Duration drain() {
    const MonoTime began = cluster_.world().now();
    cluster_.start(kAway);
    load_->begin_phase();
    std::deque<std::uint64_t> lately{delivered()};  // by tenths of a second, for a second
    while (pending() > 0 && cluster_.world().now() - began < seconds(200)) {
      cluster_.run(milliseconds(100));
      lately.push_back(delivered());
      if (lately.size() > 11) lately.pop_front();
      most_in_a_second_ = std::max(most_in_a_second_, lately.back() - lately.front());
    }
    const Duration took = cluster_.world().now() - began;
    const Load::Seen seen = load_->seen();
    std::printf("%llu hints in %.1f s, at most %llu in a second; p99 %.2f ms, before %.2f ms\n",
                static_cast<unsigned long long>(owed_), static_cast<double>(took.ns) / 1e9,
                static_cast<unsigned long long>(most_in_a_second_),
                static_cast<double>(seen.p99.ns) / 1e6, static_cast<double>(healthy_.p99.ns) / 1e6);
    return took;
  }

  Cluster cluster_{23, 5};
  std::optional<Load> load_;
  Load::Seen healthy_;
  std::uint64_t owed_ = 0;
  std::uint64_t most_in_a_second_ = 0;
};

TEST_F(Draining, ItNeitherFloodsTheNodeThatIsBackNorTakesLong) {
  ASSERT_GT(owed_, 500U);
  EXPECT_LT(drain(), seconds(30)) << "a small backlog";
  const Load::Seen seen = load_->seen();
  EXPECT_EQ(seen.failed, 0U) << seen.error;
  EXPECT_LE(seen.p99, std::max(healthy_.p99 * 2, milliseconds(10)));
  // What each keeper may send in a second, and what it had under way before.
  const std::uint64_t each =
      DrainPace::kSmall / node::BackgroundBudget::kPieceCost + node::HintDelivery::kWindow;
  EXPECT_LE(most_in_a_second_, kKeepers * each);
}

TEST_F(Draining, ANodeWhoseDiskIsSlowGetsAllOfItInTime) {
  ASSERT_GT(owed_, 500U);
  cluster_.host(kAway).disk().faults.sync_min = milliseconds(100);
  EXPECT_LT(drain(), seconds(120));
}

// What hints are about to bring is not looked for with every read, nor asked for first.
TEST_F(Draining, ReadsLeaveTheNodeThatCatchesUpAlone) {
  ASSERT_GT(owed_, 500U);
  cluster_.start(kAway);
  ASSERT_TRUE(cluster_.run_until([&] { return all_keepers_deliver(); }));
  const std::uint64_t late = cluster_.total(&node::Metrics::late_digests_total);
  const std::uint64_t asked = cluster_.count(kAway, &node::Metrics::replica_reads_total);
  load_->begin_phase();
  cluster_.run(seconds(1));
  ASSERT_GT(pending(), 0U) << "it still lacks some";
  const std::uint64_t reads = load_->seen().answered / 2;
  ASSERT_GT(reads, 200U);
  EXPECT_LT(cluster_.total(&node::Metrics::late_digests_total) - late, reads / 10);
  EXPECT_LT(cluster_.count(kAway, &node::Metrics::replica_reads_total) - asked, reads / 10);
}

}  // namespace
}  // namespace stator::test

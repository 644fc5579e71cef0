// One node of five is not dead but useless (P9; failure modes D32, G18, G19): stopped, on a thin
// link, with a slow disk, cut off in one direction, flapping. The others go on at nearly the old
// pace, and use it again when it is well. The clients are those of the four other nodes.

#include <gtest/gtest.h>

#include <cstdio>

#include "load.h"

namespace stator::test {
namespace {

constexpr unsigned kGray = 4;

class GrayNode : public testing::Test {
 protected:
  GrayNode() {
    load_.emplace(cluster_, Load::Options{.nodes = {0, 1, 2, 3}});
    cluster_.run(seconds(3));
    load_->begin_phase();
    cluster_.run(seconds(5));
    healthy_ = load_->seen();
    print("healthy", healthy_);
  }
  void TearDown() override { load_->end(); }

  static void print(const char* phase, const Load::Seen& seen) {
    std::printf("%-10s %6.0f/s  p50 %6.2f ms  p99 %7.2f ms  failed %zu  %s\n", phase,
                seen.per_second, static_cast<double>(seen.p50.ns) / 1e6,
                static_cast<double>(seen.p99.ns) / 1e6, seen.failed, seen.error.c_str());
  }
  void run_and_judge(const char* phase) {
    load_->begin_phase();
    cluster_.run(seconds(5));
    const Load::Seen seen = load_->seen();
    print(phase, seen);
    EXPECT_GE(seen.per_second, 0.6 * healthy_.per_second) << phase;
    EXPECT_LE(seen.p99, milliseconds(100)) << phase;
    EXPECT_LE(seen.p99, std::max(healthy_.p99 * 5, milliseconds(20))) << phase;
    EXPECT_EQ(seen.failed, 0U) << phase << ": " << seen.error;
  }
  /// From 3 s after the fault on, and from 5 s after its end on.
  void story(const std::function<void()>& breaks, const std::function<void()>& mends) {
    breaks();
    load_->begin_phase();
    cluster_.run(seconds(3));
    print("at first", load_->seen());
    run_and_judge("during");
    mends();
    cluster_.run(seconds(5));
    run_and_judge("afterwards");
    EXPECT_TRUE(all_fit());
  }
  /// Everybody gives new work to everybody again.
  bool all_fit() {
    for (unsigned i = 0; i < cluster_.size(); ++i) {
      for (const auto& member : cluster_.store(i).cluster().members) {
        if (!member.healthy || member.slow || member.leaving) return false;
      }
    }
    return true;
  }
  void set_paths(const sim::NetworkFaults& faults) {
    for (std::uint32_t other = 0; other < kGray; ++other) {
      cluster_.world().wire().set_faults(cluster_.host(kGray).index(), cluster_.host(other).index(),
                                         faults);
      cluster_.world().wire().set_faults(cluster_.host(other).index(), cluster_.host(kGray).index(),
                                         faults);
    }
  }
  void set_cut_from_gray(bool cut) {
    for (unsigned other = 0; other < kGray; ++other) {
      cluster_.world().wire().set_cut(cluster_.host(kGray).index(), cluster_.host(other).index(),
                                      cut);
    }
  }
  void set_cut_to_gray(bool cut) {
    for (unsigned other = 0; other < kGray; ++other) {
      cluster_.world().wire().set_cut(cluster_.host(other).index(), cluster_.host(kGray).index(),
                                      cut);
    }
  }

  Cluster cluster_{7, 5};
  std::optional<Load> load_;
  Load::Seen healthy_;
};

TEST_F(GrayNode, Stopped) {  // SIGSTOP: connections stay, nothing is answered
  story([&] { cluster_.host(kGray).pause(); }, [&] { cluster_.host(kGray).resume(); });
}

TEST_F(GrayNode, OnAThinLink) {
  sim::NetworkFaults thin;
  thin.bytes_per_second = 20'000;
  thin.delay_min = milliseconds(40);
  thin.queue_max = seconds(30);
  story([&] { set_paths(thin); }, [&] { set_paths({}); });
}

TEST_F(GrayNode, WithASlowDisk) {
  const sim::DiskFaults well = cluster_.host(kGray).disk().faults;
  sim::DiskFaults slow = well;
  slow.sync_min = milliseconds(300);
  slow.sync_mean = milliseconds(300);
  story([&] { cluster_.host(kGray).disk().faults = slow; },
        [&] { cluster_.host(kGray).disk().faults = well; });
}

TEST_F(GrayNode, WithASlowProcessor) {
  story([&] { cluster_.host(kGray).set_slowness(2'000); },
        [&] { cluster_.host(kGray).set_slowness(1); });
}

TEST_F(GrayNode, ThatHearsTheOthersAndIsNotHeard) {
  story([&] { set_cut_from_gray(true); }, [&] { set_cut_from_gray(false); });
}

TEST_F(GrayNode, ThatIsHeardAndDoesNotHearTheOthers) {
  story([&] { set_cut_to_gray(true); }, [&] { set_cut_to_gray(false); });
}

TEST_F(GrayNode, OnAFlappingLink) {
  bool flaps = true;
  std::function<void(bool)> flap = [&](bool cut) {
    set_cut_from_gray(cut && flaps);
    set_cut_to_gray(cut && flaps);
    if (!flaps) return;
    cluster_.world().after(milliseconds(700), [&flap, cut] { flap(!cut); });
  };
  story([&] { flap(true); },
        [&] {
          flaps = false;
          set_cut_from_gray(false);
          set_cut_to_gray(false);
        });
}

}  // namespace
}  // namespace stator::test

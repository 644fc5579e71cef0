#include "env_real/scheduling.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <thread>

namespace stator::env {
namespace {

TEST(Scheduling, AThreadThatPrefersBatchesHandsThatDownAndLeavesOthersAlone) {
  int own = -1;
  int started_later = -1;
  bool granted = false;
  std::thread([&] {
    granted = prefer_batches().has_value();
    own = ::sched_getscheduler(0);
    std::thread([&] { started_later = ::sched_getscheduler(0); }).join();
  }).join();
  EXPECT_TRUE(granted);
  EXPECT_EQ(own, SCHED_BATCH);
  EXPECT_EQ(started_later, SCHED_BATCH);
  EXPECT_EQ(::sched_getscheduler(0), SCHED_OTHER);
}

}  // namespace
}  // namespace stator::env

#include "sim/suspects.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

namespace stator::sim {
namespace {

TEST(Suspects, AreTheOperationsOnKeysThatBreakAnInvariant) {
  OperationLog log;
  log.key_index("default", key_name(4));
  const std::uint32_t broken = log.key_index("default", key_name(2));
  Verdict verdict;
  verdict.violations.push_back({.invariant = "I1", .key = broken, .what = "gone"});
  const std::vector<std::uint32_t> keys = {2, 4, 1, 2, kLongestKeys};
  EXPECT_EQ(suspects(verdict, log, Workload(), keys), (std::vector<std::uint64_t>{0, 3}));
  EXPECT_TRUE(suspects(Verdict(), log, Workload(), keys).empty());
}

}  // namespace
}  // namespace stator::sim

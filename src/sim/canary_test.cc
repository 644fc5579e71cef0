#include <gtest/gtest.h>

#include <cstdio>
#include <string>

#include "sim/cluster_run.h"

// Built once per canary (CMakeLists.txt), each time around another deliberately broken line of the
// product: the simulator must find it. STATOR_CANARY names it, STATOR_CANARY_BREAKS the invariants
// of which one must be seen to break.

namespace stator::sim {
namespace {

constexpr std::uint64_t kSeedsMax = 50;

TEST(Canary, IsCaughtWithinFiftySeeds) {
  const std::string wanted = std::string(STATOR_CANARY_BREAKS) + " ";
  for (std::uint64_t seed = 1; seed <= kSeedsMax; ++seed) {
    const RunReport report = run_cluster({.seed = seed, .minutes = 0.25});
    for (const std::string& violation : report.violations) {
      const std::string invariant = violation.substr(0, violation.find(':')) + " ";
      if (wanted.find(invariant) == std::string::npos) continue;
      std::printf("%s caught by seed %llu: %s\n", STATOR_CANARY,
                  static_cast<unsigned long long>(seed), violation.c_str());
      return;
    }
  }
  FAIL() << STATOR_CANARY << " was not caught";
}

}  // namespace
}  // namespace stator::sim

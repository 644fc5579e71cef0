#include "env_sim/buggify.h"

#include <gtest/gtest.h>

#include "env_sim/world.h"

namespace stator::sim {
namespace {

TEST(Buggify, AQuarterOfThePointsStrikesEachAtItsOwnRate) {
  int active = 0;
  for (std::uint64_t seed = 0; seed < 2'000; ++seed) {
    const double rate = BuggifyPlan(seed).rate("a point");
    EXPECT_GE(rate, 0);
    EXPECT_LE(rate, 0.25);
    active += rate > 0 ? 1 : 0;
    EXPECT_EQ(rate, BuggifyPlan(seed).rate("a point"));
  }
  EXPECT_NEAR(active, 500, 100);
  int both = 0;
  for (std::uint64_t seed = 0; seed < 2'000; ++seed) {
    const BuggifyPlan plan(seed);
    both += plan.rate("a point") > 0 && plan.rate("another") > 0 ? 1 : 0;
  }
  EXPECT_NEAR(both, 125, 60) << "points are independent";
}

TEST(Buggify, StrikesAtItsRateWhileItIsOnAndNeverElse) {
  BuggifyPlan plan(0);
  for (std::uint64_t seed = 1; plan.rate("a point") < 0.05; ++seed) plan = BuggifyPlan(seed);
  SimBuggify buggify(plan, Random(1));
  const auto strikes = [&buggify] {
    int count = 0;
    for (int i = 0; i < 10'000; ++i) count += buggify.strikes("a point") ? 1 : 0;
    return count;
  };
  EXPECT_EQ(strikes(), 0);
  plan.on = true;
  EXPECT_NEAR(strikes(), plan.rate("a point") * 10'000, 200);
}

TEST(Buggify, OneThatIsForcedStrikesAlwaysAndNoOtherDoes) {
  BuggifyPlan plan(0);
  SimBuggify buggify(plan, Random(1));
  plan.force("a point");
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(buggify.strikes("a point"));
    EXPECT_FALSE(buggify.strikes("another"));
  }
  plan.on = false;
  EXPECT_FALSE(buggify.strikes("a point"));
}

TEST(Buggify, AnEnvOfTheSimulatorHasOneAndOneWithoutIsNeverStruck) {
  class Idle final : public Program {};
  World world(1);
  Host& host = world.add_host("a");
  bool has = false;
  bool struck = false;
  host.start([&](env::Env& env) {
    has = env.buggify != nullptr;
    const env::Env plain{env.executor, env.network, env.disk};
    world.buggify().on = true;
    for (int i = 0; i < 1'000; ++i) struck = struck || plain.buggified("a point");
    return std::make_unique<Idle>();
  });
  world.run_for(milliseconds(1));
  EXPECT_TRUE(has);
  EXPECT_FALSE(struck);
}

}  // namespace
}  // namespace stator::sim

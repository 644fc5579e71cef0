#include "base/probe.h"

#include <gtest/gtest.h>

#include <string>

namespace stator {
namespace {

// Known although no test calls it.
[[maybe_unused]] void never() {
  STATOR_PROBE("test: never met");
}

std::uint64_t hits_of(const std::string& name) {
  for (const Probe* probe : Probe::all()) {
    if (probe->name() == name) return probe->hits();
  }
  ADD_FAILURE() << "no probe " << name;
  return 0;
}

TEST(Probe, CountsOnceItIsArmedAndPlacesOfOneNameAreOne) {
  const auto met = [](int times) {
    for (int i = 0; i < times; ++i) STATOR_PROBE("test: met");
  };
  met(3);
  EXPECT_EQ(hits_of("test: met"), 0U);
  Probe::arm();
  met(2);
  STATOR_PROBE("test: met");
  EXPECT_EQ(hits_of("test: met"), 3U);
}

TEST(Probe, IsKnownWithoutBeingMetAndEachNameOnce) {
  EXPECT_EQ(hits_of("test: never met"), 0U);
  const auto all = Probe::all();
  for (std::size_t i = 1; i < all.size(); ++i) {
    EXPECT_LT(std::string(all[i - 1]->name()), all[i]->name());
  }
}

}  // namespace
}  // namespace stator

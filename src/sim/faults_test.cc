#include "sim/faults.h"

#include <gtest/gtest.h>

#include <array>
#include <set>

namespace stator::sim {
namespace {

TEST(Faults, ListsAreReadAndWritten) {
  EXPECT_EQ(parse_faults("all"), kAllFaults);
  EXPECT_EQ(parse_faults("disks"), kEveryFault);
  EXPECT_EQ(parse_faults("none"), 0U);
  EXPECT_EQ(describe_faults(*parse_faults("kill,cuts")), "cuts,kill");
  EXPECT_EQ(*parse_faults(describe_faults(kEveryFault)), kEveryFault);
  const auto wrong = parse_faults("cuts,rain");
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().detail.find("'rain'"), std::string::npos);
}

TEST(Faults, AllMeansWhatIsSurvivedTodayAndTheRestIsAskedForByName) {
  for (const FaultFamily family : {FaultFamily::kFsync, FaultFamily::kIo, FaultFamily::kFull,
                                   FaultFamily::kRot, FaultFamily::kWipe}) {
    EXPECT_FALSE(has(kAllFaults, family)) << to_string(family);
    EXPECT_TRUE(has(*parse_faults(to_string(family)), family));
  }
  EXPECT_TRUE(has(kAllFaults, FaultFamily::kBuggify));
}

TEST(Faults, OfAGroupEachRunDrawsAndFamiliesThatAreNamedAreAllThere) {
  EXPECT_TRUE(names_group("all"));
  EXPECT_TRUE(names_group("disks"));
  EXPECT_FALSE(names_group("disk"));
  EXPECT_FALSE(names_group("none"));
  EXPECT_FALSE(names_group(describe_faults(kEveryFault)));
}

TEST(Faults, SayWhatTheyMayTakeFromDisks) {
  EXPECT_TRUE(keeps_files(*parse_faults("messages,cuts,kill,restart,disk,limits")));
  for (const char* taking : {"crash", "fsync", "io", "full", "rot", "wipe"}) {
    EXPECT_FALSE(keeps_files(*parse_faults(taking))) << taking;
  }
  EXPECT_TRUE(loses_disk(*parse_faults("rot")));
  EXPECT_TRUE(loses_disk(*parse_faults("cuts,wipe")));
  EXPECT_FALSE(loses_disk(*parse_faults("crash,fsync,io,full")));
}

TEST(Faults, SayWhetherNodesAreKeptAway) {
  for (const char* away : {"cuts", "kill", "crash", "messages,kill"}) {
    EXPECT_TRUE(keeps_away(*parse_faults(away))) << away;
  }
  EXPECT_FALSE(keeps_away(*parse_faults("messages,doors,restart,pause,disk,limits,buggify,wipe")));
}

TEST(Faults, EachFamilyIsOffInAboutHalfOfTheRuns) {
  Random random(1);
  std::array<int, kFaultFamilies> on{};
  for (int i = 0; i < 1'000; ++i) {
    const FaultSet drawn = draw_swarm(kEveryFault, random);
    for (unsigned family = 0; family < kFaultFamilies; ++family) {
      on[family] += has(drawn, static_cast<FaultFamily>(family)) ? 1 : 0;
    }
    EXPECT_EQ(draw_swarm(kAllFaults, random) & ~kAllFaults, 0U);
  }
  for (const int count : on) EXPECT_NEAR(count, 500, 80);
}

TEST(Faults, AMenuHasHalfOfTheKindsAndOnlyThoseAreChosen) {
  Random random(2);
  int allowed = 0;
  for (int i = 0; i < 200; ++i) {
    const FaultMenu menu = FaultMenu::draw(random);
    std::set<unsigned> chosen;
    for (int k = 0; k < 100; ++k) chosen.insert(menu.choose(FaultFamily::kClock, 6, random));
    bool any = false;
    for (unsigned kind = 0; kind < 6; ++kind) any = any || menu.allows(FaultFamily::kClock, kind);
    for (const unsigned kind : chosen) {
      EXPECT_TRUE(!any || menu.allows(FaultFamily::kClock, kind));
    }
    allowed += menu.allows(FaultFamily::kCuts, 3) ? 1 : 0;
  }
  EXPECT_NEAR(allowed, 100, 35);
  for (unsigned kind = 0; kind < 32; ++kind) {
    EXPECT_TRUE(FaultMenu().allows(FaultFamily::kMessages, kind));
  }
}

}  // namespace
}  // namespace stator::sim

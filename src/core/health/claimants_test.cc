#include "core/health/claimants.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace stator {
namespace {

constexpr Incarnation kFirst{0xA};
constexpr Incarnation kSecond{0xB};
constexpr Incarnation kThird{0xC};

constexpr MonoTime at(std::int64_t ms) {
  return MonoTime{} + milliseconds(ms);
}

// A process that sends a ping every half second. Its clock begins anywhere.
struct Sender {
  Incarnation incarnation{};
  std::int64_t clock_ms = 0;
  std::uint64_t link = 1;
  unsigned shard = 0;
  [[nodiscard]] Sighting ping(std::int64_t ms) const {
    return {.incarnation = incarnation,
            .link = link,
            .sent = static_cast<std::uint64_t>(milliseconds(clock_ms + ms).ns),
            .shard = shard};
  }
};

// Two disks of one origin, each with a process that pings from `start_ms` on. Who answers at the
// node's address does so to every ping. Returns when there was news, and how much.
struct Found {
  std::int64_t ms = -1;
  std::size_t processes = 0;
};
Found run_beside(Claimants& claimants, bool first_answers, bool second_answers,
                 std::int64_t interval_ms = 500) {
  const Sender first{kFirst, 1'000'000};
  const Sender second{kSecond, 50};
  Found found;
  for (std::int64_t ms = 0; ms <= 10'000 + 100 * interval_ms; ms += interval_ms) {
    std::size_t news = claimants.see(first.ping(ms), at(ms));
    if (first_answers) claimants.answered(kFirst, at(ms));
    if (ms >= 10'000) {
      news += claimants.see(second.ping(ms), at(ms + 3));
      if (second_answers) claimants.answered(kSecond, at(ms));
    }
    if (news > 0 && found.ms < 0) found.ms = ms;
    found.processes += news;
  }
  return found;
}

// D3: the copy of a disk, started beside the original on another machine, dials our address; we
// dial only the original's.
TEST(Claimants, OfTwoProcessesSideBySideTheOneIsRefusedThatDoesNotAnswerAtTheAddress) {
  for (const bool first_answers : {false, true}) {
    Claimants claimants;
    const Found found = run_beside(claimants, first_answers, !first_answers);
    EXPECT_GE(found.ms, 30'000);
    EXPECT_LE(found.ms, 30'500);
    EXPECT_EQ(found.processes, 1U) << "said once";
    EXPECT_EQ(claimants.refused(), std::vector<Incarnation>{first_answers ? kSecond : kFirst});
  }
}

// Behind one address that two machines share: nobody knows which of them has what.
TEST(Claimants, TwoProcessesThatBothAnswerAtTheAddressAreBothRefused) {
  Claimants claimants;
  const Found found = run_beside(claimants, true, true);
  EXPECT_GE(found.ms, 30'000);
  EXPECT_LE(found.ms, 30'500);
  EXPECT_EQ(found.processes, 2U);
  EXPECT_EQ(claimants.refused(), (std::vector<Incarnation>{kFirst, kSecond}));
}

TEST(Claimants, WhileNeitherOfTwoProcessesAnswersNeitherIsRefused) {
  Claimants claimants;
  EXPECT_EQ(run_beside(claimants, false, false).processes, 0U);
  const Sender second{kSecond, 50};
  claimants.answered(kSecond, at(59'000));
  EXPECT_EQ(claimants.see(second.ping(60'500), at(60'503)), 1U);
  EXPECT_EQ(claimants.refused(), std::vector<Incarnation>{kFirst});
}

// What it was asked before both were heard it may have answered before it died.
TEST(Claimants, AnAnswerFromBeforeBothWereHeardProvesNothing) {
  Claimants claimants;
  const Sender first{kFirst, 0};
  const Sender second{kSecond, 0};
  for (std::int64_t ms = 0; ms <= 60'000; ms += 500) {
    EXPECT_EQ(claimants.see(first.ping(ms), at(ms)), 0U);
    if (ms < 10'000) claimants.answered(kFirst, at(ms));
    if (ms >= 10'000) {
      EXPECT_EQ(claimants.see(second.ping(ms), at(ms)), 0U);
    }
  }
}

// The setting allows for a ping per minute.
TEST(Claimants, TwoProcessesThatPingRarelyAreFoundToo) {
  for (const std::int64_t interval_ms : {3'500, 10'000, 60'000}) {
    Claimants claimants;
    const Found found = run_beside(claimants, true, false, interval_ms);
    EXPECT_GE(found.ms, 30'000);
    EXPECT_LE(found.ms, 30'000 + 4 * interval_ms);
    EXPECT_EQ(claimants.refused(), std::vector<Incarnation>{kSecond});
  }
}

TEST(Claimants, AProcessThatStopsIsNoClaimantHoweverLongItDrains) {
  Claimants claimants;
  const Sender first{kFirst, 0};
  const Sender second{kSecond, 0};
  for (std::int64_t ms = 0; ms <= 90'000; ms += 500) {
    Sighting old = first.ping(ms);
    old.stopping = ms >= 5'000;
    EXPECT_EQ(claimants.see(old, at(ms)), 0U);
    if (ms < 6'000) continue;
    EXPECT_EQ(claimants.see(second.ping(ms), at(ms)), 0U);
    claimants.answered(kSecond, at(ms));
  }
}

TEST(Claimants, WhoIsStartedAnewIsTakenAndNotRefusedForOneThatIsRefused) {
  Claimants claimants;
  const Sender second{kSecond, 50};
  const Sender third{kThird, 0};
  run_beside(claimants, true, true);
  ASSERT_EQ(claimants.refused().size(), 2U);
  for (std::int64_t ms = 60'500; ms <= 120'000; ms += 500) {
    claimants.answered(kSecond, at(ms));
    claimants.answered(kThird, at(ms));
    EXPECT_EQ(claimants.see(third.ping(ms), at(ms)), 0U);
    EXPECT_EQ(claimants.see(second.ping(ms), at(ms)), 0U);
  }
  EXPECT_EQ(claimants.refused(), (std::vector<Incarnation>{kFirst, kSecond}));
}

// Frames of a dead process come late, in any order, twice, and again; its successor runs.
TEST(Claimants, NoRestartLooksLikeTwoProcessesHoweverLateTheFramesOfTheFirstAre) {
  std::mt19937_64 random(17);
  for (int round = 0; round < 200; ++round) {
    Claimants claimants;
    struct Arrival {
      std::int64_t ms;
      Sighting sighting;
    };
    std::vector<Arrival> arrivals;
    std::int64_t start = 0;
    for (std::uint64_t process = 1; process <= 6; ++process) {
      Sender sender{{process}, static_cast<std::int64_t>(random() % 1'000'000)};
      sender.link = random();
      const std::int64_t end = start + static_cast<std::int64_t>(random() % 40'000);
      for (std::int64_t ms = start; ms < end; ms += 500) {
        if (random() % 20 == 0) sender.link = random();
        const std::uint64_t held_up = random() % 3 == 0 ? 5'000 : 50;
        arrivals.push_back({ms + static_cast<std::int64_t>(random() % held_up), sender.ping(ms)});
        if (random() % 5 == 0) {  // and once more
          arrivals.push_back({ms + static_cast<std::int64_t>(random() % 60'000), sender.ping(ms)});
        }
      }
      start = end;
    }
    std::sort(arrivals.begin(), arrivals.end(),
              [](const Arrival& a, const Arrival& b) { return a.ms < b.ms; });
    for (const Arrival& arrival : arrivals) {
      // The worst case: whoever is heard is thought to answer, too.
      claimants.answered(arrival.sighting.incarnation, at(arrival.ms));
      ASSERT_FALSE(claimants.see(arrival.sighting, at(arrival.ms))) << round << " " << arrival.ms;
    }
  }
}

// What a connection held when its sender died comes in one go, or slowly.
TEST(Claimants, WhatADeadProcessHasLeftOnTheWayDoesNotMakeItLive) {
  Claimants claimants;
  const Sender first{kFirst, 0};
  const Sender second{kSecond, 0};
  for (std::int64_t ms = 0; ms <= 10'000; ms += 500) claimants.see(first.ping(ms), at(ms));
  // Nothing comes for a minute, then all at once, beside the new process.
  for (std::int64_t ms = 10'500; ms <= 70'000; ms += 500) {
    EXPECT_FALSE(claimants.see(first.ping(ms), at(70'000 + ms / 100)));
  }
  for (std::int64_t ms = 70'000; ms <= 130'000; ms += 500) {
    EXPECT_FALSE(claimants.see(second.ping(ms), at(ms + 800)));
    claimants.answered(kSecond, at(ms));
  }
}

// A proxy that holds a thin line's data for 25 s hands it on at the pace at which it came: the dead
// process is heard beside its successor, which nothing must befall.
TEST(Claimants, ADeadProcessThatIsHeardAtItsPaceDoesNotTakeItsSuccessorAlong) {
  constexpr std::int64_t kLate = 25'000;
  Claimants claimants;
  const Sender first{kFirst, 0};
  const Sender second{kSecond, 0};
  for (std::int64_t ms = 0; ms <= 90'000; ms += 500) {
    if (ms < 30'000) claimants.answered(kFirst, at(ms));
    if (ms >= kLate && ms < 30'000 + kLate) claimants.see(first.ping(ms - kLate), at(ms));
    if (ms < 30'500) continue;
    claimants.see(second.ping(ms), at(ms));
    claimants.answered(kSecond, at(ms));
  }
  EXPECT_EQ(claimants.refused(), std::vector<Incarnation>{kFirst}) << "which is dead";
}

// D2: a machine that was copied while it ran. Both go on with the clock that they had, and each
// connects anew.
TEST(Claimants, OneIncarnationThatUsesTwoLinksAtOnceRunsTwice) {
  Claimants claimants;
  Sender original{kFirst, 0, 7};
  Sender copy{kFirst, -200, 9};  // stood still for a moment longer
  for (std::int64_t ms = 0; ms < 5'000; ms += 500) {
    ASSERT_FALSE(claimants.see(original.ping(ms), at(ms)));
  }
  original.link = 8;
  EXPECT_FALSE(claimants.see(original.ping(5'000), at(5'000)));
  EXPECT_FALSE(claimants.see(copy.ping(5'400), at(5'400)));
  EXPECT_EQ(claimants.see(original.ping(5'500), at(5'500)), 1U);
  EXPECT_EQ(claimants.refused(), std::vector<Incarnation>{kFirst});
  EXPECT_FALSE(claimants.see(copy.ping(5'900), at(5'900))) << "said once";
}

// Each shard has its links, and each shard's copy connects anew.
TEST(Claimants, TheCopyOfAMachineWithManyShardsIsFound) {
  Claimants claimants;
  std::size_t news = 0;
  for (std::int64_t ms = 0; ms <= 3'000; ms += 500) {
    for (unsigned shard = 0; shard < 64; ++shard) {
      const Sender original{kFirst, 0, 100 + shard, shard};
      news += claimants.see(original.ping(ms), at(ms));
    }
    for (unsigned shard = 0; shard < 64 && ms >= 1'000; ++shard) {
      const Sender copy{kFirst, -200, 1'000 + shard, shard};
      news += claimants.see(copy.ping(ms), at(ms));
    }
  }
  EXPECT_EQ(news, 1U);
  EXPECT_EQ(claimants.refused(), std::vector<Incarnation>{kFirst});
}

// The copy stood still for an hour; who was started since knows no older links of either.
TEST(Claimants, ACopyWhoseClockIsFarBehindIsFoundByWhoHasJustStarted) {
  Claimants claimants;
  const Sender original{kFirst, 4'000'000, 7};
  const Sender copy{kFirst, 400'000, 9};
  std::int64_t found = -1;
  for (std::int64_t ms = 0; ms <= 60'000 && found < 0; ms += 500) {
    std::size_t news = claimants.see(original.ping(ms), at(ms));
    news += claimants.see(copy.ping(ms), at(ms + 100));
    if (news > 0) found = ms;
  }
  EXPECT_GE(found, 20'000);
  EXPECT_LE(found, 20'500);
}

// One process: its first link ended, and a proxy hands on what it holds of it.
TEST(Claimants, ALinkThatDrainsLateBesideTheNextOneIsNoSecondProcess) {
  constexpr std::int64_t kLate = 50'000;
  Claimants claimants;
  const Sender before{kFirst, 0, 7};
  const Sender after{kFirst, 0, 8};
  for (std::int64_t ms = 0; ms <= 120'000; ms += 500) {
    if (ms >= kLate && ms < 30'000 + kLate) {
      EXPECT_EQ(claimants.see(before.ping(ms - kLate), at(ms)), 0U) << ms;
    }
    if (ms >= 30'000) {
      EXPECT_EQ(claimants.see(after.ping(ms), at(ms)), 0U) << ms;
    }
  }
}

TEST(Claimants, LinksOneAfterTheOtherAreThoseOfOneProcessInWhateverOrderTheirFramesCome) {
  Claimants claimants;
  Sender sender{kFirst, 0};
  std::vector<Sighting> sent;
  for (std::int64_t ms = 0; ms < 50'000; ms += 500) {
    sender.link = 1 + static_cast<std::uint64_t>(ms) / 3'000;
    sent.push_back(sender.ping(ms));
    // Down and up within one turn: two links at one time.
    if (ms % 3'000 == 2'500) {
      ++sender.link;
      sent.push_back(sender.ping(ms));
    }
  }
  std::mt19937_64 random(3);
  for (int round = 0; round < 50; ++round) {
    std::shuffle(sent.begin(), sent.end(), random);
    for (const Sighting& one : sent) ASSERT_FALSE(claimants.see(one, at(round)));
  }
}

TEST(Claimants, EachShardHasALinkOfItsOwn) {
  Claimants claimants;
  for (std::int64_t ms = 0; ms < 60'000; ms += 500) {
    for (unsigned shard = 0; shard < 4; ++shard) {
      const Sender sender{kFirst, 0, 100 + shard, shard};
      EXPECT_FALSE(claimants.see(sender.ping(ms + shard), at(ms)));
    }
  }
}

// A process of a version that does not tell its links.
TEST(Claimants, WithoutLinksOneIncarnationIsOneProcess) {
  Claimants claimants;
  const Sender first{kFirst, 0, 0};
  const Sender second{kFirst, 100, 0};
  for (std::int64_t ms = 0; ms < 60'000; ms += 500) {
    EXPECT_FALSE(claimants.see(first.ping(ms), at(ms)));
    EXPECT_FALSE(claimants.see(second.ping(ms), at(ms)));
  }
}

TEST(Claimants, OfManyProcessesTheOldestAreForgotten) {
  Claimants claimants;
  for (std::uint64_t i = 1; i <= 1000; ++i) {
    const Sender sender{{i}, 0};
    claimants.see(sender.ping(0), at(static_cast<std::int64_t>(i)));
  }
  EXPECT_TRUE(claimants.refused().empty());
}

}  // namespace
}  // namespace stator

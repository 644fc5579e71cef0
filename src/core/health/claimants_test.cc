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

// D3: the copy of a disk, started beside the original.
TEST(Claimants, TwoProcessesThatAreHeardSideBySideAreBothRefused) {
  Claimants claimants;
  const Sender first{kFirst, 1'000'000};
  const Sender second{kSecond, 50};
  std::int64_t found = -1;
  for (std::int64_t ms = 0; ms <= 60'000; ms += 500) {
    bool news = claimants.see(first.ping(ms), at(ms));
    if (ms >= 10'000) news = claimants.see(second.ping(ms), at(ms + 3)) || news;
    if (news && found < 0) found = ms;
    EXPECT_FALSE(news && found != ms) << "said once";
  }
  EXPECT_GE(found, 30'000);
  EXPECT_LE(found, 30'500);
  EXPECT_EQ(claimants.refused(), (std::vector<Incarnation>{kFirst, kSecond}));
}

TEST(Claimants, WhoIsStartedAnewIsTakenUnlessAnotherOneGoesOn) {
  Claimants claimants;
  const Sender first{kFirst, 0};
  const Sender second{kSecond, 0};
  const Sender third{kThird, 0};
  for (std::int64_t ms = 0; ms <= 25'000; ms += 500) {
    claimants.see(first.ping(ms), at(ms));
    claimants.see(second.ping(ms), at(ms));
  }
  ASSERT_EQ(claimants.refused().size(), 2U);
  for (std::int64_t ms = 25'500; ms <= 40'000; ms += 500) claimants.see(third.ping(ms), at(ms));
  EXPECT_EQ(claimants.refused(), (std::vector<Incarnation>{kFirst, kSecond}));
  for (std::int64_t ms = 40'500; ms <= 65'000; ms += 500) {
    claimants.see(third.ping(ms), at(ms));
    claimants.see(second.ping(ms), at(ms));
  }
  EXPECT_EQ(claimants.refused(), (std::vector<Incarnation>{kFirst, kSecond, kThird}));
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
  }
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
  EXPECT_TRUE(claimants.see(original.ping(5'500), at(5'500)));
  EXPECT_EQ(claimants.refused(), std::vector<Incarnation>{kFirst});
  EXPECT_FALSE(claimants.see(copy.ping(5'900), at(5'900))) << "said once";
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

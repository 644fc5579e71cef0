#include "core/load/drain_pace.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <limits>
#include <vector>

#include "base/random.h"
#include "core/load/drain_shares.h"

namespace stator {
namespace {

constexpr std::uint64_t kMost = 32 << 20;  // of an owner, ever
constexpr std::uint64_t kAny = std::numeric_limits<std::uint64_t>::max();

/// Keepers that deliver to one owner, which answers after a moment; all of them by the clock of
/// delivery (node/hint_delivery.h), a tick each 10 ms.
struct Drain {
  Drain(std::size_t keepers, std::uint64_t pieces, std::uint64_t cost) : piece(cost) {
    for (std::size_t i = 0; i < keepers; ++i) all.push_back({.left = pieces * cost});
  }
  struct Keeper {
    DrainPace pace{};
    std::uint64_t left = 0;
    MonoTime not_before{};
  };

  DrainShares shares;
  std::vector<Keeper> all;
  std::uint64_t piece;
  std::uint64_t spare = kMost;  // what the owner takes now
  MonoTime now = MonoTime{} + seconds(5);
  std::deque<std::uint64_t> lately{};  // by tick, within a second
  std::uint64_t in_last_second = 0;
  std::uint64_t most_in_a_second = 0;
  std::uint64_t most_in_a_tick = 0;

  void tick() {
    std::uint64_t sent = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
      Keeper& keeper = all[i];
      if (keeper.left == 0) continue;
      keeper.pace.look(keeper.left, kAny, now);
      while (keeper.left > 0 && keeper.pace.may_send() && now >= keeper.not_before) {
        keeper.pace.on_sent(piece);
        keeper.left -= piece;
        sent += piece;
        const Duration pause = shares.pause(i, piece, keeper.pace.least_per_second(),
                                            {.now = spare, .most = kMost}, now);
        keeper.not_before = now + pause;
      }
    }
    most_in_a_tick = std::max(most_in_a_tick, sent);
    lately.push_back(sent);
    in_last_second += sent;
    if (lately.size() > 100) {
      in_last_second -= lately.front();
      lately.pop_front();
    }
    most_in_a_second = std::max(most_in_a_second, in_last_second);
    now = now + milliseconds(10);
  }
  [[nodiscard]] bool done() const {
    return std::all_of(all.begin(), all.end(), [](const Keeper& each) { return each.left == 0; });
  }
  /// How long it takes, up to five minutes.
  double seconds_until_done() {
    const MonoTime began = now;
    while (!done() && now - began < seconds(300)) tick();
    return static_cast<double>((now - began).ns) / 1e9;
  }
};

TEST(DrainPace, AMinutesBacklogTakesAboutHalfOfTheTime) {  // G22
  constexpr std::uint64_t kPieces = 20'000;
  constexpr std::uint64_t kCost = 5'000;
  Drain drain(4, kPieces, kCost);
  const double took_s = drain.seconds_until_done();
  EXPECT_GT(took_s, 40);
  EXPECT_LT(took_s, 65);
  // As evenly as it can.
  EXPECT_LE(drain.most_in_a_second, 4 * kPieces * kCost / 40);
  EXPECT_LE(drain.most_in_a_tick, drain.most_in_a_second / 20);
}

TEST(DrainPace, AnOwnerThatIsBusyAllTheTimeGetsItInTimeToo) {  // D14, G22
  for (const std::uint64_t cost : {5'000ULL, 70'000ULL, 1'000'000ULL}) {
    Drain drain(4, 100'000'000 / cost, cost);
    drain.spare = 1;
    const double took_s = drain.seconds_until_done();
    EXPECT_GT(took_s, 80) << cost << ": no faster than it must";
    EXPECT_LT(took_s, 115) << cost;
  }
}

TEST(DrainPace, FewAreDeliveredSoon) {
  Drain one(1, 1, 5'000);
  EXPECT_LT(one.seconds_until_done(), 0.1);
  Drain few(4, 20, 5'000);
  EXPECT_LT(few.seconds_until_done(), 1.5);
  Drain some(4, 1'000, 5'000);
  EXPECT_LT(some.seconds_until_done(), 10);
}

TEST(DrainPace, ItBeginsSlowly) {  // D15
  Drain drain(1, 1'000'000, 5'000);
  for (int i = 0; i < 100; ++i) drain.tick();
  EXPECT_LE(drain.in_last_second, DrainPace::kStart + 2 * drain.piece);
  for (int i = 0; i < 100; ++i) drain.tick();
  EXPECT_LE(drain.in_last_second, 2 * DrainPace::kStart + 2 * drain.piece);
  EXPECT_GE(drain.in_last_second, DrainPace::kStart);
}

TEST(DrainPace, ABacklogWithoutBoundsFloodsNobody) {  // D15
  Drain drain(4, 1'000'000, 100'000);
  drain.spare = 1;
  for (int i = 0; i < 6'000; ++i) drain.tick();
  EXPECT_LE(drain.most_in_a_second, kMost * 11 / 10);
  EXPECT_GE(drain.in_last_second, kMost * 8 / 10) << "and yet it goes on";
}

TEST(DrainPace, WhatANodeCanSpareIsTheMostButForTheLeast) {
  DrainPace pace;
  MonoTime now = MonoTime{} + seconds(5);
  const auto after_a_while = [&](std::uint64_t backlog, std::uint64_t most) {
    pace.end();
    for (int i = 0; i < 2'000; ++i, now = now + milliseconds(10)) pace.look(backlog, most, now);
    return pace.per_second();
  };
  const std::uint64_t late = after_a_while(1'000'000'000, 5'000'000);
  EXPECT_EQ(late, pace.least_per_second());
  EXPECT_GT(late, 10'000'000U);
  EXPECT_EQ(after_a_while(100'000'000, 1'500'000), 1'500'000U);
  EXPECT_EQ(after_a_while(1'000, 1), DrainPace::kTrickle);
}

TEST(DrainPace, ARestIsNotMadeUpForInABurst) {
  DrainPace pace;
  MonoTime now = MonoTime{} + seconds(5);
  for (int i = 0; i < 100; ++i, now = now + milliseconds(100)) pace.look(1'000'000, kAny, now);
  now = now + seconds(60);
  pace.look(1'000'000, kAny, now);
  std::uint64_t sent = 0;
  for (; pace.may_send(); sent += 1'000) pace.on_sent(1'000);
  EXPECT_LE(sent, pace.per_second() / 50 + 2'000);
}

TEST(DrainPace, AfterAnEndItBeginsAnew) {
  DrainPace pace;
  MonoTime now = MonoTime{} + seconds(5);
  for (int i = 0; i < 100; ++i, now = now + milliseconds(100)) pace.look(1'000'000'000, kAny, now);
  ASSERT_GT(pace.per_second(), DrainPace::kStart * 8);
  pace.end();
  pace.look(1'000'000'000, kAny, now);
  EXPECT_EQ(pace.per_second(), DrainPace::kStart);
}

// One damaged hint keeps a walk going for ever. It is no reason to ask for what the worst moment
// took, nor is what comes hours later to be hurried for that.
TEST(DrainPace, WhenAllHasBeenMetTheWorstMomentIsForgotten) {  // D15, D30
  constexpr std::uint64_t kLeft = 5'000;
  DrainPace pace;
  MonoTime now = MonoTime{} + seconds(5);
  const auto look_for = [&](Duration time, std::uint64_t backlog) {
    for (const MonoTime end = now + time; now < end; now = now + milliseconds(100)) {
      pace.look(backlog, kAny, now);
    }
  };
  look_for(seconds(20), 1'000'000'000);
  look_for(seconds(30), kLeft);
  ASSERT_GE(pace.least_per_second(), 10'000'000U) << "not before all was met";
  ASSERT_GE(pace.per_second(), 20'000'000U);
  pace.on_walked(false);
  look_for(milliseconds(100), kLeft);
  EXPECT_EQ(pace.least_per_second(), DrainPace::kTrickle);
  EXPECT_EQ(pace.per_second(), DrainPace::kSmall) << "and it does not begin slowly again";
  for (int second = 0; second < 3'600; ++second) {
    look_for(seconds(1), kLeft);
    pace.on_walked(false);
  }
  look_for(milliseconds(100), 200'000'000);
  EXPECT_LE(pace.least_per_second(), 200'000'000U / 98);
  EXPECT_LE(pace.per_second(), 200'000'000U / 48);
}

TEST(DrainPace, WhatFailedKeepsItsTimeUntilThatIsOver) {  // G22
  constexpr std::uint64_t kBacklog = 1'000'000'000;
  DrainPace pace;
  MonoTime now = MonoTime{} + seconds(5);
  std::uint64_t least = 0;
  for (int walk = 0; walk < 10; ++walk) {
    for (int i = 0; i < 90; ++i, now = now + milliseconds(100)) pace.look(kBacklog / 10, 0, now);
    EXPECT_GE(pace.least_per_second(), least);
    least = pace.least_per_second();
    pace.on_walked(true);
  }
  ASSERT_GE(least, kBacklog / 10 / 12);
  for (int i = 0; i < 110; ++i, now = now + milliseconds(100)) pace.look(kBacklog / 10, 0, now);
  pace.on_walked(true);  // nothing is left to keep to
  pace.look(kBacklog / 10, 0, now);
  EXPECT_LE(pace.least_per_second(), kBacklog / 10 / 98);
}

TEST(DrainPace, ALargePieceThatWasSentInItsTimeIsNotPaidForAtALowerPace) {
  DrainPace pace;
  MonoTime now = MonoTime{} + seconds(5);
  pace.look(100'000'000, 0, now);
  pace.on_sent(100'000'000);
  ASSERT_FALSE(pace.may_send());
  pace.on_walked(false);
  pace.look(1'000, 0, now + milliseconds(10));
  EXPECT_TRUE(pace.may_send());
}

// There for a second, away for a second: with a beginning of its own each second would have an
// eighth of what a small backlog goes with.
TEST(DrainPace, WhoComesAndGoesGetsAllInTheTimeThatItIsThere) {  // D14, G22
  Drain drain(4, 10'000, 5'000);
  int visits = 0;
  for (; !drain.done() && visits < 200; ++visits) {
    for (int i = 0; i < 100; ++i) drain.tick();
    for (auto& keeper : drain.all) keeper.pace.rest();
    drain.now = drain.now + seconds(1);
  }
  EXPECT_GT(visits, 35) << "no faster than one that stays";
  EXPECT_LT(visits, 65);
}

TEST(DrainPace, WhoWasAwayForLongBeginsAnewAndWhoWasNotGoesOn) {  // D15
  DrainPace pace;
  MonoTime now = MonoTime{} + seconds(5);
  const auto look_for = [&](Duration time) {
    for (const MonoTime end = now + time; now < end; now = now + milliseconds(100)) {
      pace.look(1'000'000'000, kAny, now);
    }
  };
  look_for(seconds(10));
  const std::uint64_t before = pace.per_second();
  ASSERT_GT(before, DrainPace::kStart * 8);
  const auto away_for = [&](Duration time) {
    for (const MonoTime back = now + time; now < back; now = now + seconds(1)) pace.rest();
    pace.look(1'000'000'000, kAny, now);
  };
  away_for(seconds(9));
  EXPECT_EQ(pace.per_second(), before) << "its time has stood still";
  away_for(seconds(11));
  EXPECT_EQ(pace.per_second(), DrainPace::kStart);
}

// Any backlog, any absences, any owner and keeper that have something to spare or nothing, hints
// that cannot be delivered, hints that come meanwhile; all this in few steps, without pieces.
class AnyDrain {
 public:
  explicit AnyDrain(std::uint64_t seed) : random_(seed) {
    comes_and_goes_ = random_.chance(0.5);
    stuck_ = random_.chance(0.5) ? random_.below(1'000'000) : 0;
  }
  /// All of a backlog is met; returns for how long the owner was there.
  Duration drain() {
    std::uint64_t left = random_.below(std::uint64_t{1} << random_.between(12, 32));
    Duration there{};
    while (left > 0 && there < seconds(400)) {
      step(left);
      left -= std::min(left, pace.per_second() / 4);
      there = there + kStep;
      if (random_.chance(0.2)) later_ += random_.below(20'000);
      if (comes_and_goes_ && random_.chance(0.1)) go_away(left);
    }
    return there;
  }
  void step(std::uint64_t left) {
    look(left);
    now_ = now_ + kStep;
  }
  /// What stays when all has been met.
  [[nodiscard]] std::uint64_t rest() const { return stuck_ + later_; }

  DrainPace pace;

 private:
  static constexpr Duration kStep = milliseconds(250);

  void look(std::uint64_t left) {
    pace.look(left + rest(), random_.chance(0.5) ? 0 : random_.below(64 << 20), now_);
  }
  void go_away(std::uint64_t left) {
    look(left);
    pace.rest();
    now_ = now_ + milliseconds(static_cast<std::int64_t>(random_.below(9'900)));
  }

  SplitMix64 random_;
  MonoTime now_ = MonoTime{} + seconds(5);
  bool comes_and_goes_ = false;
  std::uint64_t stuck_ = 0;
  std::uint64_t later_ = 0;
};

TEST(DrainPace, NoTimeSlidesAndNoPaceOutlivesIt) {  // D14, D15, G22
  for (std::uint64_t seed = 1; seed <= 10'000; ++seed) {
    AnyDrain any(seed);
    for (int backlog = 0; backlog < 3; ++backlog) {
      // A look later than it could be, and the slow beginning.
      ASSERT_LE(any.drain(), DrainPace::kLatest + seconds(1)) << "seed " << seed;
      any.pace.on_walked(false);
      any.step(0);
      ASSERT_LE(any.pace.least_per_second(), std::max(DrainPace::kTrickle, any.rest() / 99))
          << "seed " << seed;
      ASSERT_LE(any.pace.per_second(), std::max(DrainPace::kSmall, any.rest() / 49))
          << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace stator

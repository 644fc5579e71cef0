#include "core/load/drain_pace.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <limits>
#include <vector>

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

// It was away once more: it has as much to do as the first time.
TEST(DrainPace, AfterAnEndItBeginsAnew) {
  DrainPace pace;
  MonoTime now = MonoTime{} + seconds(5);
  for (int i = 0; i < 100; ++i, now = now + milliseconds(100)) pace.look(1'000'000'000, kAny, now);
  ASSERT_GT(pace.per_second(), DrainPace::kStart * 8);
  pace.end();
  pace.look(1'000'000'000, kAny, now);
  EXPECT_EQ(pace.per_second(), DrainPace::kStart);
}

}  // namespace
}  // namespace stator

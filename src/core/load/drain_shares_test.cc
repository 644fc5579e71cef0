#include "core/load/drain_shares.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

namespace stator {
namespace {

constexpr std::uint64_t kPiece = 8 << 10;

/// Some who deliver, each with so many pieces under way at a time, which wait as they are told.
struct Senders {
  explicit Senders(std::array<std::uint64_t, 3> paces) : paces_(paces) {}

  DrainShares shares;
  DrainShares::Rates rates{.now = 1 << 20, .most = 8 << 20};
  MonoTime now = MonoTime{} + seconds(5);
  std::array<bool, 3> sends{true, true, true};
  std::array<MonoTime, 3> not_before{};

  /// Bytes per second of each.
  std::array<double, 3> run(Duration time, int window = 1) {
    std::array<double, 3> got{};
    for (const MonoTime end = now + time; now < end; now = now + milliseconds(1)) {
      for (std::size_t i = 0; i < paces_.size(); ++i) {
        if (!sends[i] || now < not_before[i]) continue;
        for (int piece = 0; piece < window; ++piece) {
          const Duration pause = shares.pause(100 + i, kPiece, paces_[i], rates, now);
          not_before[i] = std::max(not_before[i], now + pause);
          got[i] += static_cast<double>(kPiece) * 1e9 / static_cast<double>(time.ns);
        }
      }
    }
    return got;
  }

 private:
  std::array<std::uint64_t, 3> paces_;
};

TEST(DrainShares, WhatThereIsGoesToEachAsItNeeds) {
  Senders senders({100'000, 200'000, 300'000});
  senders.run(seconds(1));
  const auto got = senders.run(seconds(10));
  EXPECT_NEAR(got[0], (1 << 20) / 6.0, 20'000);
  EXPECT_NEAR(got[1], (1 << 20) / 3.0, 20'000);
  EXPECT_NEAR(got[2], (1 << 20) / 2.0, 30'000);
}

TEST(DrainShares, SeveralPiecesAtATimeAreNoWayToGetMore) {  // D15
  Senders senders({100'000, 100'000, 100'000});
  senders.run(seconds(1), 16);
  const auto got = senders.run(seconds(20), 16);
  EXPECT_LE(got[0] + got[1] + got[2], (1 << 20) * 1.1);
}

TEST(DrainShares, ABusyNodeTakesWhatIsNeededInTimeAllTheSame) {  // D14, G22
  Senders senders({100'000, 200'000, 300'000});
  senders.rates.now = 1;
  senders.run(seconds(1));
  const auto got = senders.run(seconds(10));
  EXPECT_NEAR(got[0], 100'000, 10'000);
  EXPECT_NEAR(got[1], 200'000, 10'000);
  EXPECT_NEAR(got[2], 300'000, 10'000);
}

TEST(DrainShares, NoNeedIsMoreThanTheMost) {  // D15
  Senders senders({1'000'000'000, 2'000'000'000, 0});
  senders.rates = {.now = 1, .most = 1 << 20};
  senders.run(seconds(1), 4);
  const auto got = senders.run(seconds(20), 4);
  EXPECT_LE(got[0] + got[1] + got[2], (1 << 20) * 1.1);
  EXPECT_GT(got[0], (1 << 20) / 6.0);
}

TEST(DrainShares, WhoDoesNotSayWhatItNeedsIsNotKeptOut) {  // of an earlier version
  Senders senders({0, 0, 100'000});
  const auto got = senders.run(seconds(10));
  EXPECT_GE(got[0], static_cast<double>(DrainShares::kPaceMin) * 0.9);
  EXPECT_GE(got[1], static_cast<double>(DrainShares::kPaceMin) * 0.9);
}

TEST(DrainShares, ThePartOfWhoHasEndedGoesToTheOthers) {
  Senders senders({100'000, 100'000, 100'000});
  senders.run(seconds(1));
  senders.sends = {true, false, false};
  senders.run(DrainShares::kForgetAfter + seconds(1));
  EXPECT_NEAR(senders.run(seconds(10))[0], 1 << 20, 100'000);
}

TEST(DrainShares, NobodyIsToldToWaitForLong) {
  DrainShares shares;
  const MonoTime now = MonoTime{} + seconds(5);
  const DrainShares::Rates rates{.now = 1, .most = 1 << 20};
  EXPECT_EQ(shares.pause(1, 1ULL << 40, 0, rates, now), DrainShares::kPauseMax);
  EXPECT_EQ(shares.pause(1, 1ULL << 62, 0, rates, now), DrainShares::kPauseMax);
}

}  // namespace
}  // namespace stator

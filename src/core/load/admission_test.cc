#include "core/load/admission.h"

#include <gtest/gtest.h>

#include <deque>

namespace stator {
namespace {

/// A node that answers so many requests per second, in order, whatever it is asked.
struct Model {
  explicit Model(std::int64_t answers_per_second) : per_ms(answers_per_second / 1000) {}

  Admission admission{100'000};
  std::int64_t per_ms;
  MonoTime now = MonoTime{} + seconds(5);
  std::deque<MonoTime> queue;
  std::int64_t offered = 0;
  std::int64_t answered = 0;
  std::int64_t refused = 0;
  Duration longest{};

  void run(Duration time, std::int64_t offers_per_ms) {
    for (const MonoTime end = now + time; now < end; now = now + milliseconds(1)) {
      for (std::int64_t i = 0; i < offers_per_ms; ++i) {
        ++offered;
        if (!admission.admits()) {
          ++refused;
          continue;
        }
        admission.on_begin();
        queue.push_back(now);
      }
      for (std::int64_t i = 0; i < per_ms && !queue.empty(); ++i) {
        longest = std::max(longest, now - queue.front());
        queue.pop_front();
        admission.on_answer();
        ++answered;
      }
      admission.look(now);
    }
  }
  void forget() {
    offered = answered = refused = 0;
    longest = {};
  }
};

TEST(Admission, BelowCapacityNobodyIsRefused) {
  Model model(40'000);
  model.run(seconds(10), 38);
  EXPECT_EQ(model.refused, 0);
  EXPECT_LE(model.longest, milliseconds(2));
}

TEST(Admission, ThreeTimesOverloadServesWhatFitsAndRefusesTheRestInBoundedTime) {  // G21
  Model model(40'000);
  model.run(seconds(2), 30);
  model.forget();
  model.run(seconds(60), 120);
  EXPECT_GE(model.answered, 60 * 40'000 * 99 / 100);
  EXPECT_NEAR(static_cast<double>(model.refused) / static_cast<double>(model.offered), 2.0 / 3,
              0.01);
  EXPECT_LE(model.longest, Admission::kWaitMax + milliseconds(20));
  EXPECT_LE(model.queue.size(), 40'000U / 10 + 100);
  // It is over when the load is over and the queue has been served.
  model.run(seconds(1), 30);
  model.forget();
  model.run(seconds(5), 38);
  EXPECT_EQ(model.refused, 0);
  EXPECT_LE(model.longest, milliseconds(5));
}

TEST(Admission, ASlowNodeStillTakesABurstOfOrdinaryClients) {
  Model model(2'000);
  model.run(seconds(5), 1);
  for (int burst = 0; burst < 10; ++burst) {
    model.run(milliseconds(1), Admission::kAlways);
    model.run(seconds(3), 0);
  }
  EXPECT_EQ(model.refused, 0);
}

TEST(Admission, ANodeThatStandsStillRefusesBeyondTheBurst) {
  Model model(40'000);
  model.run(seconds(5), 30);
  model.per_ms = 0;
  model.run(seconds(10), 30);
  EXPECT_LE(model.queue.size(), 40'000U / 10 + 100);
  model.run(seconds(10), 30);
  EXPECT_GT(model.refused, 500'000);
  EXPECT_TRUE(model.admission.pressed());
  model.per_ms = 40;
  model.run(seconds(2), 30);
  model.forget();
  model.run(seconds(2), 30);
  EXPECT_EQ(model.refused, 0);
  EXPECT_FALSE(model.admission.pressed());
}

TEST(Admission, AfterARestTheOldRateCounts) {
  Model model(100'000);
  model.run(seconds(2), 95);
  EXPECT_GT(model.admission.limit(), 9'000U);
  model.now = model.now + seconds(3600);
  model.run(milliseconds(60), 90);
  EXPECT_GT(model.admission.limit(), 8'000U);
}

TEST(Admission, ShortlyBeforeTheLimitThereIsRoomForFewOnly) {
  for (const std::size_t most : {std::size_t{16}, std::size_t{100'000}}) {
    Admission admission(most);
    std::size_t plenty = 0;
    for (; admission.room() == Room::kPlenty; ++plenty) admission.on_begin();
    EXPECT_EQ(admission.room(), Room::kLittle) << "those who want little may begin still";
    EXPECT_TRUE(admission.pressed());
    EXPECT_GE(plenty, admission.limit() * 15 / 16);
    while (admission.admits()) admission.on_begin();
    EXPECT_EQ(admission.room(), Room::kNone);
    for (std::size_t left = admission.limit(); left >= plenty; --left) admission.on_answer();
    EXPECT_EQ(admission.room(), Room::kPlenty);
  }
}

TEST(Admission, TheSettingIsTheUpperBound) {
  Admission admission(10);
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(admission.admits());
    admission.on_begin();
  }
  EXPECT_FALSE(admission.admits());
  admission.look(MonoTime{} + seconds(1));
  EXPECT_FALSE(admission.admits());
  admission.on_answer();
  EXPECT_TRUE(admission.admits());
}

}  // namespace
}  // namespace stator

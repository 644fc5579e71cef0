#include "core/load/waiting_line.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

namespace stator {
namespace {

constexpr MonoTime kStart = MonoTime{} + seconds(5);

class WaitingLineTest : public ::testing::Test {
 protected:
  /// Calls whoever is to be called, and says who: their places in `waiters`.
  std::vector<std::size_t> called(Room room = Room::kPlenty) {
    std::vector<std::size_t> found;
    while (const auto call = line.call(now, room)) {
      EXPECT_EQ(call->waiter->place, Waiter::Place::kCalled);
      refusals.push_back(call->refusals);
      found.push_back(static_cast<std::size_t>(call->waiter - waiters.data()));
    }
    return found;
  }
  void join(std::size_t first, std::size_t end) {
    for (std::size_t i = first; i < end; ++i) line.join(waiters[i], now);
  }
  using Order = std::vector<std::size_t>;

  WaitingLine line;
  MonoTime now = kStart;
  std::array<Waiter, 400> waiters;
  std::vector<std::size_t> refusals;
};

TEST_F(WaitingLineTest, WhoCameFirstIsCalledFirstWhenThereIsRoom) {
  join(0, 3);
  EXPECT_TRUE(called(Room::kNone).empty());
  EXPECT_TRUE(called(Room::kLittle).empty()) << "that is for those who want one thing";
  EXPECT_EQ(called(), (Order{0, 1, 2}));
  EXPECT_EQ(refusals, (Order{0, 0, 0})) << "and none is refused anything before its time";
  EXPECT_TRUE(line.empty());
  EXPECT_EQ(line.called(), 3U);
}

TEST_F(WaitingLineTest, NobodyOvertakesThoseWhoWaitOrAreOnTheirWay) {  // D33
  Waiter newcomer;
  EXPECT_TRUE(line.lets_pass(newcomer, Room::kLittle));
  EXPECT_FALSE(line.lets_pass(newcomer, Room::kNone));
  join(0, 1);
  EXPECT_FALSE(line.lets_pass(newcomer, Room::kPlenty));
  ASSERT_EQ(called(), (Order{0}));
  EXPECT_FALSE(line.lets_pass(newcomer, Room::kPlenty)) << "it may take the room before it comes";
  EXPECT_TRUE(line.lets_pass(waiters[0], Room::kLittle));
  EXPECT_FALSE(line.lets_pass(waiters[0], Room::kNone));
  line.pass(waiters[0]);
  EXPECT_TRUE(line.lets_pass(newcomer, Room::kPlenty));
}

TEST_F(WaitingLineTest, WhoFindsNoRoomAtItsTurnStandsWhereItStood) {  // D33
  join(0, 4);
  now = now + milliseconds(100);
  join(4, 6);
  ASSERT_EQ(called(), (Order{0, 1, 2, 3}));
  now = now + milliseconds(1);
  for (const std::size_t back : {2U, 0U, 3U, 1U}) line.keep_place(waiters[back]);
  EXPECT_EQ(waiters[2].since, kStart);
  EXPECT_EQ(called(), (Order{0, 1, 2, 3}));
  for (std::size_t i = 0; i < 4; ++i) line.keep_place(waiters[i]);
  now = kStart + WaitingLine::kWaitMax;
  EXPECT_EQ(called(Room::kNone), (Order{0, 1, 2, 3})) << "and has waited since it came";
}

TEST_F(WaitingLineTest, WhoGotAPartWaitsForTheRestBehindTheOthers) {
  join(0, 3);
  ASSERT_EQ(called(), (Order{0, 1, 2}));
  now = now + milliseconds(50);
  line.join(waiters[0], now);
  line.keep_place(waiters[1]);
  line.pass(waiters[2]);
  EXPECT_EQ(called(), (Order{1, 0}));
  EXPECT_EQ(waiters[0].since, now);
}

TEST_F(WaitingLineTest, WhoHasWaitedLongEnoughIsToldWhateverThereIs) {  // P8: never silence
  join(0, 1);
  now = now + WaitingLine::kWaitMax - milliseconds(1);
  EXPECT_TRUE(called(Room::kNone).empty());
  now = now + milliseconds(1);
  EXPECT_EQ(called(Room::kNone), (Order{0}));
  EXPECT_EQ(refusals, (Order{WaitingLine::kRefusalsPerWait})) << "alone it has all of them";
}

TEST_F(WaitingLineTest, OfManyEachIsToldItsShareAndSomeAtATime) {
  join(0, 400);
  now = now + WaitingLine::kWaitMax;
  EXPECT_EQ(called(Room::kNone).size(), WaitingLine::kCalledMax);
  for (const std::size_t share : refusals) {
    EXPECT_GE(share, WaitingLine::kRefusalsPerWait / 400);
    EXPECT_LE(share, WaitingLine::kRefusalsPerWait / 300);
  }
  EXPECT_TRUE(called(Room::kNone).empty()) << "before these have come";
  for (std::size_t i = 0; i < WaitingLine::kCalledMax; ++i) line.join(waiters[i], now);
  EXPECT_EQ(called(Room::kNone).front(), WaitingLine::kCalledMax);
}

TEST_F(WaitingLineTest, MoreAreCalledAtATimeWhileAllFindRoomAndFewerWhenOneDoesNot) {
  join(0, 400);
  EXPECT_EQ(called().size(), WaitingLine::kCalledMin);
  for (std::size_t i = 0; i < 300; ++i) {
    line.pass(waiters[i]);
    EXPECT_FALSE(called().empty());
  }
  EXPECT_EQ(line.called(), WaitingLine::kCalledMax);
  line.leave(waiters[300]);
  for (std::size_t i = 301; i < 300 + WaitingLine::kCalledMax; ++i) line.keep_place(waiters[i]);
  EXPECT_EQ(called().size(), WaitingLine::kCalledMin);
}

TEST_F(WaitingLineTest, WhoLeavesIsForgottenWhereverItStands) {
  join(0, 5);
  line.leave(waiters[0]);
  line.leave(waiters[2]);
  line.leave(waiters[4]);
  ASSERT_EQ(called(), (Order{1, 3}));
  line.leave(waiters[3]);
  EXPECT_EQ(line.called(), 1U);
  line.leave(waiters[3]);  // is not there any more
  line.leave(waiters[1]);
  EXPECT_EQ(line.called() + line.size(), 0U);
  EXPECT_TRUE(line.lets_pass(waiters[1], Room::kPlenty));
}

/// A node that begins what it has room for and answers so many per millisecond; pipelines that
/// always have more, as the Redis door treats them.
struct Crowd {
  explicit Crowd(std::size_t pipelines) : waiters(pipelines) {}

  Admission admission{100'000};
  WaitingLine line;
  std::vector<Waiter> waiters;
  std::vector<MonoTime> heard = std::vector<MonoTime>(waiters.size(), kStart);
  std::size_t answered = 0;
  std::size_t refused = 0;
  std::size_t visits = 0;
  Duration longest{};  // in which somebody was neither served nor told

  static constexpr std::size_t kCommands = 64;  // that a pipeline holds at a time
  static constexpr std::size_t kPerMs = 15;

  void visit(Waiter& waiter, std::size_t refusals, MonoTime now) {
    ++visits;
    std::size_t done = 0;
    std::size_t told = 0;
    for (; done < kCommands && told < std::max<std::size_t>(refusals, 8); ++done) {
      if (refusals == 0 && !line.lets_pass(waiter, admission.room())) break;
      if (admission.admits()) {
        admission.on_begin();
      } else {
        ++told;
      }
    }
    refused += told;
    if (done > 0) {
      MonoTime& last = heard[static_cast<std::size_t>(&waiter - waiters.data())];
      longest = std::max(longest, now - last);
      last = now;
    }
    if (done == 0 && waiter.place == Waiter::Place::kCalled) {
      line.keep_place(waiter);
    } else {
      line.join(waiter, now);  // it has more at once
    }
  }
  void run(Duration time) {
    const MonoTime begin = kStart;
    for (MonoTime now = begin; now < begin + time; now = now + milliseconds(1)) {
      std::vector<WaitingLine::Call> calls;
      while (const auto call = line.call(now, admission.room())) calls.push_back(*call);
      for (const WaitingLine::Call& call : calls) visit(*call.waiter, call.refusals, now);
      for (std::size_t i = 0; i < kPerMs && admission.waiting() > 0; ++i) {
        admission.on_answer();
        ++answered;
      }
      admission.look(now);
    }
  }
};

TEST(WaitingLine, OfACrowdOfPipelinesWhatFitsIsServedAndAllHearOfItInTime) {  // G21, P8
  Crowd crowd(200);
  for (Waiter& waiter : crowd.waiters) crowd.visit(waiter, 0, kStart);
  constexpr std::int64_t kMs = 20'000;
  crowd.run(milliseconds(kMs));
  EXPECT_EQ(crowd.answered, static_cast<std::size_t>(kMs) * Crowd::kPerMs) << "never idle";
  // Told by its share of what is left over, within twice the wait, and not all at once.
  EXPECT_LE(crowd.longest, WaitingLine::kWaitMax * 2);
  EXPECT_LE(crowd.refused, static_cast<std::size_t>(kMs / WaitingLine::kWaitMax.ms() + 2) *
                               std::max(WaitingLine::kRefusalsPerWait, 200 * std::size_t{8}));
  // Whoever is called for nothing costs a visit: few are.
  EXPECT_LE(crowd.visits, crowd.answered / 10 + crowd.refused / 4 + 1000);
}

}  // namespace
}  // namespace stator

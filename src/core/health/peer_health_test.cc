#include "core/health/peer_health.h"

#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <vector>

namespace stator {
namespace {

constexpr Duration kStep = milliseconds(125);

/// A node that asks its peers, and looks at them eight times per second. Each peer takes for its
/// answers what the test says, as a function of the time; nothing: it does not answer.
class Model {
 public:
  using Takes = std::function<std::optional<Duration>(AnswerKind, MonoTime)>;
  struct Peer {
    PeerHealth health;
    Takes takes;
    int per_step = 20;  // reads, and writes, per look; 0: only pings
    MonoTime asked{};   // of what was never answered: when it was asked first
  };

  /// `far`: how many of them, the last ones, are in another city.
  explicit Model(std::size_t peers, std::size_t far = 0) {
    for (std::size_t i = 0; i < peers; ++i) {
      list_.push_back(std::make_unique<Peer>());
      list_.back()->health.on_link(true);
      list_.back()->health.on_heard(true);
      list_.back()->takes = [](AnswerKind kind, MonoTime) {
        return kind == AnswerKind::kWrite ? milliseconds(2) : microseconds(300);
      };
      if (i + far < peers) continue;
      list_.back()->takes = [](AnswerKind, MonoTime) { return milliseconds(90); };
    }
    for (const auto& peer : list_) all_.push_back(&peer->health);
    run(seconds(2));
  }

  void run(Duration time) {
    for (const MonoTime end = now + time; now < end; now = now + kStep) step();
  }
  /// Runs until peer `i` is thought of so; how long that took, at most `limit`.
  Duration until(std::size_t i, Verdict verdict, Duration limit = seconds(20)) {
    const MonoTime begin = now;
    while (peer(i).health.verdict() != verdict && now - begin < limit) {
      step();
      now = now + kStep;
    }
    return now - begin;
  }
  Peer& peer(std::size_t i) { return *list_[i]; }
  Verdict verdict(std::size_t i) { return peer(i).health.verdict(); }

  MonoTime now = MonoTime{} + seconds(100);
  Surroundings here;
  std::size_t backlog = 0;

 private:
  void step() {
    const bool pings = steps_++ % 4 == 0;
    for (const auto& peer : list_) {
      // New work is for the healthy, and now and then for one who must prove itself.
      int asks = peer->health.healthy() ? peer->per_step : 0;
      for (int i = 0; i < 3; ++i) asks += peer->health.try_it(now + milliseconds(40 * i)) ? 1 : 0;
      for (int i = 0; i < asks; ++i) {
        ask(*peer, AnswerKind::kRead);
        ask(*peer, AnswerKind::kWrite);
      }
      if (pings) ask(*peer, AnswerKind::kPing);
      peer->health.on_backlog(backlog, now);
      peer->health.look(here, all_, now);
    }
  }
  void ask(Peer& peer, AnswerKind kind) {
    peer.health.on_asked(now);
    const auto took = peer.takes(kind, now);
    if (took) peer.health.on_replied();
    // Whoever waits for longer than 50 ms says so.
    if (kind == AnswerKind::kPing) {
      if (took) peer.health.on_round_trip(*took);
    } else {
      peer.health.on_answer(kind, took.value_or(milliseconds(60)));
    }
  }

  std::vector<std::unique_ptr<Peer>> list_;
  std::vector<const PeerHealth*> all_;
  std::size_t steps_ = 0;
};

Model::Takes slow_in(AnswerKind which, Duration takes) {
  return [=](AnswerKind kind, MonoTime) {
    return kind == which ? takes : Duration(microseconds(500));
  };
}
Model::Takes all_take(Duration takes) {
  return [=](AnswerKind, MonoTime) { return takes; };
}
std::optional<Duration> nothing(AnswerKind, MonoTime) {
  return std::nullopt;
}

TEST(PeerHealth, NobodyIsHealthyBeforeItIsHeardUnderOurHistory) {
  PeerHealth health;
  const PeerHealth* all[] = {&health};
  const auto look = [&] { return health.look({}, all, MonoTime{} + seconds(1)); };
  EXPECT_EQ(look(), Verdict::kDown);
  health.on_link(true);
  EXPECT_EQ(look(), Verdict::kDown);
  health.on_heard(false);
  EXPECT_EQ(look(), Verdict::kDown);
  health.on_heard(true);
  EXPECT_EQ(look(), Verdict::kHealthy);
  health.on_link(false);
  EXPECT_EQ(look(), Verdict::kDown);
  health.on_link(true);
  EXPECT_EQ(look(), Verdict::kDown) << "what came on the former link says nothing";
}

TEST(PeerHealth, WhoIsAskedAndSilentIsDownWithinASecondAndWellWhenHeard) {  // D32
  Model model(4);
  const Model::Takes well = model.peer(1).takes;
  model.peer(1).takes = nothing;
  EXPECT_LE(model.until(1, Verdict::kDown), seconds(1));
  EXPECT_EQ(model.verdict(0), Verdict::kHealthy);
  model.run(seconds(30));
  EXPECT_EQ(model.verdict(1), Verdict::kDown);
  model.peer(1).takes = well;
  EXPECT_LE(model.until(1, Verdict::kHealthy), seconds(2));
}

TEST(PeerHealth, WhoComesAndGoesMustStayBeforeItIsTrusted) {  // G19
  Model model(4);
  const Model::Takes well = model.peer(1).takes;
  int trusted = 0;
  for (int flap = 0; flap < 12; ++flap) {
    model.peer(1).takes = nothing;
    model.run(milliseconds(1000));
    EXPECT_FALSE(model.peer(1).health.answers());
    model.peer(1).takes = well;
    for (int i = 0; i < 8; ++i) {
      model.run(kStep);
      trusted += flap >= 3 && model.verdict(1) == Verdict::kHealthy;
    }
  }
  EXPECT_EQ(trusted, 0);
  EXPECT_TRUE(model.peer(1).health.answers());
  EXPECT_LE(model.until(1, Verdict::kHealthy), milliseconds(3500));
  // One silence long after is no flapping.
  model.run(seconds(15));
  model.peer(1).takes = nothing;
  model.run(seconds(2));
  model.peer(1).takes = well;
  EXPECT_LE(model.until(1, Verdict::kHealthy), seconds(2));
}

TEST(PeerHealth, WhoIsNotAskedIsNotSilent) {
  Model model(3);
  model.peer(0).per_step = 0;
  model.run(seconds(60));
  EXPECT_EQ(model.verdict(0), Verdict::kHealthy);
}

TEST(PeerHealth, ASlowDiskIsSeenWithinASecondThoughPingsAndReadsAreFast) {  // D32
  Model model(4);
  const Model::Takes well = model.peer(2).takes;
  model.peer(2).takes = slow_in(AnswerKind::kWrite, milliseconds(200));
  EXPECT_LE(model.until(2, Verdict::kSlow), seconds(1));
  // It stays avoided while it is slow: what it proves by the little work that it gets.
  for (int i = 0; i < 60; ++i) {
    model.run(milliseconds(500));
    EXPECT_EQ(model.verdict(2), Verdict::kSlow) << i;
  }
  EXPECT_TRUE(model.peer(2).health.answers());
  model.peer(2).takes = well;
  EXPECT_LE(model.until(2, Verdict::kHealthy), seconds(3));
  EXPECT_TRUE(model.peer(2).health.doubted(model.now)) << "it may have been well for lack of work";
  EXPECT_FALSE(model.peer(1).health.doubted(model.now));
  model.run(seconds(30));
  EXPECT_EQ(model.verdict(2), Verdict::kHealthy);
  EXPECT_FALSE(model.peer(2).health.doubted(model.now));
}

TEST(PeerHealth, AThinLinkIsSeenWithoutAnyRequest) {
  Model model(4);
  for (std::size_t i = 0; i < 4; ++i) model.peer(i).per_step = 0;
  model.peer(3).takes = all_take(milliseconds(400));
  EXPECT_LE(model.until(3, Verdict::kSlow), seconds(3));
  EXPECT_EQ(model.verdict(0), Verdict::kHealthy);
}

TEST(PeerHealth, BytesThatPileUpAreSlow) {
  Model model(2);
  model.backlog = 10 << 20;
  EXPECT_LE(model.until(0, Verdict::kSlow), seconds(1));
  model.backlog = 0;
  EXPECT_LE(model.until(0, Verdict::kHealthy), seconds(2));
}

TEST(PeerHealth, WhoRefusesMostOfWhatItIsAskedIsAvoided) {
  PeerHealth health;
  const PeerHealth* all[] = {&health};
  health.on_link(true);
  health.on_heard(true);
  MonoTime now = MonoTime{} + seconds(9);
  const auto run = [&](int refused, int answered, int looks) {
    for (int i = 0; i < looks; ++i, now = now + kStep) {
      for (int k = 0; k < refused; ++k) health.on_overloaded();
      for (int k = 0; k < answered; ++k) health.on_answer(AnswerKind::kRead, milliseconds(1));
      health.look({}, all, now);
    }
    return health.verdict();
  };
  EXPECT_EQ(run(3, 20, 20), Verdict::kHealthy);
  EXPECT_EQ(run(20, 3, 2), Verdict::kSlow);
  EXPECT_EQ(run(0, 0, 4), Verdict::kSlow) << "nobody asks it, so it refuses nobody";
  EXPECT_EQ(run(0, 1, 20), Verdict::kHealthy);
}

TEST(PeerHealth, OneSlowAnswerOrOneHiccupAccusesNobody) {
  Model model(4);
  int number = 0;
  model.peer(1).takes = [&](AnswerKind, MonoTime) {
    return ++number % 10 == 0 ? milliseconds(300) : microseconds(400);
  };
  model.run(seconds(20));
  EXPECT_EQ(model.verdict(1), Verdict::kHealthy) << "one of ten late: the hedge's business";
  const MonoTime hiccup = model.now;
  model.peer(1).takes = [=](AnswerKind, MonoTime now) {
    return now - hiccup < kStep ? milliseconds(100) : microseconds(400);
  };
  for (int i = 0; i < 20; ++i) {
    model.run(kStep);
    EXPECT_EQ(model.verdict(1), Verdict::kHealthy);
  }
}

TEST(PeerHealth, WhenAllAreSlowNobodyIs) {  // the trouble is here, or everywhere
  Model model(4);
  for (std::size_t i = 0; i < 4; ++i) model.peer(i).takes = all_take(milliseconds(150));
  for (int i = 0; i < 100; ++i) {
    model.run(kStep);
    if (model.now - MonoTime{} < seconds(104)) continue;  // the medians settle
    for (std::size_t k = 0; k < 4; ++k) EXPECT_EQ(model.verdict(k), Verdict::kHealthy) << i;
  }
}

TEST(PeerHealth, APeerInAnotherCityIsNotSlow) {
  Model model(4, 1);
  for (int i = 0; i < 100; ++i) {
    model.run(kStep);
    EXPECT_EQ(model.verdict(3), Verdict::kHealthy) << i;
  }
  model.peer(3).takes = all_take(seconds(1));
  EXPECT_LE(model.until(3, Verdict::kSlow), seconds(1));
}

TEST(PeerHealth, SelfDoubtStretchesPatience) {
  Model model(4);
  model.here.stretch = 4;
  model.peer(1).takes = nothing;
  const Duration took = model.until(1, Verdict::kDown);
  EXPECT_GE(took, milliseconds(2400));
  EXPECT_LE(took, seconds(3));
}

TEST(PeerHealth, AWitnessMakesASilentPeerASuspectInsteadOfADeadOne) {
  Model model(4);
  PeerHealth& health = model.peer(1).health;
  EXPECT_FALSE(health.worth_asking_about(model.here, model.now));
  model.peer(1).takes = nothing;
  model.run(milliseconds(500));
  EXPECT_TRUE(health.answers());
  EXPECT_TRUE(health.worth_asking_about(model.here, model.now));
  health.on_witness(milliseconds(50), model.now);
  EXPECT_LE(model.until(1, Verdict::kSuspected), milliseconds(500));
  EXPECT_FALSE(health.answers()) << "of no use to us, whoever else hears it";
  model.run(seconds(1));
  EXPECT_EQ(model.verdict(1), Verdict::kDown) << "a witness speaks for its moment";
  health.on_witness(seconds(30), model.now);
  EXPECT_EQ(model.verdict(1), Verdict::kDown);
}

TEST(PeerHealth, OnlyASlowPeerIsTriedAndNotOften) {
  Model model(4);
  EXPECT_FALSE(model.peer(0).health.try_it(model.now));
  model.peer(0).takes = all_take(milliseconds(300));
  model.until(0, Verdict::kSlow);
  int tries = 0;
  for (int ms = 0; ms < 1000; ++ms) {
    tries += model.peer(0).health.try_it(model.now + milliseconds(ms)) ? 1 : 0;
  }
  EXPECT_GE(tries, 18);
  EXPECT_LE(tries, 21);
}

TEST(PeerHealth, APercentileIsToldWhenThereAreEnoughAnswers) {
  PeerHealth health;
  const PeerHealth* all[] = {&health};
  EXPECT_EQ(health.p95(AnswerKind::kRead, milliseconds(50)), milliseconds(50));
  for (int i = 0; i < 100; ++i)
    health.on_answer(AnswerKind::kRead, i < 90 ? milliseconds(1) : milliseconds(20));
  health.look({}, all, MonoTime{} + seconds(5));
  EXPECT_GE(health.p95(AnswerKind::kRead, {}), milliseconds(20));
  EXPECT_LE(health.p95(AnswerKind::kRead, {}), milliseconds(30));
  EXPECT_EQ(health.p95(AnswerKind::kWrite, milliseconds(7)), milliseconds(7));
}

}  // namespace
}  // namespace stator

#include "node/peers.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "node/testing/lone_shard.h"

namespace stator::node::testing {
namespace {

constexpr PartitionId kNone{wire::kNoPartition};

/// What n1 thinks of n2 and n3, which say what the test says.
class PeersTest : public ::testing::Test {
 protected:
  void pong(unsigned from, wire::Pong message = {}) {
    lone.deliver(LoneShard::frame(lone.header(kNone, 0, from), message));
  }
  void ping(unsigned from, wire::Ping message = {}) {
    lone.deliver(LoneShard::frame(lone.header(kNone, 5, from), message));
  }
  /// For so long both answer every now and then, unless one is silent.
  void run(Duration time, unsigned silent = 0) {
    const MonoTime end = lone.world().now() + time;
    while (lone.world().now() < end) {
      for (const unsigned node : {2U, 3U}) {
        if (node != silent) pong(node);
      }
      lone.run(milliseconds(90));
    }
  }
  Verdict verdict(unsigned node) {
    Verdict verdict{};
    lone.in_turn([&](Shard& shard) { verdict = shard.peers().verdict(lone.id(node)); });
    return verdict;
  }
  Fitness fitness(unsigned node, Purpose purpose = Purpose::kRead) {
    Fitness fitness{};
    lone.in_turn([&](Shard& shard) { fitness = shard.peers().fitness(lone.id(node), purpose); });
    return fitness;
  }
  /// Nodes about which pings to `node` have asked.
  std::vector<NodeId> asked_about(unsigned node) {
    std::vector<NodeId> about;
    for (const auto& received : lone.take_pings(node)) {
      const auto message = received.as<wire::Ping>();
      if (message.about) about.push_back(message.about);
    }
    return about;
  }

  LoneShard lone;
};

// One direction of the path is cut: its questions come, our questions do not arrive, or its answers
// do not.
TEST_F(PeersTest, APeerThatAsksAndDoesNotAnswerDoesNotHearUs) {
  run(seconds(1));
  ASSERT_EQ(verdict(2), Verdict::kHealthy);
  for (int i = 0; i < 10; ++i) {
    ping(2);
    run(milliseconds(90), 2);
  }
  EXPECT_EQ(verdict(2), Verdict::kDown);
  EXPECT_EQ(fitness(2), Fitness::kUnfit);
  EXPECT_EQ(verdict(3), Verdict::kHealthy);
  pong(2);
  EXPECT_EQ(verdict(2), Verdict::kHealthy);
}

// V14: the question that its return answers may have been asked when it had no way back to us yet.
TEST_F(PeersTest, WhoIsHeardAfterASilenceIsAskedAtOnceButNotWithEveryWord) {
  run(seconds(1));
  run(milliseconds(1500), 2);
  ASSERT_EQ(verdict(2), Verdict::kDown);
  lone.run(milliseconds(1));
  lone.take_pings(2);
  ping(2);
  EXPECT_GE(lone.take_pings(2).size(), 1U);
  for (int i = 0; i < 50; ++i)
    lone.deliver(LoneShard::frame(lone.header(kNone, 5, 2), wire::Ping{}));
  EXPECT_LE(lone.take_pings(2).size(), 5U) << "two who do not understand each other";
  EXPECT_EQ(verdict(2), Verdict::kDown) << "it asks, and has answered nothing";
}

TEST_F(PeersTest, AboutAPeerThatBecomesSilentTheOthersAreAsked) {
  run(seconds(1));
  lone.take_pings(3);
  run(seconds(1));
  EXPECT_TRUE(asked_about(3).empty()) << "all is well";
  run(milliseconds(900), 2);
  const std::vector<NodeId> about = asked_about(3);
  EXPECT_FALSE(about.empty());
  EXPECT_EQ(std::count(about.begin(), about.end(), lone.id(2)),
            static_cast<std::ptrdiff_t>(about.size()));
  EXPECT_TRUE(asked_about(2).empty()) << "nobody is asked about itself";
  EXPECT_EQ(verdict(2), Verdict::kDown);
}

TEST_F(PeersTest, AWitnessMakesItASuspect) {
  run(seconds(1));
  run(milliseconds(900), 2);
  pong(3, {.about = lone.id(2), .heard_ms = 20});
  lone.run(milliseconds(200));
  EXPECT_EQ(verdict(2), Verdict::kSuspected);
  EXPECT_EQ(fitness(2), Fitness::kUnfit);
}

// A cut around this node looks like the death of all others, until the first of them is heard
// again.
TEST_F(PeersTest, ANodeComesBackFromTheFirstThatItHearsAgainUntilItHearsAll) {
  const auto comes_back = [this] {
    bool answer = false;
    lone.in_turn([&](Shard& shard) { answer = shard.peers().comes_back(); });
    return answer;
  };
  run(seconds(1));
  EXPECT_FALSE(comes_back());
  lone.run(seconds(4));  // it doubts itself first
  ASSERT_EQ(verdict(2), Verdict::kDown);
  EXPECT_FALSE(comes_back()) << "the others may be dead";
  pong(3);
  EXPECT_TRUE(comes_back());
  pong(2);
  EXPECT_FALSE(comes_back());
  lone.run(seconds(4));
  ASSERT_EQ(verdict(3), Verdict::kDown);
  run(seconds(1), 2);
  EXPECT_TRUE(comes_back());
  run(seconds(1), 2);
  EXPECT_FALSE(comes_back()) << "the other one does not come";
  pong(2);
  EXPECT_FALSE(comes_back()) << "another one was heard all the time: no cut around this node";
}

TEST_F(PeersTest, WhoIsAskedAboutAnotherTellsWhenItHeardThatAndAsksItAfresh) {
  run(seconds(1));
  lone.take_pings(3);
  lone.take_received();
  lone.run(milliseconds(250));
  lone.take_pings(3);
  ping(2, {.sent = 9, .about = lone.id(3)});
  auto received = lone.take_received();
  ASSERT_EQ(received.size(), 1U);
  auto answer = received[0].as<wire::Pong>();
  EXPECT_EQ(answer.about, lone.id(3));
  EXPECT_GE(answer.heard_ms, 250U);
  EXPECT_LE(answer.heard_ms, 400U);
  EXPECT_EQ(lone.take_pings(3).size(), 1U) << "so that the next answer is of now";
  pong(3);
  ping(2, {.sent = 10, .about = lone.id(3)});
  received = lone.take_received();
  ASSERT_EQ(received.size(), 1U);
  answer = received[0].as<wire::Pong>();
  EXPECT_GE(answer.heard_ms, 1U);
  EXPECT_LE(answer.heard_ms, 30U);
  EXPECT_TRUE(lone.take_pings(3).empty());
}

TEST_F(PeersTest, OfStrangersNothingIsTold) {
  run(seconds(1));
  lone.take_received();
  ping(2, {.sent = 9, .about = {424242}});
  const auto received = lone.take_received();
  ASSERT_EQ(received.size(), 1U);
  EXPECT_EQ(received[0].as<wire::Pong>().heard_ms, 0U);
  pong(2, {.about = {424242}, .heard_ms = 5});  // and nothing is learned
  EXPECT_EQ(verdict(2), Verdict::kHealthy);
}

// D32: a thin link is well again as soon as it carries little, and would be slow again with what a
// well one carries.
TEST_F(PeersTest, WhoWasSlowIsAskedBehindTheOthersForAWhile) {
  run(seconds(1));
  const auto answers = [&](Duration of_n2, Duration time) {
    for (const MonoTime end = lone.world().now() + time; lone.world().now() < end;) {
      lone.in_turn([&](Shard& shard) {
        for (int i = 0; i < 5; ++i) {
          shard.peers().on_answer(lone.id(2), AnswerKind::kRead, of_n2);
          shard.peers().on_answer(lone.id(3), AnswerKind::kRead, microseconds(500));
        }
      });
      run(milliseconds(90));
    }
  };
  // How many of sixteen reads ask n2 before they ask n3.
  const auto asked_first = [&] {
    lone.take_received(2);
    lone.in_turn([&](Shard& shard) {
      for (int i = 0; i < 16; ++i) {
        shard.reads().read(kDefaultBucket, "k" + std::to_string(i), {},
                           [](const Result<ReadResult>&) {});
      }
    });
    lone.run(milliseconds(5));
    const std::size_t asked = lone.take<wire::ReplicaGet>(2).size();
    run(seconds(3));  // they end
    return asked;
  };
  EXPECT_GT(asked_first(), 0U);
  answers(seconds(10), seconds(1));
  EXPECT_EQ(fitness(2), Fitness::kSpare);
  answers(microseconds(500), milliseconds(2500));
  ASSERT_EQ(fitness(2), Fitness::kFit) << "it may be needed";
  EXPECT_EQ(asked_first(), 0U);
  answers(microseconds(500), PeerHealth::kDoubtFor);
  EXPECT_GT(asked_first(), 0U);
}

TEST_F(PeersTest, WhoSaysThatItStopsGetsNoNewWorkUntilItHasStartedAgain) {
  run(seconds(1));
  ASSERT_EQ(fitness(2), Fitness::kFit);
  wire::Ping leaving;
  leaving.info.stopping = true;
  ping(2, leaving);
  EXPECT_EQ(fitness(2), Fitness::kSpare);
  EXPECT_EQ(verdict(2), Verdict::kHealthy) << "it answers, and what is under way there may end";
  wire::FrameHeader started = lone.header(kNone, 0, 2);
  started.incarnation = {0x5555};
  lone.deliver(LoneShard::frame(started, wire::Pong{}));
  EXPECT_EQ(fitness(2), Fitness::kFit);
}

TEST_F(PeersTest, WhoTakesNoWritesIsAskedLastForThemAndReadFromAsBefore) {  // D29
  run(seconds(1));
  wire::Ping full;
  full.info.no_write = true;
  ping(2, full);
  EXPECT_EQ(fitness(2, Purpose::kWrite), Fitness::kUnfit);
  EXPECT_EQ(fitness(2, Purpose::kRead), Fitness::kFit);
  EXPECT_EQ(fitness(3, Purpose::kWrite), Fitness::kFit);
  lone.in_turn([](Shard& shard) {
    EXPECT_TRUE(shard.peers().few_are_fit(Purpose::kWrite)) << "two for three owners";
    EXPECT_FALSE(shard.peers().few_are_fit(Purpose::kRead));
  });
  ping(2);
  EXPECT_EQ(fitness(2, Purpose::kWrite), Fitness::kFit);
}

TEST_F(PeersTest, ANodeThatTakesNoWritesItselfIsNotCountedAsFitForThem) {  // D29
  run(seconds(1));
  wire::NodeInfo info;
  for (const bool full : {false, true, false}) {
    info.no_write = full;
    lone.in_turn([&](Shard& shard) {
      shard.set_announcement(info);
      EXPECT_EQ(shard.peers().few_are_fit(Purpose::kWrite), full) << "two for three owners";
      EXPECT_FALSE(shard.peers().few_are_fit(Purpose::kRead));
    });
  }
}

TEST_F(PeersTest, AnAnnouncementThatANodeStopsOrTakesNoWritesLeavesAtOnce) {
  run(seconds(1));
  lone.take_pings(2);
  wire::NodeInfo info;
  const auto announced = [&] {
    lone.in_turn([&](Shard& shard) { shard.set_announcement(info); });
    return lone.take_pings(2);
  };
  info.no_write = true;
  auto pings = announced();
  ASSERT_EQ(pings.size(), 1U);
  EXPECT_TRUE(pings[0].as<wire::Ping>().info.no_write);
  info.stopping = true;
  pings = announced();
  ASSERT_EQ(pings.size(), 1U);
  EXPECT_TRUE(pings[0].as<wire::Ping>().info.stopping);
  EXPECT_TRUE(announced().empty()) << "no news";
}

// D2: a machine that was copied while it ran. Its two processes are one incarnation, and each has a
// link of its own.
TEST_F(PeersTest, OneIncarnationOnTwoLinksAtOnceIsRefusedUntilAnotherOneComes) {
  const auto fenced = [this] {
    bool answer = false;
    lone.in_turn([&](Shard& shard) { answer = shard.peers().view(lone.id(2)).fenced; });
    return answer;
  };
  run(seconds(1));
  ping(2, {.sent = 100, .link = 7});
  ping(2, {.sent = 200, .link = 8});
  EXPECT_EQ(fitness(2), Fitness::kFit) << "it has connected anew";
  EXPECT_FALSE(fenced());
  ping(2, {.sent = 300, .link = 7});
  EXPECT_EQ(lone.metrics().peers_fenced_total, 1U);
  EXPECT_TRUE(fenced());
  lone.take_received();
  ping(2, {.sent = 400, .link = 8});
  auto received = lone.take_received();
  ASSERT_EQ(received.size(), 1U);
  EXPECT_EQ(received[0].as<wire::Pong>().fenced, lone.header(kNone, 0, 2).incarnation);
  const wire::ReplicaGet get{.bucket = kDefaultBucket, .key = "k", .value = true};
  lone.deliver(LoneShard::frame(lone.header(lone.partition_of("k"), 78), get));
  received = lone.take_received();
  ASSERT_EQ(received.size(), 1U);
  EXPECT_EQ(received[0].header.request_id, 78U);
  EXPECT_EQ(received[0].as<wire::Refusal>().code, ErrorCode::kNotMember);
  run(seconds(2));
  EXPECT_EQ(verdict(2), Verdict::kDown) << "what it answers counts for nothing";
  EXPECT_NE(verdict(3), Verdict::kDown);
  wire::FrameHeader started = lone.header(kNone, 0, 2);
  started.incarnation = {0x5555};
  lone.deliver(LoneShard::frame(started, wire::Pong{}));
  EXPECT_EQ(verdict(2), Verdict::kHealthy);
  EXPECT_FALSE(fenced());
}

// D3: the copy of a disk dials us from anywhere; at its node's address the original answers.
TEST_F(PeersTest, OfTwoProcessesTheOneThatDoesNotAnswerAtTheAddressIsRefused) {
  const auto seen = [this] {
    Peers::View view;
    lone.in_turn([&](Shard& shard) { view = shard.peers().view(lone.id(2)); });
    return view;
  };
  const auto beside = [&](bool original_answers, bool copy_stops) {
    wire::FrameHeader copied = lone.header(kNone, 5, 2);
    copied.incarnation = {0x5555};
    for (int i = 0; i < 50; ++i) {
      const auto sent = static_cast<std::uint64_t>(lone.world().now().ns);
      ping(2, {.sent = sent, .link = 7});
      wire::Ping other{.sent = sent + 1, .link = 8};
      other.info.stopping = copy_stops;
      lone.deliver(LoneShard::frame(copied, other));
      if (original_answers) pong(2, {.echoed = sent});
      lone.run(milliseconds(500));
    }
  };
  run(seconds(1));
  beside(true, true);
  EXPECT_EQ(seen().refused, 0U) << "the other one is about to end";
  beside(false, false);
  EXPECT_EQ(seen().refused, 0U) << "neither has answered";
  beside(true, false);
  EXPECT_EQ(seen().refused, 1U);
  EXPECT_EQ(lone.metrics().peers_fenced_total, 1U);
  pong(2);
  EXPECT_FALSE(seen().fenced) << "the original goes on";
  EXPECT_TRUE(seen().copy_refused);
  EXPECT_NE(verdict(2), Verdict::kDown);
  run(seconds(30));
  EXPECT_FALSE(seen().copy_refused) << "it is heard no more";
}

TEST_F(PeersTest, WhoIsRefusedSinceAnotherProcessRunsUnderItsNameMintsNothing) {  // D3
  const auto refused = [this] {
    bool answer = false;
    lone.in_turn([&](Shard& shard) { answer = shard.peers().refused_by_others(); });
    return answer;
  };
  Incarnation own;
  lone.in_turn([&](Shard& shard) { own = shard.context().mint->incarnation(); });
  run(seconds(1));
  pong(2, {.fenced = {own.value + 1}});
  EXPECT_FALSE(refused()) << "that was meant for the other process";
  pong(2, {.fenced = own});
  EXPECT_FALSE(refused()) << "one of two may be wrong";
  pong(3, {.fenced = own});
  EXPECT_TRUE(refused());
  lone.take_received(3);
  wire::ForwardWrite write = forwarded_write("k", WriteId::make(1, WriteId::kMintedOnce, 1, 2));
  write.kind = wire::WriteKind::kPlainPut;
  wire::FrameHeader header = lone.header(lone.partition_of("k"), 79, 3);
  header.deadline_us = 300'000;
  lone.deliver(LoneShard::frame(header, write));
  const auto received = lone.take_received(3);
  ASSERT_EQ(received.size(), 1U);
  EXPECT_EQ(received[0].as<wire::Refusal>().code, ErrorCode::kNotMember);
  pong(2);
  EXPECT_FALSE(refused());
}

TEST_F(PeersTest, ALinkThatComesUpAnewHasAnotherName) {
  const auto link_of = [this] {
    lone.take_pings(2);
    run(seconds(1));
    const auto pings = lone.take_pings(2);
    return pings.empty() ? std::uint64_t{0} : pings.back().as<wire::Ping>().link;
  };
  const std::uint64_t first = link_of();
  EXPECT_NE(first, 0U);
  EXPECT_EQ(link_of(), first);
  lone.world().wire().reset(0, 1);
  run(seconds(1));
  const std::uint64_t second = link_of();
  EXPECT_NE(second, 0U);
  EXPECT_NE(second, first);
}

TEST_F(PeersTest, AClosedShardRefusesSoThatNobodyWaitsForIt) {
  run(seconds(1));
  lone.take_received();
  lone.in_turn([](Shard& shard) { shard.close(); });
  const wire::ReplicaGet get{.bucket = kDefaultBucket, .key = "k", .value = true};
  lone.deliver(LoneShard::frame(lone.header(lone.partition_of("k"), 78), get));
  const auto received = lone.take_received();
  ASSERT_EQ(received.size(), 1U);
  EXPECT_EQ(received[0].header.request_id, 78U);
  EXPECT_EQ(received[0].as<wire::Refusal>().code, ErrorCode::kClosed);
}

// A second copy of a write that was served: "closed" would be taken for "not applied", and the
// write would be minted elsewhere once more (D7).
TEST_F(PeersTest, AClosedShardDoesNotRefuseWhatItHasServedBefore) {
  run(seconds(1));
  wire::ForwardWrite write = forwarded_write("k", WriteId::make(1, WriteId::kMintedOnce, 1, 2));
  write.kind = wire::WriteKind::kPlainPut;
  wire::FrameHeader header = lone.header(lone.partition_of("k"), 79);
  header.deadline_us = 300'000;
  const std::string frame = LoneShard::frame(header, write);
  lone.deliver(frame);
  run(seconds(1));
  lone.take_received();
  lone.in_turn([](Shard& shard) { shard.close(); });
  lone.deliver(frame);
  EXPECT_TRUE(lone.take_received().empty());
}

}  // namespace
}  // namespace stator::node::testing

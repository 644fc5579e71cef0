#include "front/redis/connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "front/redis/testing/fakes.h"

// Pipelines, order, limits and endings.

namespace stator::redis {
namespace {

using testing::bulk;
using testing::Client;
using testing::FakeExecutor;
using testing::FakeStore;
using ::testing::HasSubstr;
using testing::resp;
using ::testing::StartsWith;

// The line of those who give way is looked at so often; who waits so long in it is told.
constexpr Duration kLook = milliseconds(1);
constexpr Duration kToldAfter = WaitingLine::kWaitMax;

int refusals(std::string_view answers) {
  int count = 0;
  for (auto at = answers.find("-TRYAGAIN"); at != answers.npos;
       at = answers.find("-TRYAGAIN", at + 1)) {
    ++count;
  }
  return count;
}

/// A pipeline of reads of as many keys.
std::string gets(int count) {
  std::string pipeline;
  for (int i = 0; i < count; ++i) pipeline += resp({"GET", "k" + std::to_string(i)});
  return pipeline;
}

class RedisConnection : public ::testing::Test {
 public:
  FakeStore store;
  FakeExecutor executor;
  RedisFrontOptions options;
  std::unique_ptr<RedisFront> front;
  std::unique_ptr<Client> client;

  void start() {
    front = std::make_unique<RedisFront>(store, executor, options);
    client = std::make_unique<Client>(*front);
  }
  void SetUp() override { start(); }
  void TearDown() override {
    client.reset();
    store.let_go();
  }
};

TEST_F(RedisConnection, AnswersLeaveInTheOrderOfTheCommandsHoweverTheyComplete) {
  ASSERT_EQ(client->ask("MSET a 1 b 2 c 3"), "+OK\r\n");
  store.hold = true;
  client->send("GET a\r\nPING\r\nGET b\r\nECHO x\r\nGET c\r\n");
  ASSERT_EQ(store.held(), 3U);  // side by side
  store.release(2);
  EXPECT_EQ(client->take(), "");
  store.release(1);
  EXPECT_EQ(client->take(), "");
  store.release(0);
  EXPECT_EQ(client->take(), bulk("1") + "+PONG\r\n" + bulk("2") + bulk("x") + bulk("3"));
}

TEST_F(RedisConnection, EveryOrderOfCompletionGivesTheSameAnswers) {
  ASSERT_EQ(client->ask("MSET a 1 b 2 c 3 d 4"), "+OK\r\n");
  std::vector<std::size_t> order = {0, 1, 2, 3};
  do {
    store.hold = true;
    client->send("GET a\r\nGET b\r\nGET c\r\nGET d\r\n");
    std::vector<std::size_t> left = {0, 1, 2, 3};
    for (const std::size_t which : order) {
      const auto at = std::find(left.begin(), left.end(), which);
      store.release(static_cast<std::size_t>(at - left.begin()));
      left.erase(at);
    }
    ASSERT_EQ(client->take(), bulk("1") + bulk("2") + bulk("3") + bulk("4"));
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST_F(RedisConnection, APipelineReadsWhatItWrote) {
  store.hold = true;
  client->send("SET k v1\r\nGET k\r\nSET k v2\r\nGET k\r\nDEL k\r\nGET k\r\n");
  ASSERT_EQ(store.held(), 1U);  // the rest waits for the first
  EXPECT_EQ(store.held_name(0), "write k");
  EXPECT_TRUE(client->paused());
  std::string answers;
  while (store.held() > 0) {
    store.release(0);
    answers += client->take();
  }
  EXPECT_EQ(answers, "+OK\r\n" + bulk("v1") + "+OK\r\n" + bulk("v2") + ":1\r\n$-1\r\n");
  EXPECT_FALSE(client->paused());
  EXPECT_EQ(client->kept(), 0U);
}

TEST_F(RedisConnection, ReadsOfOneKeyRunSideBySide) {
  store.hold = true;
  client->send("GET k\r\nGET k\r\nSTRLEN k\r\nSET k v\r\n");
  EXPECT_EQ(store.held(), 3U);
  store.release_all();
  client->turn();
  store.release_all();  // the write
  EXPECT_EQ(client->take(), "$-1\r\n$-1\r\n:0\r\n+OK\r\n");
}

TEST_F(RedisConnection, CommandsOfManyKeysWaitForWritesAndWritesForThem) {
  store.hold = true;
  client->send("SET a 1\r\nGET b\r\nMGET a b\r\nSET c 1\r\nGET d\r\n");
  ASSERT_EQ(store.held(), 2U);  // SET a, GET b
  store.release(0);
  client->turn();
  ASSERT_EQ(store.held(), 3U);  // GET b, and the two reads of MGET; SET c waits
  store.release_all();
  client->turn();
  store.release_all();
  EXPECT_EQ(client->take(), "+OK\r\n$-1\r\n*2\r\n" + bulk("1") + "$-1\r\n+OK\r\n$-1\r\n");
}

TEST_F(RedisConnection, OtherConnectionsDoNotWait) {
  Client other(*front);
  store.hold = true;
  client->send("SET k v\r\n");
  other.send("GET k\r\n");
  EXPECT_EQ(store.held(), 2U);
  store.release_all();
}

TEST_F(RedisConnection, WhoIsRefusedMuchLetsOthersBeToldFirst) {  // D33
  store.failures["*"] = {.code = ErrorCode::kOverloaded};
  client->send(gets(20));
  const auto first = refusals(client->take());
  EXPECT_GT(first, 0);
  EXPECT_LT(first, 20);
  EXPECT_TRUE(client->paused());
  Client other(*front);
  EXPECT_THAT(other.ask("GET k"), StartsWith("-TRYAGAIN "));
  // The rest is carried out in its turn, some at a time, and by what is true then.
  executor.advance(kLook);
  client->turn();
  EXPECT_EQ(refusals(client->take()), first);
  EXPECT_TRUE(client->paused());
  store.failures.clear();
  executor.advance(kLook);
  client->turn();
  EXPECT_EQ(refusals(client->take()), 0);
  EXPECT_FALSE(client->paused());
  EXPECT_EQ(store.reads, 20U + 1U);
}

TEST_F(RedisConnection, WhoLeavesWhileOthersGoFirstIsForgotten) {
  store.failures["*"] = {.code = ErrorCode::kOverloaded};
  std::string pipeline;
  for (int i = 0; i < 100; ++i) pipeline += resp({"GET", "k"});
  Client other(*front);
  client->send(pipeline);
  other.send(pipeline);
  ASSERT_TRUE(client->paused() && other.paused());
  client->close();
  for (int i = 0; i < 100; ++i) {
    executor.advance(kLook);
    other.turn();
  }
  EXPECT_FALSE(other.paused());
  EXPECT_EQ(other.kept(), 0U);
  EXPECT_EQ(front->connections(), 1U);
}

TEST_F(RedisConnection, APipelineWaitsForRoomWhileOneThingAtATimeIsRefusedAtOnce) {  // D33, G21
  store.hold = true;
  client->send(gets(4));
  ASSERT_EQ(store.held(), 4U);
  store.room_left = Room::kNone;
  client->send(gets(30));
  EXPECT_TRUE(client->paused()) << "its answers wait for those before them anyway";
  EXPECT_EQ(store.reads, 4U) << "and nothing of it has cost anything";
  store.hold = false;
  store.failures["*"] = {.code = ErrorCode::kOverloaded};
  Client single(*front);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(refusals(single.ask("GET k")), 1);
  EXPECT_FALSE(single.paused());
  for (int i = 0; i < 50; ++i) {
    executor.advance(kLook);
    client->turn();
  }
  EXPECT_TRUE(client->paused());
  EXPECT_EQ(client->kept(), gets(30).size());
  // A little room is for those who want little.
  store.failures.clear();
  store.room_left = Room::kLittle;
  executor.advance(kLook);
  client->turn();
  EXPECT_TRUE(client->paused());
  store.room_left = Room::kPlenty;
  executor.advance(kLook);
  client->turn();
  EXPECT_FALSE(client->paused());
  EXPECT_EQ(client->kept(), 0U);
  store.let_go();
  EXPECT_EQ(refusals(client->take()), 0);
  EXPECT_EQ(store.reads, 4U + 10U + 30U);
}

TEST_F(RedisConnection, WhoHasWaitedForRoomInVainIsToldSo) {  // D33, P8
  store.room_left = Room::kNone;
  store.failures["*"] = {.code = ErrorCode::kOverloaded};
  client->send(gets(20));
  EXPECT_EQ(refusals(client->take()), 1) << "the first waits for nobody: it is refused at once";
  ASSERT_TRUE(client->paused());
  executor.advance(kToldAfter - kLook);
  EXPECT_EQ(refusals(client->take()), 0) << "not before its time";
  executor.advance(kLook);
  EXPECT_EQ(refusals(client->take()), 19);
  EXPECT_FALSE(client->paused());
  EXPECT_EQ(client->kept(), 0U);
}

TEST_F(RedisConnection, OfManyThatWaitInVainEachIsToldALittle) {  // D33, G21
  store.room_left = Room::kNone;
  store.failures["*"] = {.code = ErrorCode::kOverloaded};
  std::vector<std::unique_ptr<Client>> crowd;
  for (int i = 0; i < 300; ++i) {
    crowd.push_back(std::make_unique<Client>(*front));
    crowd.back()->send(gets(20));
    ASSERT_EQ(refusals(crowd.back()->take()), 1);
  }
  executor.advance(kToldAfter);
  for (int look = 0; look < 20; ++look) {
    for (const auto& one : crowd) one->turn();
    executor.advance(kLook);
  }
  for (const auto& one : crowd) {
    const int told = refusals(one->take());
    EXPECT_GT(told, 0);
    EXPECT_LT(told, 19);
    EXPECT_TRUE(one->paused());
  }
  // And all in the end.
  for (int look = 0; look < 1'000; ++look) {
    for (const auto& one : crowd) one->turn();
    executor.advance(kLook);
  }
  for (const auto& one : crowd) EXPECT_EQ(one->kept(), 0U);
  EXPECT_EQ(store.reads, 300U * 20);
}

TEST_F(RedisConnection, WhoFoundNoRoomKeepsTheTimeThatItHasWaited) {  // P8: told in the end
  store.hold = true;
  client->send("GET a\r\n");
  store.room_left = Room::kNone;
  client->send(gets(3));
  ASSERT_TRUE(client->paused());
  // Again and again there is room when the line is looked at, and none when it is its turn.
  Duration waited{};
  while (waited + kLook < kToldAfter) {
    store.room_left = Room::kPlenty;
    executor.advance(kLook);
    waited = waited + kLook;
    store.room_left = Room::kNone;
    client->turn();
    ASSERT_TRUE(client->paused()) << waited.ms();
    ASSERT_EQ(store.reads, 1U);
  }
  executor.advance(kLook);
  client->turn();
  EXPECT_EQ(store.reads, 4U);
  store.let_go();
  EXPECT_EQ(client->take(), "$-1\r\n$-1\r\n$-1\r\n$-1\r\n");
}

TEST_F(RedisConnection, NewcomersDoNotOvertakeThoseInLine) {  // D33
  Client newcomer(*front);
  store.hold = true;
  client->send("GET a\r\n");
  newcomer.send("GET b\r\n");
  store.room_left = Room::kNone;
  client->send(gets(2));
  ASSERT_TRUE(client->paused());
  store.room_left = Room::kPlenty;  // before the line was looked at
  newcomer.send("GET c\r\n");
  EXPECT_TRUE(newcomer.paused());
  EXPECT_EQ(store.held(), 2U);
  executor.advance(kLook);
  client->turn();
  newcomer.turn();
  ASSERT_EQ(store.held(), 5U);
  EXPECT_EQ(store.held_name(2), "read k0");
  EXPECT_EQ(store.held_name(4), "read c");
  EXPECT_FALSE(client->paused() || newcomer.paused());
}

TEST_F(RedisConnection, WhoHasWaitedIsNotRefusedWhenTheRoomIsGoneAtItsTurn) {  // D33
  store.room_left = Room::kNone;
  store.failures["*"] = {.code = ErrorCode::kOverloaded};
  client->send(gets(20));
  ASSERT_EQ(refusals(client->take()), 1);  // nothing is under way for it
  store.room_left = Room::kPlenty;
  executor.advance(kLook);
  store.room_left = Room::kNone;
  EXPECT_EQ(refusals(client->take()), 0);
  EXPECT_TRUE(client->paused());
  store.room_left = Room::kPlenty;
  store.failures.clear();
  executor.advance(kLook);
  EXPECT_EQ(refusals(client->take()), 0);
  EXPECT_EQ(client->kept(), 0U);
  EXPECT_EQ(store.reads, 20U);
}

TEST_F(RedisConnection, OneThatIsServedMakesWayForTheNextInLine) {
  // Far more than are called at a look.
  std::vector<std::unique_ptr<Client>> crowd;
  store.hold = true;
  for (int i = 0; i < 50; ++i) {
    crowd.push_back(std::make_unique<Client>(*front));
    crowd.back()->send("GET a\r\n");
  }
  store.room_left = Room::kNone;
  for (const auto& one : crowd) one->send("GET b\r\n");
  EXPECT_EQ(store.held(), 50U);
  store.room_left = Room::kPlenty;
  executor.advance(kLook);
  for (const auto& one : crowd) one->turn();
  EXPECT_EQ(store.held(), 100U);
}

TEST_F(RedisConnection, ARefusalLeavesBeforeTheWorkOfOthers) {  // G21
  EXPECT_EQ(client->ask("GET k"), "$-1\r\n");
  EXPECT_EQ(client->sent_now, 0);
  store.failures["k"] = {.code = ErrorCode::kOverloaded};
  EXPECT_THAT(client->ask("GET k"), StartsWith("-TRYAGAIN "));
  EXPECT_EQ(client->sent_now, 1);
  // Not while an earlier answer is due: it waits for that one.
  store.hold = true;
  client->send("GET a\r\n");
  store.hold = false;
  client->send("GET k\r\n");
  EXPECT_EQ(client->sent_now, 1);
  store.let_go();
  EXPECT_THAT(client->take(), StartsWith("$-1\r\n-TRYAGAIN "));
}

TEST_F(RedisConnection, EachWriteIsLaterThanWhatItsConnectionSaw) {
  ASSERT_EQ(client->ask("SET a 1"), "+OK\r\n");
  const Hlc first = store.object_of("a").versions[0].time;
  ASSERT_EQ(client->ask("SET b 1"), "+OK\r\n");
  EXPECT_EQ(store.last_write.floor, first);
  Client other(*front);
  ASSERT_EQ(other.ask("SET c 1"), "+OK\r\n");
  EXPECT_EQ(store.last_write.floor, Hlc{});
  ASSERT_EQ(other.ask("GET b"), bulk("1"));
  ASSERT_EQ(other.ask("SET c 2"), "+OK\r\n");
  EXPECT_EQ(store.last_write.floor, store.object_of("b").versions[0].time);
  ASSERT_EQ(client->ask("DEL b"), ":1\r\n");
  ASSERT_EQ(other.ask("MGET x b"), "*2\r\n$-1\r\n$-1\r\n");  // it saw the tombstone
  ASSERT_EQ(other.ask("SET c 3"), "+OK\r\n");
  EXPECT_EQ(store.last_write.floor, store.object_of("b").versions[0].time);
}

TEST_F(RedisConnection, CommandsMayArriveInAnyPieces) {
  const std::string input = resp({"SET", "k", "v"}) + resp({"GET", "k"}) + "PING\r\n";
  for (std::size_t piece = 1; piece < input.size(); ++piece) {
    client->send(input, piece);
    ASSERT_EQ(client->take(), "+OK\r\n" + bulk("v") + "+PONG\r\n") << piece;
  }
}

TEST_F(RedisConnection, OfARefusedTransactionNothingIsApplied) {
  client->send("MULTI\r\nSET a 1\r\nGET a\r\nEXEC\r\nSET b 2\r\n");
  const std::string answers = client->take();
  EXPECT_THAT(answers, StartsWith("-ERR multi is not offered: "));
  EXPECT_THAT(answers, HasSubstr("\r\n-ERR not carried out"));
  EXPECT_THAT(answers, HasSubstr("\r\n-EXECABORT "));
  EXPECT_THAT(answers, ::testing::EndsWith("\r\n+OK\r\n"));
  EXPECT_EQ(store.writes, 1U);
  client->send("MULTI\r\nSET a 1\r\nDISCARD\r\nGET a\r\n");
  EXPECT_THAT(client->take(), ::testing::EndsWith("\r\n+OK\r\n$-1\r\n"));
  client->send("MULTI\r\nSET c 1\r\nSET c 2\r\n", 5);  // however it arrives
  EXPECT_THAT(client->take(), ::testing::Not(HasSubstr("+OK")));
  executor.advance(milliseconds(60));  // a client that knows, and goes on
  EXPECT_EQ(client->ask("SET c 3"), "+OK\r\n");
  client->send("MULTI\r\nRESET\r\nSET a 1\r\n");
  EXPECT_THAT(client->take(), ::testing::EndsWith("\r\n+RESET\r\n+OK\r\n"));
  EXPECT_THAT(client->ask("EXEC"), StartsWith("-ERR exec is not offered: "));
}

// --- limits ------------------------------------------------------------------------------------

TEST_F(RedisConnection, AValueOfTheLimitIsStoredAndOneByteMoreIsRefusedByTheStoreAlone) {
  const std::size_t max = options.limits.value_bytes_max;
  EXPECT_EQ(client->run({"SET", "k", std::string(max, 'x')}), "+OK\r\n");
  EXPECT_EQ(client->run({"STRLEN", "k"}), ":1048576\r\n");
  // The store refuses (here by the double), and the connection goes on.
  store.failures["big"] = {.code = ErrorCode::kTooLarge};
  EXPECT_THAT(client->run({"SET", "big", std::string(max + 1, 'x')}), StartsWith("-TOOLARGE "));
  EXPECT_EQ(client->ask("PING"), "+PONG\r\n");
}

TEST_F(RedisConnection, WhatCannotBeSkippedEndsTheConnectionAfterTheAnswer) {
  client->send("PING\r\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$9000000\r\nxxx");
  EXPECT_THAT(client->take(), StartsWith("+PONG\r\n-TOOLARGE "));
  EXPECT_TRUE(client->closed_by_server());
  EXPECT_FALSE(client->cut_by_server());
}

TEST_F(RedisConnection, AProtocolErrorIsAnsweredInItsTurn) {
  store.hold = true;
  client->send("GET k\r\n*1\r\n:5\r\nGET x\r\n");
  EXPECT_EQ(client->take(), "");
  EXPECT_FALSE(client->closed_by_server());
  store.release_all();
  EXPECT_THAT(client->take(), StartsWith("$-1\r\n-ERR Protocol error: "));
  EXPECT_TRUE(client->closed_by_server());
}

TEST_F(RedisConnection, HttpIsCutWithoutAnAnswerAndWithoutAWrite) {
  const std::string requests[] = {
      "POST / HTTP/1.1\r\nHost: a\r\n\r\nSET k v\r\n",
      "GET / HTTP/1.1\r\n\r\n",
      "PUT /x HTTP/1.1\r\n\r\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n",
  };
  for (const std::string& request : requests) {
    for (const std::size_t piece : {std::size_t{1}, request.size()}) {
      Client browser(*front);
      browser.send(request, piece);
      EXPECT_TRUE(browser.cut_by_server());
      EXPECT_EQ(browser.take(), "");
    }
  }
  EXPECT_EQ(store.writes, 0U);
}

TEST_F(RedisConnection, ABoastIsKeptAsLargeAsItArrivedAndNoLarger) {
  client->send("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1048576\r\n");
  for (int i = 0; i < 100; ++i) client->send("x");
  EXPECT_EQ(front->input_kept, client->kept());
  EXPECT_LT(front->input_kept, 200U);
  EXPECT_FALSE(client->closed_by_server());
  client->close();
  EXPECT_EQ(front->input_kept, 0U);
}

TEST_F(RedisConnection, ACommandOfNoKnownNameIsNotKeptBeyond16KiB) {
  client->send("*3\r\n$6\r\nNOSUCH\r\n$1\r\nk\r\n$1000000\r\n" + std::string(16'000, 'x'));
  EXPECT_FALSE(client->closed_by_server());
  client->send(std::string(1000, 'x'));
  EXPECT_THAT(client->take(), StartsWith("-ERR unknown command"));
  EXPECT_TRUE(client->closed_by_server());
  EXPECT_EQ(front->input_kept, 0U);
  Client known(*front);
  known.send("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1000000\r\n" + std::string(500'000, 'x'));
  EXPECT_FALSE(known.closed_by_server());
  known.send(std::string(500'000, 'x') + "\r\n");
  EXPECT_EQ(known.take(), "+OK\r\n");
}

TEST_F(RedisConnection, AllIncompleteCommandsTogetherHaveOneBudget) {
  client.reset();
  options.input_bytes_max = 100'000;
  start();
  std::vector<std::unique_ptr<Client>> others;
  const std::string part = "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1000000\r\n" + std::string(40'000, 'x');
  for (int i = 0; i < 3; ++i) {
    others.push_back(std::make_unique<Client>(*front));
    others.back()->send(part);
  }
  EXPECT_FALSE(others[1]->closed_by_server());
  EXPECT_THAT(others[2]->take(), StartsWith("-TRYAGAIN "));
  EXPECT_TRUE(others[2]->closed_by_server());
  EXPECT_EQ(client->ask("PING"), "+PONG\r\n");  // what fits goes on
  others.clear();
  EXPECT_EQ(front->input_kept, 0U);
}

TEST_F(RedisConnection, NoMoreClientsThanAllowed) {
  client.reset();
  options.limits.clients_max = 2;
  start();
  Client second(*front);
  {
    Client third(*front);
    EXPECT_FALSE(third.accepted());
  }
  EXPECT_EQ(front->connections(), 2U);
  second.close();
  Client fourth(*front);
  EXPECT_TRUE(fourth.accepted());
}

TEST_F(RedisConnection, ReadingPausesWhileManyAnswersAreDue) {
  store.hold = true;
  std::string input;
  for (int i = 0; i < 1500; ++i) input += resp({"STRLEN", "k" + std::to_string(i)});
  client->send(input);
  EXPECT_EQ(store.held(), 1024U);
  EXPECT_TRUE(client->paused());
  store.release_all();
  client->turn();
  EXPECT_EQ(store.held(), 476U);
  EXPECT_FALSE(client->paused());
  store.release_all();
  std::string expected;
  for (int i = 0; i < 1500; ++i) expected += ":0\r\n";
  EXPECT_EQ(client->take(), expected);
}

TEST_F(RedisConnection, FewerValuesAreUnderWayTheLargerTheyAre) {
  ASSERT_EQ(client->run({"SET", "k", std::string(1 << 20, 'x')}), "+OK\r\n");
  std::string input;
  for (int i = 0; i < 200; ++i) input += resp({"GET", "k"});
  store.hold = true;
  client->send(input);
  EXPECT_EQ(store.held(), 16U);  // until more is known: values of the limit
  store.release_all();
  EXPECT_LE(store.open_max, 16U);
  store.hold = false;
  store.let_go();
  client->take();
  ASSERT_EQ(client->run({"SET", "k", "small"}), "+OK\r\n");
  for (int i = 0; i < 100; ++i) ASSERT_EQ(client->ask("GET k"), bulk("small"));
  store.hold = true;
  client->send(input);
  EXPECT_EQ(store.held(), 128U);
}

TEST_F(RedisConnection, AClientThatDoesNotTakeItsAnswersIsReadNoFurtherAndThenCut) {
  ASSERT_EQ(client->run({"SET", "k", std::string(100'000, 'x')}), "+OK\r\n");
  client->set_reading(false);
  std::string input;
  for (int i = 0; i < 100; ++i) input += resp({"GET", "k"});
  client->send(input);
  EXPECT_TRUE(client->paused());
  EXPECT_LT(client->unsent(), 500'000U);
  const auto reads = store.reads;
  executor.advance(seconds(30));
  EXPECT_FALSE(client->cut_by_server());
  EXPECT_EQ(store.reads, reads);
  client->set_reading(true);  // it wakes up, and gets everything
  std::string answers = client->take();
  EXPECT_EQ(answers.size(), 100 * bulk(std::string(100'000, 'x')).size());
  client->set_reading(false);
  client->send(input);
  executor.advance(seconds(30));
  executor.advance(seconds(40));
  EXPECT_TRUE(client->cut_by_server());
}

TEST_F(RedisConnection, TheAnswersOfAllStalledClientsHaveOneBudget) {
  client.reset();
  options.stalled_bytes_max = 1'000'000;
  start();
  ASSERT_EQ(client->run({"SET", "k", std::string(300'000, 'x')}), "+OK\r\n");
  std::vector<std::unique_ptr<Client>> slow;
  for (int i = 0; i < 10; ++i) {
    slow.push_back(std::make_unique<Client>(*front));
    slow.back()->set_reading(false);
    slow.back()->send(resp({"GET", "k"}) + resp({"GET", "k"}) + resp({"GET", "k"}));
  }
  EXPECT_GT(front->stalled_bytes, 1'000'000U);
  executor.advance(seconds(6));
  EXPECT_LE(front->stalled_bytes, 1'000'000U);
  std::size_t cut = 0;
  for (const auto& one : slow) cut += one->cut_by_server();
  EXPECT_GE(cut, 7U);
  EXPECT_LT(cut, 10U);
}

// --- endings -----------------------------------------------------------------------------------

TEST_F(RedisConnection, CommandsOutliveTheirConnection) {
  ASSERT_EQ(client->ask("SET k v"), "+OK\r\n");
  store.hold = true;
  client->send("DEL k\r\nGET a\r\nPING\r\n");
  client->close();
  EXPECT_EQ(front->connections(), 0U);
  EXPECT_FALSE(front->drained());
  store.release_all();  // the read of DEL, GET; then the write of DEL
  store.release_all();
  EXPECT_TRUE(front->drained());
  EXPECT_TRUE(store.object_of("k").versions[0].tombstone);
}

TEST_F(RedisConnection, ACommandIsUsedAgain) {
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(client->ask("MSET a 1 b 2"), "+OK\r\n");
    ASSERT_EQ(client->ask("DEL a b"), ":2\r\n");
    ASSERT_EQ(client->ask("SET a 3 GET"), "$-1\r\n");
    ASSERT_EQ(client->ask("GETDEL a"), bulk("3"));
  }
}

TEST_F(RedisConnection, DrainingAnswersWhatWasBegunAndClosesEverything) {
  Client idle(*front);
  store.hold = true;
  client->send("SET k v\r\nGET k\r\n");
  front->drain();
  EXPECT_TRUE(idle.closed_by_server());
  EXPECT_FALSE(client->closed_by_server());
  EXPECT_FALSE(front->drained());
  Client late(*front);
  EXPECT_FALSE(late.accepted());
  store.release_all();
  EXPECT_EQ(client->take(), "+OK\r\n");  // GET had not begun
  EXPECT_TRUE(client->closed_by_server());
  EXPECT_FALSE(client->cut_by_server());
  EXPECT_TRUE(front->drained());
}

TEST_F(RedisConnection, AClientThatHasSaidAllGetsItsAnswersThenTheEnd) {
  store.hold = true;
  client->send("SET a 1\r\nGET b\r\nPING\r\nSET inc");
  client->end_input();
  EXPECT_FALSE(client->closed_by_server());
  EXPECT_EQ(front->input_kept, 0U);  // the incomplete command
  store.release(1);
  EXPECT_FALSE(client->closed_by_server());
  store.release(0);
  EXPECT_EQ(client->take(), "+OK\r\n$-1\r\n+PONG\r\n");
  EXPECT_TRUE(client->closed_by_server());
  EXPECT_FALSE(client->cut_by_server());
}

TEST_F(RedisConnection, WhoHasSaidAllIsAnsweredWhatStandsInLineToo) {  // P8
  store.hold = true;
  client->send("GET a\r\n");
  store.room_left = Room::kNone;
  client->send(gets(3));
  client->end_input();
  ASSERT_TRUE(client->paused());
  store.let_go();
  EXPECT_EQ(client->take(), "$-1\r\n");
  EXPECT_FALSE(client->closed_by_server());
  store.room_left = Room::kPlenty;
  executor.advance(kLook);
  EXPECT_EQ(client->take(), "$-1\r\n$-1\r\n$-1\r\n");
  EXPECT_TRUE(client->closed_by_server());
  EXPECT_FALSE(client->cut_by_server());
}

TEST_F(RedisConnection, AClientThatHasSaidAllAndAwaitsNothingIsClosedAtOnce) {
  ASSERT_EQ(client->ask("PING"), "+PONG\r\n");
  client->end_input();
  EXPECT_TRUE(client->closed_by_server());
}

TEST_F(RedisConnection, CountersTellWhatHappened) {
  client.reset();
  node::Metrics counters;
  options.counters = &counters;
  start();
  client->ask("PING");
  client->ask("NOSUCH");
  client->send("GET k\r\n", 3);
  EXPECT_EQ(counters.clients_connected, 1U);
  EXPECT_EQ(counters.commands_total, 3U);
  EXPECT_EQ(counters.commands_refused_total, 1U);
  EXPECT_EQ(counters.client_bytes_in_total, 6U + 8U + 7U);
  client->close();
  EXPECT_EQ(counters.clients_connected, 0U);
  EXPECT_EQ(counters.clients_total, 1U);
  client.reset();
  front.reset();
}

}  // namespace
}  // namespace stator::redis

#include "front/redis/errors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "front/redis/testing/door.h"

namespace stator::redis {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr ErrorCode kCodes[] = {
    ErrorCode::kBadRequest,      ErrorCode::kBadContext,      ErrorCode::kTooLarge,
    ErrorCode::kTooManySiblings, ErrorCode::kOverloaded,      ErrorCode::kTooFewNodes,
    ErrorCode::kTimeout,         ErrorCode::kHistoryMismatch, ErrorCode::kNotMember,
    ErrorCode::kUnreadable,      ErrorCode::kDiskFull,        ErrorCode::kIo,
    ErrorCode::kCorrupt,         ErrorCode::kNotSupported,    ErrorCode::kClosed,
    ErrorCode::kConflict,        ErrorCode::kWriteIdExpired};

class RedisErrors : public ::testing::Test, public testing::Door {};

TEST_F(RedisErrors, EveryCodeHasALineThatEndsWithWhatToDo) {
  for (const ErrorCode code : kCodes) {
    std::string line;
    RespWriter out(line, 2);
    write_error(out, {.code = code, .needed = 2, .got = 1});
    EXPECT_THAT(line, HasSubstr("; ")) << to_string(code);
    EXPECT_EQ(line.find("\r\n"), line.size() - 2) << to_string(code);
    for (const char* retried : {"-MOVED", "-ASK", "-CLUSTERDOWN", "-LOADING"}) {
      EXPECT_THAT(line, Not(StartsWith(retried)));
    }
  }
}

TEST_F(RedisErrors, FactsStandInTheLine) {
  store.failures["k"] = {.code = ErrorCode::kTooFewNodes, .needed = 2, .got = 1};
  EXPECT_THAT(client.ask("GET k"), StartsWith("-NOQUORUM needed=2 got=1: "));
  EXPECT_THAT(client.ask("SET k v"), StartsWith("-NOQUORUM needed=2 got=1: "));
  store.failures["k"] = {.code = ErrorCode::kNotMember};
  EXPECT_THAT(client.ask("GET k"), AllOf(StartsWith("-NOTMEMBER "), HasSubstr("--found")));
  store.failures["k"] = {.code = ErrorCode::kTooLarge, .detail = "a key has at most 4096 bytes"};
  EXPECT_THAT(client.ask("GET k"), StartsWith("-TOOLARGE a key has at most 4096 bytes; "));
  store.failures["k"] = {.code = ErrorCode::kOverloaded};
  const std::string answer = client.ask("SET k v");
  EXPECT_THAT(answer, StartsWith("-TRYAGAIN "));
  EXPECT_TRUE(is_try_again(answer));
  store.failures["k"] = {.code = ErrorCode::kDiskFull};
  EXPECT_FALSE(is_try_again(client.ask("SET k v")));
}

TEST_F(RedisErrors, AnUnknownOutcomeNamesTheWriteAndIsNeverRetriedByClients) {
  store.failure_outcome = Outcome::kUnknown;
  for (const ErrorCode code : kCodes) {
    if (code == ErrorCode::kWriteIdExpired) continue;  // repeating it does not help: see below
    store.failures["k"] = {.code = code, .needed = 2, .got = 1};
    const std::string answer = client.ask("SET k v");
    EXPECT_THAT(answer, StartsWith("-UNKNOWN ")) << to_string(code);
    EXPECT_EQ(answer.find(' ', 9), 9U + 32U) << to_string(code);
    EXPECT_THAT(answer, HasSubstr(" needed=2 got=1: "));
  }
}

TEST_F(RedisErrors, EveryStepOfACommandMayFail) {
  ASSERT_EQ(client.ask("SET k v EX 100"), "+OK\r\n");
  const char* lines[] = {
      "GET k",  "SET k v KEEPTTL", "GETSET k v", "GETDEL k",   "GETEX k EX 5", "STRLEN k",
      "TYPE k", "TTL k",           "EXPIRE k 5", "PERSIST k",  "MGET a k",     "EXISTS a k",
      "DEL k",  "MSET k v",        "ST.GET k",   "ST.PUT k v", "ST.DEL k",     "ST.EXPLAIN k"};
  store.failures["k"] = {.code = ErrorCode::kTooFewNodes, .needed = 2, .got = 0};
  for (const char* line : lines) {
    EXPECT_THAT(client.ask(line), StartsWith("-NOQUORUM ")) << line;
  }
  store.failures["*"] = {.code = ErrorCode::kOverloaded};
  EXPECT_THAT(client.ask("SCAN 0"), StartsWith("-TRYAGAIN "));
}

TEST_F(RedisErrors, AFailedSecondStepIsAnswered) {
  ASSERT_EQ(client.ask("SET k v EX 100"), "+OK\r\n");
  for (const char* line : {"SET k v KEEPTTL", "GETSET k v", "GETDEL k", "GETEX k PERSIST",
                           "EXPIRE k 5", "PERSIST k", "DEL k"}) {
    store.hold = true;
    client.send(std::string(line) + "\r\n");
    store.release();  // the read
    ASSERT_EQ(store.held_name(0), "write k") << line;
    store.failures["k"] = {.code = ErrorCode::kDiskFull, .needed = 2, .got = 1};
    store.release();
    EXPECT_THAT(client.take(), StartsWith("-DISKFULL needed=2 got=1: ")) << line;
    store.failures.clear();
  }
  store.hold = false;
}

TEST_F(RedisErrors, AnMsetThatCameHalfWaySaysSo) {
  store.failures["c"] = {.code = ErrorCode::kTooFewNodes, .needed = 2, .got = 1};
  EXPECT_THAT(client.ask("MSET a 1 b 2 c 3"),
              StartsWith("-PARTIAL 2 of 3 keys were written, the others were not; repeat the "
                         "command: NOQUORUM needed=2 got=1: "));
  EXPECT_THAT(client.ask("MSET c 3"), StartsWith("-NOQUORUM "));
  store.failure_outcome = Outcome::kUnknown;
  EXPECT_THAT(client.ask("MSET a 1 b 2 c 3"), StartsWith("-UNKNOWN "));
}

TEST_F(RedisErrors, ARetryThatComesTooLateIsToldToReadAndNotToRepeatItself) {
  store.failures["k"] = {.code = ErrorCode::kWriteIdExpired, .detail = "too old"};
  store.failure_outcome = Outcome::kUnknown;
  EXPECT_EQ(
      client.ask("ST.PUT k v"),
      "-WIDEXPIRED too old; read the key with ST.GET; if your write is not there, write again "
      "under a new WID with the context of that read\r\n");
}

TEST_F(RedisErrors, AfterAFailureNoFurtherKeyIsBegun) {
  std::vector<std::string> words = {"MGET"};
  for (int i = 0; i < 1000; ++i) words.push_back("k" + std::to_string(i));
  store.hold = true;
  client.command(words);
  EXPECT_EQ(store.held(), 64U);  // as many as are begun at a time
  store.failures["k10"] = {.code = ErrorCode::kTimeout, .needed = 2, .got = 1};
  store.release_all();
  EXPECT_EQ(store.reads, 64U + 10U);  // those begun before k10 failed
  EXPECT_THAT(client.take(), StartsWith("-TIMEOUT needed=2 got=1: "));
}

TEST_F(RedisErrors, AnMgetOfTooMuchIsRefusedAndItsMemoryGivenBack) {
  ASSERT_EQ(client.run({"SET", "k", std::string(1 << 20, 'x')}), "+OK\r\n");
  std::vector<std::string> words = {"MGET"};
  for (int i = 0; i < 33; ++i) words.push_back("k");
  EXPECT_THAT(client.run(words), StartsWith("-TOOLARGE "));
  EXPECT_EQ(front.gathered, 0U);
  words.resize(31);
  EXPECT_THAT(client.run(words), StartsWith("*30\r\n"));
  EXPECT_EQ(front.gathered, 0U);
}

}  // namespace
}  // namespace stator::redis

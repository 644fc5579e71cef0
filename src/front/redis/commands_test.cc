#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "front/redis/testing/fakes.h"

// Each command's answer, in RESP2 and RESP3.

namespace stator::redis {
namespace {

using testing::bulk;
using testing::Client;
using testing::FakeExecutor;
using testing::FakeStore;
using ::testing::HasSubstr;
using testing::kWall;
using ::testing::StartsWith;

class RedisCommands : public ::testing::Test {
 public:
  FakeStore store;
  FakeExecutor executor;
  RedisFront front{store, executor, {.limits = {}, .version = "9.8.7"}};
  Client client{front};

  std::string ask(std::string_view line) { return client.ask(line); }
  void use_resp3() { ASSERT_THAT(ask("HELLO 3"), StartsWith("%7\r\n")); }
  void expect_error(std::string_view line, std::string_view prefix, std::string_view text = "") {
    const std::string answer = ask(line);
    EXPECT_THAT(answer, StartsWith("-" + std::string(prefix) + " ")) << line;
    EXPECT_THAT(answer, HasSubstr(std::string(text))) << line;
    EXPECT_EQ(answer.find("\r\n"), answer.size() - 2) << line;
  }
  std::string in_ms(std::int64_t ms) { return std::to_string(kWall.ms() + ms); }
};

// --- strings -----------------------------------------------------------------------------------

TEST_F(RedisCommands, WhatIsSetIsGot) {
  EXPECT_EQ(ask("GET k"), "$-1\r\n");
  EXPECT_EQ(ask("SET k v"), "+OK\r\n");
  EXPECT_EQ(ask("get k"), bulk("v"));
  EXPECT_EQ(ask("GET other"), "$-1\r\n");
  use_resp3();
  EXPECT_EQ(ask("GET k"), bulk("v"));
  EXPECT_EQ(ask("GET other"), "_\r\n");
}

TEST_F(RedisCommands, ValuesAndKeysAreAnyBytes) {
  const std::string odd("\0\r\n\xff", 4);
  EXPECT_EQ(client.run({"SET", odd, odd}), "+OK\r\n");
  EXPECT_EQ(client.run({"GET", odd}), bulk(odd));
  EXPECT_EQ(client.run({"SET", "", ""}), "+OK\r\n");
  EXPECT_EQ(client.run({"GET", ""}), bulk(""));
}

TEST_F(RedisCommands, APlainWriteReplacesSiblingsAndAPlainReadTakesTheNewest) {
  store.write_blind("k", "one");
  store.now.us += 1000;
  store.write_blind("k", "two");
  EXPECT_EQ(store.object_of("k").versions.size(), 2U);
  EXPECT_EQ(ask("GET k"), bulk("two"));
  EXPECT_EQ(ask("SET k three"), "+OK\r\n");
  EXPECT_EQ(store.object_of("k").versions.size(), 1U);
}

TEST_F(RedisCommands, SetTakesAnExpiry) {
  EXPECT_EQ(ask("SET k v EX 10"), "+OK\r\n");
  EXPECT_EQ(ask("PTTL k"), ":10000\r\n");
  EXPECT_EQ(ask("SET k v px 1500"), "+OK\r\n");
  EXPECT_EQ(ask("PTTL k"), ":1500\r\n");
  EXPECT_EQ(ask("SET k v EXAT 1790000100"), "+OK\r\n");
  EXPECT_EQ(ask("EXPIRETIME k"), ":1790000100\r\n");
  EXPECT_EQ(ask("SET k v PXAT " + in_ms(7)), "+OK\r\n");
  EXPECT_EQ(ask("PEXPIRETIME k"), ":" + in_ms(7) + "\r\n");
  store.now.us += 7000;
  EXPECT_EQ(ask("GET k"), "$-1\r\n");
  EXPECT_EQ(ask("SET k v"), "+OK\r\n");
  EXPECT_EQ(ask("TTL k"), ":-1\r\n");
}

TEST_F(RedisCommands, SetKeepsOrAnswersWhatWasThere) {
  EXPECT_EQ(ask("SET k v1 GET"), "$-1\r\n");
  EXPECT_EQ(ask("SET k v2 EX 10 GET"), bulk("v1"));
  EXPECT_EQ(ask("SET k v3 KEEPTTL"), "+OK\r\n");
  EXPECT_EQ(ask("TTL k"), ":10\r\n");
  EXPECT_EQ(ask("SET k v4 GET KEEPTTL"), bulk("v3"));
  EXPECT_EQ(ask("TTL k"), ":10\r\n");
  EXPECT_EQ(ask("SET k v5 GET"), bulk("v4"));
  EXPECT_EQ(ask("TTL k"), ":-1\r\n");
}

TEST_F(RedisCommands, SetRefusesConditionsAndNonsense) {
  expect_error("SET k v NX", "ERR", "ST.PUT");
  expect_error("SET k v EX 10 xx", "ERR", "ST.PUT");
  expect_error("SETNX k v", "ERR", "ST.PUT");
  for (const std::string_view line :
       {"SET k v EX", "SET k v FOO", "SET k v EX 1 PX 1", "SET k v KEEPTTL EX 1"}) {
    expect_error(line, "ERR", "syntax error");
  }
  for (const std::string_view line :
       {"SET k v EX 0", "SET k v PX -1", "SET k v EX 9223372036854775807", "SETEX k 0 v",
        "PSETEX k -5 v", "SET k v EXAT 0", "SET k v PXAT -1"}) {
    expect_error(line, "ERR", "invalid expire time in");
  }
  expect_error("SET k v EX ten", "ERR", "not an integer");
  expect_error("SET k", "ERR", "wrong number of arguments for 'set' command");
  EXPECT_EQ(store.writes, 0U);
}

TEST_F(RedisCommands, SetexAndPsetex) {
  EXPECT_EQ(ask("SETEX k 5 v"), "+OK\r\n");
  EXPECT_EQ(ask("PTTL k"), ":5000\r\n");
  EXPECT_EQ(ask("PSETEX k 5 v"), "+OK\r\n");
  EXPECT_EQ(ask("PTTL k"), ":5\r\n");
}

TEST_F(RedisCommands, GetsetGetdelGetex) {
  EXPECT_EQ(ask("GETSET k a"), "$-1\r\n");
  EXPECT_EQ(ask("GETSET k b"), bulk("a"));
  EXPECT_EQ(ask("GETEX k"), bulk("b"));
  EXPECT_EQ(ask("GETEX k EX 9"), bulk("b"));
  EXPECT_EQ(ask("TTL k"), ":9\r\n");
  EXPECT_EQ(ask("GETEX k PERSIST"), bulk("b"));
  EXPECT_EQ(ask("TTL k"), ":-1\r\n");
  const auto writes = store.writes;
  EXPECT_EQ(ask("GETEX k PERSIST"), bulk("b"));  // nothing to take away: no write
  EXPECT_EQ(store.writes, writes);
  expect_error("GETEX k EX", "ERR", "syntax error");
  expect_error("GETEX k FOO 1", "ERR", "syntax error");
  EXPECT_EQ(ask("GETDEL k"), bulk("b"));
  EXPECT_EQ(ask("GETDEL k"), "$-1\r\n");
  EXPECT_EQ(ask("GETEX k EX 9"), "$-1\r\n");
}

TEST_F(RedisCommands, StrlenAndType) {
  EXPECT_EQ(ask("STRLEN k"), ":0\r\n");
  EXPECT_EQ(ask("TYPE k"), "+none\r\n");
  EXPECT_EQ(ask("SET k four"), "+OK\r\n");
  EXPECT_EQ(ask("STRLEN k"), ":4\r\n");
  EXPECT_EQ(ask("TYPE k"), "+string\r\n");
}

TEST_F(RedisCommands, CommandsOfManyKeys) {
  EXPECT_EQ(ask("MSET a 1 b 2 a 3"), "+OK\r\n");  // of one key the last holds
  EXPECT_EQ(ask("MGET a x b a"), "*4\r\n" + bulk("3") + "$-1\r\n" + bulk("2") + bulk("3"));
  EXPECT_EQ(ask("EXISTS a b x a"), ":3\r\n");
  EXPECT_EQ(ask("TOUCH a x"), ":1\r\n");
  EXPECT_EQ(ask("DEL a a x"), ":1\r\n");
  EXPECT_EQ(ask("UNLINK a b"), ":1\r\n");
  EXPECT_EQ(ask("EXISTS a b"), ":0\r\n");
  expect_error("MSET a 1 b", "ERR", "wrong number of arguments for 'mset' command");
  use_resp3();
  EXPECT_EQ(ask("MGET a"), "*1\r\n_\r\n");
}

TEST_F(RedisCommands, ADeleteLeavesATombstoneOnlyWhereSomethingLived) {
  EXPECT_EQ(ask("DEL k"), ":0\r\n");
  EXPECT_EQ(store.writes, 0U);
  EXPECT_EQ(ask("SET k v"), "+OK\r\n");
  EXPECT_EQ(ask("DEL k"), ":1\r\n");
  ASSERT_EQ(store.object_of("k").versions.size(), 1U);
  EXPECT_TRUE(store.object_of("k").versions[0].tombstone);
}

// --- expiry ------------------------------------------------------------------------------------

TEST_F(RedisCommands, ExpireAndPersist) {
  EXPECT_EQ(ask("EXPIRE k 10"), ":0\r\n");
  EXPECT_EQ(ask("TTL k"), ":-2\r\n");
  EXPECT_EQ(ask("EXPIRETIME k"), ":-2\r\n");
  EXPECT_EQ(ask("SET k v"), "+OK\r\n");
  EXPECT_EQ(ask("EXPIRETIME k"), ":-1\r\n");
  EXPECT_EQ(ask("PERSIST k"), ":0\r\n");
  EXPECT_EQ(ask("EXPIRE k 10"), ":1\r\n");
  EXPECT_EQ(ask("TTL k"), ":10\r\n");
  EXPECT_EQ(ask("PEXPIRE k 1400"), ":1\r\n");
  EXPECT_EQ(ask("TTL k"), ":1\r\n");
  EXPECT_EQ(ask("PEXPIRE k 1600"), ":1\r\n");
  EXPECT_EQ(ask("TTL k"), ":2\r\n");  // to the nearest
  EXPECT_EQ(ask("EXPIREAT k 1790000007"), ":1\r\n");
  EXPECT_EQ(ask("PTTL k"), ":7000\r\n");
  EXPECT_EQ(ask("PEXPIREAT k " + in_ms(77)), ":1\r\n");
  EXPECT_EQ(ask("PEXPIRETIME k"), ":" + in_ms(77) + "\r\n");
  EXPECT_EQ(ask("PERSIST k"), ":1\r\n");
  EXPECT_EQ(ask("PTTL k"), ":-1\r\n");
  EXPECT_EQ(ask("GET k"), bulk("v"));
}

TEST_F(RedisCommands, AnExpiryInThePastDeletes) {
  for (const std::string_view line :
       {"EXPIRE k 0", "EXPIRE k -1", "EXPIREAT k 0", "PEXPIREAT k 5"}) {
    EXPECT_EQ(ask("SET k v"), "+OK\r\n");
    EXPECT_EQ(ask(line), ":1\r\n") << line;
    EXPECT_EQ(ask("EXISTS k"), ":0\r\n") << line;
  }
}

TEST_F(RedisCommands, ExpireRefusesConditionsAndNonsense) {
  for (const std::string_view option : {"NX", "XX", "GT", "LT"}) {
    expect_error("EXPIRE k 10 " + std::string(option), "ERR", "PTTL");
  }
  expect_error("EXPIRE k ten", "ERR", "not an integer");
  expect_error("EXPIRE k 9223372036854775807", "ERR", "out of range");
}

TEST_F(RedisCommands, ChangingTheExpiryKeepsValueAndContentType) {
  node::WriteRequest request;
  request.bucket = "default";
  request.key = "k";
  request.value = "v";
  request.content_type = "text/plain";
  store.write(request, [](const node::WriteResult&) {});
  EXPECT_EQ(ask("EXPIRE k 10"), ":1\r\n");
  const Object object = store.object_of("k");
  ASSERT_EQ(object.versions.size(), 1U);
  EXPECT_EQ(object.versions[0].expires_at.us, kWall.us + 10'000'000);
}

// --- walking -----------------------------------------------------------------------------------

TEST_F(RedisCommands, ScanAnswersCursorAndKeysOfTheDefaultBucket) {
  store.scan_result.next = (1ULL << 53) - 1;
  store.scan_result.keys = {{"default", "user:1"}, {"other", "user:2"}, {"default", "cart"}};
  const std::string cursor = bulk("9007199254740991");
  EXPECT_EQ(ask("SCAN 0"), "*2\r\n" + cursor + "*2\r\n" + bulk("user:1") + bulk("cart"));
  EXPECT_EQ(store.last_scan.count, 10U);
  EXPECT_EQ(ask("SCAN 9007199254740991 MATCH user:* COUNT 500"),
            "*2\r\n" + cursor + "*1\r\n" + bulk("user:1"));
  EXPECT_EQ(store.last_scan.cursor, 9007199254740991U);
  EXPECT_EQ(store.last_scan.count, 500U);
  EXPECT_EQ(ask("SCAN 0 TYPE string"),
            "*2\r\n" + cursor + "*2\r\n" + bulk("user:1") + bulk("cart"));
  EXPECT_EQ(ask("SCAN 0 TYPE hash"), "*2\r\n" + cursor + "*0\r\n");
  EXPECT_EQ(ask("SCAN 0 COUNT 1000000000"),
            "*2\r\n" + cursor + "*2\r\n" + bulk("user:1") + bulk("cart"));
  EXPECT_EQ(store.last_scan.count, 10'000U);
  store.scan_result = {};
  EXPECT_EQ(ask("SCAN 17"), "*2\r\n" + bulk("0") + "*0\r\n");
}

TEST_F(RedisCommands, ScanRefusesNonsense) {
  expect_error("SCAN x", "ERR", "invalid cursor");
  expect_error("SCAN -1", "ERR", "invalid cursor");
  expect_error("SCAN 0 MATCH", "ERR", "syntax error");
  expect_error("SCAN 0 COUNT 0", "ERR", "COUNT");
  expect_error("SCAN 0 FOO 1", "ERR", "syntax error");
  expect_error("SCAN 0 MATCH " + std::string(1025, 'a'), "ERR", "1024");
}

TEST_F(RedisCommands, DbsizeCountsWhatThisNodePublishes) {
  store.published_keys = 12;
  EXPECT_EQ(ask("DBSIZE"), ":12\r\n");
}

// --- connection --------------------------------------------------------------------------------

TEST_F(RedisCommands, PingEchoTime) {
  EXPECT_EQ(ask("PING"), "+PONG\r\n");
  EXPECT_EQ(ask("PING hi"), bulk("hi"));
  expect_error("PING a b", "ERR", "wrong number");
  EXPECT_EQ(ask("ECHO hi"), bulk("hi"));
  EXPECT_EQ(ask("TIME"), "*2\r\n" + bulk("1790000000") + bulk("0"));
}

TEST_F(RedisCommands, HelloChoosesTheProtocol) {
  EXPECT_THAT(ask("HELLO"), StartsWith("*14\r\n" + bulk("server") + bulk("redis")));
  const std::string hello3 = ask("HELLO 3 SETNAME me");
  EXPECT_THAT(hello3, StartsWith("%7\r\n"));
  EXPECT_THAT(hello3, HasSubstr(bulk("proto") + ":3\r\n"));
  EXPECT_THAT(hello3, HasSubstr(bulk("version") + bulk("7.0.15")));
  EXPECT_THAT(hello3, HasSubstr(bulk("mode") + bulk("cluster")));
  EXPECT_EQ(ask("CLIENT GETNAME"), bulk("me"));
  EXPECT_THAT(ask("HELLO 2"), StartsWith("*14\r\n"));
  EXPECT_EQ(ask("GET x"), "$-1\r\n");
  expect_error("HELLO 4", "NOPROTO");
  expect_error("HELLO x", "NOPROTO");
  expect_error("HELLO 3 FOO", "ERR", "syntax error");
  expect_error("HELLO 3 SETNAME \"a b\"", "ERR", "name");
  expect_error("HELLO 3 AUTH u p", "ERR", "without AUTH");
  EXPECT_EQ(ask("GET x"), "$-1\r\n");  // a refused HELLO changes nothing
}

TEST_F(RedisCommands, AuthIsRefusedWhereThereAreNoCredentials) {
  expect_error("AUTH secret", "ERR", "without AUTH");
  expect_error("AUTH user secret", "ERR", "without AUTH");
}

TEST_F(RedisCommands, SelectKnowsDatabaseZeroOnly) {
  EXPECT_EQ(ask("SELECT 0"), "+OK\r\n");
  expect_error("SELECT 1", "ERR", "database 0 only");
  expect_error("SELECT x", "ERR");
}

TEST_F(RedisCommands, WhatChangesNothingIsAccepted) {
  for (const std::string_view line : {"READONLY", "READWRITE", "ASKING", "CLIENT NO-EVICT on",
                                      "CLIENT NO-TOUCH off", "CLIENT REPLY ON", "CONFIG RESETSTAT",
                                      "CLIENT SETINFO LIB-NAME x", "CLIENT SETINFO lib-ver 1.2"}) {
    EXPECT_EQ(ask(line), "+OK\r\n") << line;
  }
  expect_error("CLIENT SETINFO foo x", "ERR", "LIB-NAME");
  expect_error("CLIENT REPLY OFF", "ERR", "not offered");
  expect_error("CLIENT NO-EVICT maybe", "ERR");
}

TEST_F(RedisCommands, ResetMakesTheConnectionAsNew) {
  use_resp3();
  EXPECT_EQ(ask("CLIENT SETNAME me"), "+OK\r\n");
  EXPECT_EQ(ask("RESET"), "+RESET\r\n");
  EXPECT_EQ(ask("CLIENT GETNAME"), "$-1\r\n");
}

TEST_F(RedisCommands, QuitAnswersAndCloses) {
  client.send("PING\r\nQUIT\r\nPING\r\n");
  EXPECT_EQ(client.take(), "+PONG\r\n+OK\r\n");
  EXPECT_TRUE(client.closed_by_server());
  EXPECT_FALSE(client.cut_by_server());
}

TEST_F(RedisCommands, ClientListShowsAndKillCloses) {
  Client other(front, "10.0.0.1", 7);
  EXPECT_EQ(other.ask("CLIENT ID"), ":2\r\n");
  EXPECT_EQ(client.ask("CLIENT ID"), ":1\r\n");
  EXPECT_EQ(ask("CLIENT SETNAME boss"), "+OK\r\n");
  const std::string list = ask("CLIENT LIST");
  EXPECT_THAT(list, HasSubstr("id=1 addr=127.0.0.1:50001 name=boss "));
  EXPECT_THAT(list, HasSubstr("id=2 addr=10.0.0.1:7 name= "));
  EXPECT_THAT(list, HasSubstr(" cmd=client|id "));
  EXPECT_THAT(ask("CLIENT LIST ID 2"), ::testing::Not(HasSubstr("id=1 ")));
  EXPECT_EQ(ask("CLIENT LIST TYPE pubsub"), bulk(""));
  EXPECT_THAT(ask("CLIENT INFO"), HasSubstr("id=1 "));
  expect_error("CLIENT LIST ID x", "ERR");
  expect_error("CLIENT LIST FOO", "ERR", "syntax error");
  expect_error("CLIENT SETNAME \"a b\"", "ERR", "spaces");
  expect_error("CLIENT KILL 1.2.3.4:5", "ERR", "No such client");
  expect_error("CLIENT KILL FOO 1", "ERR", "syntax error");
  EXPECT_EQ(ask("CLIENT KILL ID 1"), ":0\r\n");  // not oneself, unless one says so
  EXPECT_EQ(ask("CLIENT KILL ADDR 10.0.0.1:7"), ":1\r\n");
  EXPECT_TRUE(other.cut_by_server());
  EXPECT_EQ(ask("CLIENT KILL 127.0.0.1:50001"), "+OK\r\n");
  EXPECT_TRUE(client.closed_by_server());
}

TEST_F(RedisCommands, TextIsVerbatimInResp3) {
  use_resp3();
  for (const std::string_view line :
       {"CLIENT LIST", "CLIENT INFO", "INFO", "CLUSTER NODES", "CLUSTER INFO"}) {
    EXPECT_THAT(ask(line), StartsWith("=")) << line;
  }
}

// --- server ------------------------------------------------------------------------------------

TEST_F(RedisCommands, InfoHasWhatClientsLookFor) {
  store.node_status.keys = 5;
  store.node_status.uptime_ms = 61'000;
  const std::string all = ask("INFO");
  for (const std::string_view expected :
       {"# Server\r\n", "redis_version:7.0.15\r\n", "stator_version:9.8.7\r\n",
        "redis_mode:cluster\r\n", "tcp_port:7420\r\n", "uptime_in_seconds:61\r\n",
        "connected_clients:1\r\n", "loading:0\r\n", "role:master\r\n", "cluster_enabled:1\r\n",
        "db0:keys=5,expires=0,avg_ttl=0\r\n", "total_commands_processed:1\r\n",
        "stator_commands_total:1\r\n", "stator_members:3\r\n", "stator_engine:memory\r\n"}) {
    EXPECT_THAT(all, HasSubstr(std::string(expected)));
  }
  EXPECT_EQ(ask("INFO cluster"), bulk("# Cluster\r\ncluster_enabled:1\r\n"));
  EXPECT_EQ(ask("INFO replication CLUSTER"),
            bulk("# Replication\r\nrole:master\r\nconnected_slaves:0\r\n\r\n# "
                 "Cluster\r\ncluster_enabled:1\r\n"));
  EXPECT_EQ(ask("INFO nothing"), bulk(""));
  std::string many = "INFO";
  for (int i = 0; i < 33; ++i) many += " all";
  expect_error(many, "ERR", "sections");
}

TEST_F(RedisCommands, InfoCountsClientsAndKeysThatWereFound) {
  testing::Client other(front);
  ask("SET a 1");
  ask("GET a");
  ask("GET no");
  ask("MGET a no neither");
  const std::string stats = ask("INFO stats");
  for (const std::string_view expected :
       {"total_connections_received:2\r\n", "keyspace_hits:2\r\n", "keyspace_misses:3\r\n",
        "stator_keys_found_total:2\r\n"}) {
    EXPECT_THAT(stats, HasSubstr(std::string(expected)));
  }
}

TEST_F(RedisCommands, InfoTellsTheMemoryOfAProcessThatIsTheNodesOwn) {
  EXPECT_THAT(ask("INFO memory"), ::testing::Not(HasSubstr("used_memory:")));
  RedisFrontOptions options;
  options.resident_bytes = [] { return std::int64_t{12'345}; };
  RedisFront other(store, executor, options);
  testing::Client asker(other);
  const std::string memory = asker.ask("INFO memory");
  EXPECT_THAT(memory, HasSubstr("used_memory:12345\r\n"));
  EXPECT_THAT(memory, HasSubstr("used_memory_rss:12345\r\n"));
}

TEST_F(RedisCommands, ConfigGetDoesNotCallDurableWhatIsNot) {
  const auto appendfsync = [&](WritesSynced synced) {
    RedisFront other(store, executor, {.limits = {}, .version = {}, .writes_synced = synced});
    testing::Client asker(other);
    return asker.ask("CONFIG GET appendfsync");
  };
  EXPECT_EQ(appendfsync(WritesSynced::kSometime), "*2\r\n" + bulk("appendfsync") + bulk("no"));
  EXPECT_EQ(appendfsync(WritesSynced::kSoon), "*2\r\n" + bulk("appendfsync") + bulk("everysec"));
}

TEST_F(RedisCommands, ConfigGetKnowsWhatClientsAskFor) {
  EXPECT_EQ(ask("CONFIG GET save"), "*2\r\n" + bulk("save") + bulk(""));
  EXPECT_EQ(ask("CONFIG GET APPENDONLY nothing"), "*2\r\n" + bulk("appendonly") + bulk("no"));
  EXPECT_EQ(ask("CONFIG GET max*"), "*6\r\n" + bulk("maxmemory") + bulk("0") +
                                        bulk("maxmemory-policy") + bulk("noeviction") +
                                        bulk("maxclients") + bulk("10000"));
  EXPECT_EQ(ask("CONFIG GET appendfsync"), "*2\r\n" + bulk("appendfsync") + bulk("always"));
  EXPECT_EQ(ask("CONFIG GET nothing"), "*0\r\n");
  use_resp3();
  EXPECT_EQ(ask("CONFIG GET databases"), "%1\r\n" + bulk("databases") + bulk("1"));
  expect_error("CONFIG SET save 1", "ERR", "not offered");
  expect_error("CONFIG FOO", "ERR", "unknown subcommand");
  expect_error("CONFIG", "ERR", "wrong number");
}

TEST_F(RedisCommands, RefusalsSayWhyAndWhatElse) {
  for (const std::string_view line :
       {"INCR k", "APPEND k v", "MULTI", "WATCH k", "SUBSCRIBE c", "EVAL x 0", "LPUSH l 1",
        "HSET h f v", "KEYS *", "FLUSHALL", "BLPOP l 0", "SPOP s", "MSETNX a 1", "DEBUG SLEEP 1",
        "CLUSTER MEET a 1", "CLIENT TRACKING ON", "LATENCY DOCTOR", "MEMORY USAGE k"}) {
    expect_error(line, "ERR", "is not offered: ");
    executor.advance(seconds(1));
  }
  expect_error("NOSUCH a b", "ERR", "unknown command 'NOSUCH'");
  expect_error("CLUSTER NOSUCH", "ERR", "unknown subcommand 'NOSUCH'");
}

TEST_F(RedisCommands, CommandDescribesEveryRow) {
  EXPECT_THAT(ask("COMMAND COUNT"), StartsWith(":"));
  const std::string get = "*10\r\n" + bulk("get") +
                          ":2\r\n*2\r\n+readonly\r\n+fast\r\n:1\r\n:1\r\n:1\r\n*3\r\n+@read\r\n"
                          "+@string\r\n+@fast\r\n*0\r\n*1\r\n*6\r\n";
  EXPECT_THAT(ask("COMMAND INFO get"), StartsWith("*1\r\n" + get));
  EXPECT_THAT(ask("COMMAND INFO nosuch"), StartsWith("*1\r\n$-1\r\n"));
  EXPECT_THAT(ask("COMMAND INFO client|id"), StartsWith("*1\r\n*10\r\n" + bulk("client|id")));
  EXPECT_EQ(ask("COMMAND"), ask("COMMAND INFO"));
  EXPECT_THAT(ask("COMMAND DOCS get"),
              StartsWith("*2\r\n" + bulk("get") + "*6\r\n" + bulk("summary")));
  EXPECT_THAT(ask("COMMAND DOCS client"), HasSubstr(bulk("client|kill")));
  EXPECT_EQ(ask("COMMAND DOCS nosuch"), "*0\r\n");
  EXPECT_EQ(ask("COMMAND LIST FILTERBY PATTERN st.*"),
            "*4\r\n" + bulk("st.del") + bulk("st.explain") + bulk("st.get") + bulk("st.put"));
  expect_error("COMMAND LIST FOO", "ERR", "syntax error");
  use_resp3();
  EXPECT_THAT(ask("COMMAND DOCS get"), StartsWith("%1\r\n" + bulk("get") + "%3\r\n"));
}

TEST_F(RedisCommands, CommandGetkeysFindsTheKeys) {
  EXPECT_EQ(ask("COMMAND GETKEYS SET k v"), "*1\r\n" + bulk("k"));
  EXPECT_EQ(ask("COMMAND GETKEYS mset a 1 b 2"), "*2\r\n" + bulk("a") + bulk("b"));
  EXPECT_EQ(ask("COMMAND GETKEYS DEL a b c"), "*3\r\n" + bulk("a") + bulk("b") + bulk("c"));
  expect_error("COMMAND GETKEYS PING", "ERR", "no key arguments");
  expect_error("COMMAND GETKEYS NOSUCH", "ERR", "Invalid command");
  expect_error("COMMAND GETKEYS GET", "ERR", "Invalid number");
}

}  // namespace
}  // namespace stator::redis

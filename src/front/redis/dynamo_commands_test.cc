#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "front/redis/testing/door.h"
#include "front/redis/text.h"

namespace stator::redis {
namespace {

using testing::bulk;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class DynamoCommands : public ::testing::Test, public testing::Door {
 public:
  std::string ask(const std::vector<std::string>& words) { return client.run(words); }
  /// The bulk string that an answer begins with, at `at`.
  static std::string bulk_at(const std::string& answer, std::size_t at) {
    EXPECT_EQ(answer.at(at), '$');
    const std::size_t line = answer.find("\r\n", at);
    const auto size = parse_unsigned(std::string_view(answer).substr(at + 1, line - at - 1));
    return answer.substr(line + 2, size.value_or(0));
  }
  std::string context_of(const std::string& key) { return bulk_at(ask({"ST.GET", key}), 4); }
};

TEST_F(DynamoCommands, GetAnswersContextAndSiblings) {
  const std::string nothing = ask({"ST.GET", "k"});
  EXPECT_FALSE(bulk_at(nothing, 4).empty());
  EXPECT_THAT(nothing, ::testing::EndsWith("\r\n*0\r\n"));
  store.write_blind("k", "one");
  store.write_blind("k", "two");
  const std::string answer = ask({"ST.GET", "k"});
  EXPECT_THAT(answer, HasSubstr("\r\n*2\r\n*6\r\n" + bulk("one")));
  EXPECT_THAT(answer, HasSubstr(bulk("two")));
  EXPECT_THAT(answer, HasSubstr("0000000000abcdef.1:"));
  EXPECT_THAT(answer, HasSubstr(":1790000000000\r\n"));
}

TEST_F(DynamoCommands, GetIsAMapInResp3) {
  store.write_blind("k", "one");
  client.ask("HELLO 3");
  const std::string answer = ask({"ST.GET", "k"});
  EXPECT_THAT(answer, StartsWith("%2\r\n" + bulk("context")));
  EXPECT_THAT(answer, HasSubstr(bulk("siblings") + "*1\r\n%6\r\n" + bulk("value") + bulk("one") +
                                bulk("dot")));
  EXPECT_THAT(answer, HasSubstr(bulk("content_type") + bulk("") + bulk("expires_ms") + ":0\r\n"));
}

TEST_F(DynamoCommands, APutWithoutContextBecomesASiblingAndWithItReplaces) {
  const std::string own = bulk_at(ask({"ST.PUT", "k", "one"}), 0);
  EXPECT_FALSE(own.empty());
  ask({"ST.PUT", "k", "two"});
  EXPECT_EQ(store.object_of("k").versions.size(), 2U);
  // The context of a put is the writer's own: it has not seen what the other wrote.
  ask({"ST.PUT", "k", "three", "CTX", own});
  EXPECT_EQ(store.object_of("k").versions.size(), 2U);
  ask({"ST.PUT", "k", "four", "ctx", context_of("k")});
  EXPECT_EQ(store.object_of("k").versions.size(), 1U);
  EXPECT_EQ(client.ask("GET k"), bulk("four"));
}

TEST_F(DynamoCommands, ADeleteWithContextLeavesWhatItDidNotSee) {
  store.write_blind("k", "one");
  const std::string context = context_of("k");
  store.write_blind("k", "two");
  EXPECT_THAT(ask({"ST.DEL", "k", "CTX", context}), StartsWith("$"));
  EXPECT_EQ(client.ask("GET k").substr(0, 1), "$");
  const std::string answer = ask({"ST.GET", "k"});
  EXPECT_THAT(answer, HasSubstr("\r\n*1\r\n*6\r\n" + bulk("two")));
  EXPECT_THAT(ask({"ST.DEL", "k"}), StartsWith("$"));
  EXPECT_EQ(client.ask("EXISTS k"), ":0\r\n");
}

TEST_F(DynamoCommands, QuorumsAndWriteIdsReachTheStore) {
  ask({"ST.GET", "k", "R", "3", "pr", "1"});
  EXPECT_EQ(store.last_read.r, 3);
  EXPECT_EQ(store.last_read.pr, 1);
  const std::string id = "018f6b7e1c2d7abc8def0123456789ab";
  ask({"ST.PUT", "k", "v", "W", "3", "PW", "2", "DW", "1", "WID", id});
  EXPECT_EQ(store.last_write.kind, node::WriteKind::kWithContext);
  EXPECT_EQ(store.last_write.quorum.w, 3);
  EXPECT_EQ(store.last_write.quorum.pw, 2);
  EXPECT_EQ(store.last_write.quorum.dw, 1);
  EXPECT_EQ(store.last_write.id, parse_write_id(id));
  EXPECT_THAT(ask({"ST.GET", "k"}), HasSubstr(bulk(id)));
}

// D9: as a plain list where there are no maps, and nothing where nobody asked for it.
TEST_F(DynamoCommands, AnswersTellWhoStandsBehindThemWhereAsked) {
  store.write_blind("k", "one");
  store.evidence = {.primaries = 1, .fallbacks = 2, .nodes = 3, .zones = 2};
  const std::string list = "*4\r\n:1\r\n:2\r\n:3\r\n:2\r\n";
  for (const auto& words : std::vector<std::vector<std::string>>{
           {"ST.GET", "k", "EVIDENCE"}, {"ST.GET", "k", "R", "2", "evidence", "PR", "1"}}) {
    const std::string answer = ask(words);
    EXPECT_THAT(answer, StartsWith("*3\r\n$"));
    EXPECT_THAT(answer, HasSubstr("\r\n*1\r\n*6\r\n" + bulk("one")));
    EXPECT_THAT(answer, ::testing::EndsWith(list));
  }
  EXPECT_EQ(store.last_read.r, 2);
  EXPECT_EQ(store.last_read.pr, 1);
  for (const auto& words : std::vector<std::vector<std::string>>{
           {"ST.PUT", "k", "two", "EVIDENCE", "W", "2"}, {"ST.DEL", "k", "W", "2", "EVIDENCE"}}) {
    const std::string answer = ask(words);
    EXPECT_THAT(answer, StartsWith("*2\r\n$"));
    EXPECT_FALSE(bulk_at(answer, 4).empty()) << "the context";
    EXPECT_THAT(answer, ::testing::EndsWith("\r\n" + list));
    EXPECT_EQ(store.last_write.quorum.w, 2);
  }
  EXPECT_THAT(ask({"ST.PUT", "k", "three"}), StartsWith("$"));
  EXPECT_THAT(ask({"ST.GET", "k"}), StartsWith("*2\r\n$"));
  client.ask("HELLO 3");
  const std::string map = bulk("evidence") + "%4\r\n" + bulk("primaries") + ":1\r\n" +
                          bulk("fallbacks") + ":2\r\n" + bulk("nodes") + ":3\r\n" + bulk("zones") +
                          ":2\r\n";
  const std::string read = ask({"ST.GET", "k", "EVIDENCE"});
  EXPECT_THAT(read, StartsWith("%3\r\n" + bulk("context")));
  EXPECT_THAT(read, ::testing::EndsWith(map));
  const std::string written = ask({"ST.PUT", "k", "four", "EVIDENCE"});
  EXPECT_THAT(written, StartsWith("%2\r\n" + bulk("context")));
  EXPECT_THAT(written, ::testing::EndsWith(map));
}

TEST_F(DynamoCommands, ARetryWithItsWriteIdIsOneWrite) {
  const std::string id = "018f6b7e1c2d7abc8def0123456789ab";
  ask({"ST.PUT", "k", "v", "WID", id});
  ask({"ST.PUT", "k", "v", "WID", id});
  EXPECT_EQ(store.object_of("k").versions.size(), 1U);
}

TEST_F(DynamoCommands, ForeignCutAndRandomContextsAreRefused) {
  store.write_blind("k", "one");
  const std::string context = context_of("k");
  for (const std::string& bad : {context.substr(0, context.size() - 4), std::string("AAAA"),
                                 std::string("!"), std::string(), std::string(30'000, 'A')}) {
    EXPECT_THAT(ask({"ST.PUT", "k", "v", "CTX", bad}), StartsWith("-")) << bad.size();
  }
  EXPECT_THAT(ask({"ST.PUT", "other", "v", "CTX", context}), StartsWith("-BADCONTEXT "));
  EXPECT_THAT(ask({"ST.DEL", "other", "CTX", context}), StartsWith("-BADCONTEXT "));
  EXPECT_EQ(store.writes, 1U);
}

TEST_F(DynamoCommands, BadOptionsAreRefused) {
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"ST.GET", "k", "R"},
                                             {"ST.GET", "k", "R", "0"},
                                             {"ST.GET", "k", "R", "8"},
                                             {"ST.GET", "k", "FOO", "1"},
                                             {"ST.PUT", "k", "v", "W", "x"},
                                             {"ST.PUT", "k", "v", "CTX"},
                                             {"ST.PUT", "k", "v", "EVIDENCE", "W"},
                                             {"ST.GET", "k", "EVIDENCE", "R"},
                                             {"ST.PUT", "k", "v", "FOO", "1"},
                                             {"ST.PUT", "k", "v", "WID", "1"},
                                             {"ST.PUT", "k", "v", "WID", std::string(32, '0')},
                                             {"ST.DEL", "k", "WID", std::string(32, '1')}}) {
    EXPECT_THAT(ask(words), StartsWith("-ERR ")) << words[2];
  }
  EXPECT_EQ(store.writes + store.reads, 0U);
}

TEST_F(DynamoCommands, ExplainShowsEachReplica) {
  store.write_blind("k", "one");
  const std::string flat = ask({"ST.EXPLAIN", "k"});
  EXPECT_THAT(flat, StartsWith("*10\r\n" + bulk("slot") + ":3000\r\n" + bulk("partition") +
                               ":3\r\n" + bulk("verdict")));
  EXPECT_THAT(flat, HasSubstr(bulk("node") + bulk("n1")));
  EXPECT_THAT(flat, HasSubstr(bulk("error") + bulk("not reachable")));
  EXPECT_THAT(flat, HasSubstr(bulk("bytes") + ":3\r\n"));
  client.ask("HELLO 3");
  EXPECT_THAT(ask({"ST.EXPLAIN", "k"}), StartsWith("%5\r\n"));
  store.failures["k"] = {.code = ErrorCode::kNotMember};
  EXPECT_THAT(ask({"ST.EXPLAIN", "k"}), StartsWith("-NOTMEMBER "));
}

}  // namespace
}  // namespace stator::redis

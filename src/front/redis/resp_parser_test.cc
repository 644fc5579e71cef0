#include "front/redis/resp_parser.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "front/redis/inline_command.h"
#include "front/redis/testing/fakes.h"

namespace stator::redis {
namespace {

using testing::resp;

std::vector<std::string> words_of(const ArgumentList& list) {
  return {list.views.begin(), list.views.end()};
}

struct Fed {
  ParseStatus status{};
  std::vector<std::vector<std::string>> commands;
  std::string problem;
};

// Feeds `input` in pieces that end at each of `cuts`, as a stream would: what is not consumed comes
// again. Each delivery is a block of exactly its size.
Fed feed_cut(std::string_view input, const std::vector<std::size_t>& cuts,
             const ParserLimits& limits = {}) {
  RespParser parser;
  ArgumentList list;
  Fed out;
  std::size_t consumed = 0;
  for (const std::size_t cut : cuts) {
    for (;;) {
      const std::vector<char> exact(input.begin() + static_cast<std::ptrdiff_t>(consumed),
                                    input.begin() + static_cast<std::ptrdiff_t>(cut));
      const Parsed parsed = parser.next({exact.data(), exact.size()}, limits, list);
      out.status = parsed.status;
      out.problem = parsed.problem;
      if (parsed.status == ParseStatus::kIncomplete) break;
      if (parsed.status != ParseStatus::kCommand) return out;
      if (!list.views.empty()) out.commands.push_back(words_of(list));
      consumed += parsed.consumed;
      if (consumed == cut) break;
    }
  }
  return out;
}

Fed feed(std::string_view input, const ParserLimits& limits = {}) {
  return feed_cut(input, {input.size()}, limits);
}

TEST(RespParser, CommandsComeOutTheSameHoweverTheyAreSplit) {
  const std::string input = resp({"SET", "k", "line\r\n\0end"}) + "*0\r\nPING\r\n" +
                            resp({"GET", ""}) + "set 'a b' \"c\\x41\\n\"\r\n" + resp({"QUIT"});
  const std::vector<std::vector<std::string>> expected = {
      {"SET", "k", "line\r\n"}, {"PING"}, {"GET", ""}, {"set", "a b", "cA\n"}, {"QUIT"}};
  EXPECT_EQ(feed(input).commands, expected);
  for (std::size_t first = 1; first < input.size(); ++first) {
    for (std::size_t second = first; second < input.size(); ++second) {
      ASSERT_EQ(feed_cut(input, {first, second, input.size()}).commands, expected)
          << "cut at " << first << " and " << second;
    }
  }
}

TEST(RespParser, OneByteAtATimeIsEnough) {
  const std::string input = resp({"MSET", "a", "1", "b", std::string(300, 'x')});
  std::vector<std::size_t> cuts;
  for (std::size_t i = 1; i <= input.size(); ++i) cuts.push_back(i);
  const auto out = feed_cut(input, cuts);
  ASSERT_EQ(out.commands.size(), 1U);
  EXPECT_EQ(out.commands[0][4], std::string(300, 'x'));
}

TEST(RespParser, ACommandThatIsNotConsumedIsParsedAgain) {
  RespParser parser;
  ArgumentList list;
  const std::string input = resp({"GET", "k"});
  for (int i = 0; i < 2; ++i) {
    const Parsed parsed = parser.next(input, {}, list);
    EXPECT_EQ(parsed.status, ParseStatus::kCommand);
    EXPECT_EQ(parsed.consumed, input.size());
    EXPECT_EQ(words_of(list), (std::vector<std::string>{"GET", "k"}));
  }
}

TEST(RespParser, WhatIsNotRespIsRefusedWithWhatIsWrong) {
  for (const std::string_view input :
       {"*x\r\n", "*1\r\nx", "*1\r\n:5\r\n", "*1\r\n$-1\r\n", "*1\r\n$\r\n", "*1\r\n$1x\r\n",
        "*1\n", "*1\r\n$3\r\nabcd\r\n", "*1\r\n$99999999999999999999\r\n", "*-\r\n",
        "*1\r\n$3\r\nabc\n\n"}) {
    const auto out = feed(input);
    EXPECT_EQ(out.status, ParseStatus::kBad) << input;
    EXPECT_FALSE(out.problem.empty()) << input;
  }
}

TEST(RespParser, LengthsOverTheLimitsAreRefusedBeforeAnythingIsKept) {
  const ParserLimits limits{.bulk_bytes_max = 10, .command_bytes_max = 60, .arguments_max = 5};
  EXPECT_EQ(feed("*6\r\n", limits).status, ParseStatus::kTooLarge);
  EXPECT_EQ(feed("*5\r\n", limits).status, ParseStatus::kIncomplete);
  EXPECT_EQ(feed("*1\r\n$11\r\n", limits).status, ParseStatus::kTooLarge);
  EXPECT_EQ(feed("*1\r\n$10\r\n", limits).status, ParseStatus::kIncomplete);
  EXPECT_EQ(feed("*4\r\n" + testing::bulk("0123456789") + testing::bulk("0123456789") +
                     testing::bulk("0123456789") + "$10\r\n",
                 limits)
                .status,
            ParseStatus::kTooLarge);
  for (const std::string_view boast :
       {"*1\r\n$9223372036854775807\r\n", "*1\r\n$9223372036854775808\r\n",
        "*1\r\n$18446744073709551615\r\n", "*9223372036854775808\r\n"}) {
    const auto status = feed(boast).status;
    EXPECT_TRUE(status == ParseStatus::kTooLarge || status == ParseStatus::kBad) << boast;
  }
}

TEST(RespParser, AnnouncedArgumentsAreNotReserved) {
  RespParser parser;
  ArgumentList list;
  EXPECT_EQ(parser.next("*65536\r\n$1048576\r\n", {}, list).status, ParseStatus::kIncomplete);
  EXPECT_LT(list.views.capacity(), 100U);
}

TEST(RespParser, ATooLongInlineLineIsRefused) {
  const ParserLimits limits{.inline_bytes_max = 100};
  EXPECT_EQ(feed(std::string(99, 'a'), limits).status, ParseStatus::kIncomplete);
  EXPECT_EQ(feed(std::string(100, 'a'), limits).status, ParseStatus::kTooLarge);
}

TEST(RespParser, AnInlineLineMayBeEmptyOrEndWithLfAlone) {
  const auto out = feed("\r\n\nPING\nGET  k \t\r\n");
  EXPECT_EQ(out.commands, (std::vector<std::vector<std::string>>{{"PING"}, {"GET", "k"}}));
}

TEST(RespParser, QuotesThatDoNotCloseAndControlCharactersAreRefused) {
  for (const std::string_view line : {"set \"a", "set 'a", "set \"a\"b", "\x16\x03\x01"}) {
    EXPECT_EQ(feed(std::string(line) + "\r\n").status, ParseStatus::kBad) << line;
  }
}

TEST(RespParser, HttpIsRecognisedByItsRequestLine) {
  for (const std::string_view line :
       {"GET / HTTP/1.1", "POST /x HTTP/1.1", "PUT /v1/kv/b/k HTTP/1.1", "HEAD / HTTP/1.0",
        "OPTIONS * HTTP/1.1", "DELETE /a HTTP/1.1", "get /", "PATCH /a", "CONNECT a:80 HTTP/1.1",
        "GET http://a/ HTTP/1.1", "Host: a", "HOST: b", "PRI * HTTP/2.0", "POST x"}) {
    EXPECT_EQ(feed(std::string(line) + "\r\n").status, ParseStatus::kHttp) << line;
  }
  for (const std::string_view line : {"GET key", "GET", "delete k", "put k v", "getset / x"}) {
    EXPECT_EQ(feed(std::string(line) + "\r\n").status, ParseStatus::kCommand) << line;
  }
}

TEST(RespParser, TheNameOfAnIncompleteCommandIsKnownEarly) {
  EXPECT_EQ(RespParser::name_of("*3\r\n$3\r\nSET\r\n$1"), "SET");
  EXPECT_EQ(RespParser::name_of("*3\r\n$3\r\nSE"), "");
  EXPECT_EQ(RespParser::name_of("*3\r\n$3"), "");
  EXPECT_EQ(RespParser::name_of("hello"), "");
  EXPECT_EQ(RespParser::name_of(""), "");
}

}  // namespace
}  // namespace stator::redis

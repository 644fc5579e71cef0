#include "sim/resp.h"

#include <gtest/gtest.h>

namespace stator::sim {
namespace {

TEST(SimResp, ACommandIsAnArrayOfBulks) {
  std::string out;
  append_command(out, {"SET", "k", std::string_view("a\0b", 3)});
  EXPECT_EQ(out, std::string("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$3\r\na\0b\r\n", 29));
}

TEST(SimResp, ParsesEveryTypeAndTellsItsLength) {
  const std::string bytes = "*5\r\n+OK\r\n-ERR no\r\n:-7\r\n$3\r\nabc\r\n$-1\r\nrest";
  Reply reply;
  ASSERT_EQ(parse_reply(bytes, reply), bytes.size() - 4);
  ASSERT_EQ(reply.members.size(), 5U);
  EXPECT_EQ(reply.members[0].text, "OK");
  EXPECT_TRUE(reply.members[1].is_error());
  EXPECT_EQ(reply.members[1].error_prefix(), "ERR");
  EXPECT_EQ(reply.members[2].integer, -7);
  EXPECT_EQ(reply.members[3].text, "abc");
  EXPECT_EQ(reply.members[4].type, Reply::Type::kNull);
}

TEST(SimResp, EveryCutOfAReplyIsIncomplete) {
  const std::string bytes = "*2\r\n*1\r\n$3\r\nabc\r\n:12\r\n";
  Reply reply;
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(parse_reply(std::string_view(bytes).substr(0, size), reply), 0U) << size;
  }
  EXPECT_EQ(parse_reply(bytes, reply), bytes.size());
}

TEST(SimResp, WhatIsNoReplyIsSaidToBeNone) {
  Reply reply;
  for (const char* bytes : {"hello\r\n", "$x\r\n", "$-2\r\n", "$1\r\nabc", ":1a\r\n", "*-3\r\n"}) {
    EXPECT_FALSE(parse_reply(bytes, reply)) << bytes;
  }
}

}  // namespace
}  // namespace stator::sim

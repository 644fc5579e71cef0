#include "limit/resp.h"

#include <gtest/gtest.h>

#include <string>

namespace stator::limit {
namespace {

const std::string kSet = "*3\r\n$3\r\nset\r\n$1\r\nk\r\n$4\r\na\r\nb\r\n";

TEST(ParseCommand, ReadsBinaryArgumentsAndSaysHowMuchItTook) {
  const std::string input = kSet + "*1\r\n";
  Command command;
  ASSERT_EQ(parse_command(input, command), ParseResult::kComplete);
  EXPECT_EQ(command.bytes, kSet.size());
  ASSERT_EQ(command.argument_count, 3U);
  EXPECT_EQ(command.arguments[1], "k");
  EXPECT_EQ(command.arguments[2], "a\r\nb");
  EXPECT_TRUE(command.is("SET"));
  EXPECT_FALSE(command.is("GET"));
}

TEST(ParseCommand, WaitsForMoreAtEveryCut) {
  for (std::size_t size = 0; size < kSet.size(); ++size) {
    // An exact copy on the heap, so that a sanitizer sees one byte too many.
    const std::string cut = kSet.substr(0, size);
    Command command;
    ASSERT_EQ(parse_command(cut, command), ParseResult::kIncomplete) << size;
  }
}

TEST(ParseCommand, RefusesWhatIsNoCommand) {
  for (const char* input :
       {"PING\r\n", "*x\r\n", "*0\r\n", "*9\r\n", "*\r\n", "*1\r\n+OK\r\n", "*1\r\n$-1\r\n",
        "*1\r\n$1\r\nabc", "*1\r\n$99999999999999999999\r\n", "*1\rx"}) {
    Command command;
    EXPECT_EQ(parse_command(input, command), ParseResult::kMalformed) << input;
  }
}

}  // namespace
}  // namespace stator::limit

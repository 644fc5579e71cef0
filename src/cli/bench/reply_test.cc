#include "cli/bench/reply.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/random.h"

namespace stator::bench {
namespace {

using namespace std::string_literals;

// In memory of exactly this size, so that a byte too many is seen by a sanitizer.
Result<std::size_t> scan(ReplyScanner& scanner, std::string_view bytes) {
  const auto exact = std::make_unique<char[]>(bytes.size());
  std::copy(bytes.begin(), bytes.end(), exact.get());
  return scanner.next({exact.get(), bytes.size()});
}

const std::vector<std::string> kReplies = {
    "+OK\r\n",
    "+\r\n",
    "-UNKNOWN 01ab the write may be visible\r\n",
    ":0\r\n",
    ":-9223372036854775808\r\n",
    "$-1\r\n",
    "$0\r\n\r\n",
    "$5\r\na\r\nbc\r\n"s,
    "$3\r\n\0\0\0\r\n"s,
    "*-1\r\n",
    "*0\r\n",
    "*2\r\n$1\r\na\r\n:7\r\n",
    "*3\r\n*0\r\n*2\r\n*1\r\n+x\r\n$-1\r\n-ERR\r\n",
};

TEST(ReplyScannerTest, TellsWhereEachReplyEnds) {
  std::string all;
  for (const std::string& reply : kReplies) all += reply;
  ReplyScanner scanner;
  std::string_view rest = all;
  for (const std::string& reply : kReplies) {
    const auto size = scan(scanner, rest);
    ASSERT_TRUE(size) << reply;
    EXPECT_EQ(*size, reply.size()) << reply;
    rest.remove_prefix(*size);
  }
  EXPECT_EQ(*scan(scanner, rest), 0U);
}

TEST(ReplyScannerTest, EveryBeginningIsIncompleteAndIsGoneOnWith) {
  for (const std::string& reply : kReplies) {
    ReplyScanner scanner;
    for (std::size_t size = 0; size < reply.size(); ++size) {
      const auto found = scan(scanner, std::string_view(reply).substr(0, size));
      ASSERT_TRUE(found) << reply;
      EXPECT_EQ(*found, 0U) << reply;
    }
    EXPECT_EQ(*scan(scanner, reply + "+next"), reply.size());
    EXPECT_EQ(*scan(scanner, "+OK\r\n"), 5U);  // and is ready for the next one
  }
}

TEST(ReplyScannerTest, WhatIsNoReplyIsRefused) {
  for (const std::string& bytes :
       {"HTTP/1.1 400 Bad Request\r\n"s, "\r\n"s, "\n"s, "+OK\n"s, ":\r\n"s, ":1x\r\n"s, "$-2\r\n"s,
        "$99999999999\r\n"s, "$1\r\nabc"s, "$9223372036854775808\r\n"s, "*-2\r\n"s,
        "*99999999999\r\n"s, "*1\r\n%1\r\n"s, "_\r\n"s, "+"s + std::string(70'000, 'x')}) {
    ReplyScanner scanner;
    const auto found = scan(scanner, bytes);
    ASSERT_FALSE(found) << bytes;
    EXPECT_EQ(found.error().code, ErrorCode::kCorrupt);
  }
}

TEST(ReplyScannerTest, DeepAndWideAnnouncementsCostNothing) {
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "*16777216\r\n";
  ReplyScanner scanner;
  EXPECT_EQ(*scan(scanner, deep), 0U);
}

TEST(ReplyScannerTest, AnyBytesEndInASizeARefusalOrMoreToRead) {
  SplitMix64 random(7);
  constexpr std::string_view kAlphabet = "+-:$*0123456789\r\n\r\n\r\n";
  for (int round = 0; round < 50'000; ++round) {
    std::string bytes;
    for (std::uint64_t i = random.below(40); i > 0; --i)
      bytes += kAlphabet[random.below(kAlphabet.size())];
    ReplyScanner scanner;
    const auto found = scan(scanner, bytes);
    if (!found) continue;
    ASSERT_LE(*found, bytes.size());
    ReplyReader reader(std::string_view(bytes).substr(0, *found));
    reader.skip();
    EXPECT_TRUE(reader.next().is(ReplyType::kNull));  // the reply was read to its end
  }
}

TEST(ReplyReaderTest, ReadsPartsInOrder) {
  ReplyReader reader("*4\r\n+fine\r\n:-12\r\n$4\r\n\r\n\r\n\r\n*1\r\n$-1\r\n");
  const Reply array = reader.next();
  EXPECT_TRUE(array.is(ReplyType::kArray));
  EXPECT_EQ(array.integer, 4);
  const Reply simple = reader.next();
  EXPECT_TRUE(simple.is(ReplyType::kSimple));
  EXPECT_EQ(simple.text, "fine");
  EXPECT_EQ(reader.next().integer, -12);
  const Reply bulk = reader.next();
  EXPECT_TRUE(bulk.is(ReplyType::kBulk));
  EXPECT_EQ(bulk.text, "\r\n\r\n");
  EXPECT_EQ(reader.next().integer, 1);
  EXPECT_TRUE(reader.next().is(ReplyType::kNull));
}

TEST(ReplyReaderTest, SkipsAWholeReply) {
  ReplyReader reader("*2\r\n*2\r\n:1\r\n*0\r\n$1\r\nx\r\n:9\r\n");
  reader.skip();
  EXPECT_EQ(reader.next().integer, 9);
}

TEST(ReplyReaderTest, ErrorsKeepTheirPrefix) {
  ReplyReader reader("-TRYAGAIN too much to do\r\n");
  const Reply error = reader.next();
  EXPECT_TRUE(error.is(ReplyType::kError));
  EXPECT_EQ(error.text, "TRYAGAIN too much to do");
}

}  // namespace
}  // namespace stator::bench

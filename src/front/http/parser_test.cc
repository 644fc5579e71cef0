#include "front/http/parser.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace stator::http {
namespace {

// What came of a stream of bytes.
struct Seen {
  std::vector<std::string> requests;  // target|body
  ParseFault fault = ParseFault::kNone;
  std::string fault_text;
};

// Feeds `bytes` cut at every offset in `cuts`; what is not consumed comes again, as a stream does
// it.
Seen parse(std::string_view bytes, const std::vector<std::size_t>& cuts, std::size_t head_max) {
  Request request;
  RequestParser parser(request);
  parser.set_header_bytes_max(head_max);
  Seen seen;
  std::size_t begin = 0;
  std::vector<std::size_t> ends = cuts;
  ends.push_back(bytes.size());
  for (const std::size_t end : ends) {
    for (bool more = true; more;) {
      const auto step = parser.feed(bytes.substr(begin, end - begin));
      begin += step.consumed;
      switch (step.event) {
        case RequestParser::Event::kHead: request.keep_body = true; break;
        case RequestParser::Event::kBody: break;
        case RequestParser::Event::kDone:
          seen.requests.push_back(request.target + "|" + request.body);
          break;
        case RequestParser::Event::kNeedMore: more = false; break;
        case RequestParser::Event::kFault:
          seen.fault = parser.fault();
          seen.fault_text = parser.fault_text();
          return seen;
      }
    }
  }
  return seen;
}

Seen parse(std::string_view bytes) {
  return parse(bytes, {}, 16 * 1024);
}

constexpr std::string_view kMixed =
    "GET /a HTTP/1.1\r\nHost: h\r\n\r\n"
    "\r\nPUT /b HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"
    "PUT /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    "3\r\nabc\r\n4;ext=1\r\ndefg\r\n0\r\nHost: trailer\r\n\r\n"
    "GET /d HTTP/1.0\r\n\r\n";

TEST(RequestParser, ReadsRequestsOneAfterAnother) {
  const Seen seen = parse(kMixed);
  EXPECT_EQ(seen.fault, ParseFault::kNone);
  EXPECT_EQ(seen.requests, (std::vector<std::string>{"/a|", "/b|hello", "/c|abcdefg", "/d|"}));
}

TEST(RequestParser, DoesNotMindWhereTheBytesAreCut) {
  const Seen whole = parse(kMixed);
  for (std::size_t a = 0; a <= kMixed.size(); ++a) {
    for (std::size_t b = a; b <= kMixed.size(); b += 7)
      ASSERT_EQ(parse(kMixed, {a, b}, 16 * 1024).requests, whole.requests) << a << " " << b;
  }
  std::vector<std::size_t> everywhere(kMixed.size());
  for (std::size_t i = 0; i < everywhere.size(); ++i) everywhere[i] = i;
  EXPECT_EQ(parse(kMixed, everywhere, 16 * 1024).requests, whole.requests);
}

TEST(RequestParser, DoesNotMindWhereAnEmptyChunkedBodyIsCut) {
  constexpr std::string_view kTwo =
      "PUT /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
      "PUT /b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n\r\n";
  for (std::size_t a = 0; a <= kTwo.size(); ++a) {
    for (std::size_t b = a; b <= kTwo.size(); ++b) {
      ASSERT_EQ(parse(kTwo, {a, b}, 16 * 1024).requests, (std::vector<std::string>{"/a|", "/b|"}))
          << a << " " << b;
    }
  }
}

TEST(RequestParser, TellsTheFramingWithTheHead) {
  Request request;
  RequestParser parser(request);
  EXPECT_TRUE(parser.idle());
  const auto step = parser.feed(
      "PUT /x HTTP/1.0\r\nContent-Length: 9\r\nStator-Context: abc\r\nIf-Match: *\r\n\r\n");
  ASSERT_EQ(step.event, RequestParser::Event::kHead);
  EXPECT_FALSE(parser.idle());
  EXPECT_EQ(request.method, Method::kPut);
  EXPECT_EQ(request.announced_bytes, 9U);
  EXPECT_TRUE(request.has_body);
  EXPECT_FALSE(request.http_11);
  EXPECT_FALSE(request.keep_alive);
  EXPECT_EQ(request.context.text, "abc");
  EXPECT_TRUE(request.conditional);
}

TEST(RequestParser, TrailersSayNothing) {
  Request request;
  RequestParser parser(request);
  std::string_view bytes =
      "PUT /c HTTP/1.1\r\nHost: real\r\nTransfer-Encoding: chunked\r\n\r\n"
      "0\r\nHost: forged\r\nStator-Context: forged\r\n\r\n";
  for (;;) {
    const auto step = parser.feed(bytes);
    bytes.remove_prefix(step.consumed);
    if (step.event == RequestParser::Event::kDone) break;
    ASSERT_NE(step.event, RequestParser::Event::kFault);
    ASSERT_NE(step.event, RequestParser::Event::kNeedMore);
  }
  EXPECT_EQ(request.host.text, "real");
  EXPECT_EQ(request.host.count, 1U);
  EXPECT_FALSE(request.context.present());
}

TEST(RequestParser, RefusesWhatIsNotHttp) {
  for (const char* bytes :
       {"*3\r\n$3\r\nSET\r\n", "GET / HTTP/1.1\r\nbad header: x\r\n\r\n",
        "GET / HTTP/1.1\r\n: x\r\n\r\n", "GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        "PUT / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "PUT / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
        "PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        "PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
        "PUT / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n"}) {
    const Seen seen = parse(bytes);
    EXPECT_EQ(seen.fault, ParseFault::kMalformed) << bytes;
    EXPECT_FALSE(seen.fault_text.empty()) << bytes;
  }
  EXPECT_EQ(parse("GET / HTTP/2.0\r\n\r\n").fault, ParseFault::kVersion);
  EXPECT_EQ(parse("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").fault, ParseFault::kVersion);
}

TEST(RequestParser, SeesATransferEncodingThatItDoesNotKnow) {
  Request request;
  RequestParser parser(request);
  const auto step = parser.feed("PUT / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n");
  ASSERT_EQ(step.event, RequestParser::Event::kHead);
  EXPECT_TRUE(request.foreign_transfer_encoding);
}

TEST(RequestParser, BoundsTheHeadHoweverItArrives) {
  const std::string start = "GET / HTTP/1.1\r\n";
  for (const std::size_t piece : {std::size_t{1}, std::size_t{100}, std::size_t{100'000}}) {
    for (const bool one_line : {true, false}) {
      for (const std::size_t over : {0U, 1U}) {
        // A head of exactly the limit, or one byte more.
        std::string head = start;
        const std::size_t size = 1000 + over;
        while (!one_line && head.size() < 900) head += "A: b\r\n";
        head += "X: ";
        head += std::string(size - head.size() - 4, 'x') + "\r\n\r\n";
        ASSERT_EQ(head.size(), size);
        std::vector<std::size_t> cuts;
        for (std::size_t at = piece; at < head.size(); at += piece) cuts.push_back(at);
        const Seen seen = parse(head, cuts, 1000);
        if (over == 0) {
          EXPECT_EQ(seen.requests.size(), 1U) << piece << one_line;
        } else {
          EXPECT_EQ(seen.fault, ParseFault::kHeaderTooLarge) << piece << one_line;
        }
      }
    }
  }
}

TEST(RequestParser, BoundsChunkHeadersAndTrailers) {
  const std::string head = "PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string longish(5000, 'e');
  EXPECT_EQ(parse(head + "1;" + longish).fault, ParseFault::kMalformed);
  EXPECT_EQ(parse(head + "0\r\nX: " + longish).fault, ParseFault::kMalformed);
}

}  // namespace
}  // namespace stator::http

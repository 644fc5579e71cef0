#include "front/http/text.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <string>

#include "front/http/origin_guard.h"
#include "front/http/target.h"

namespace stator::http {
namespace {

TEST(Text, WritesIdsAndDotsInOneForm) {
  const WriteId id{0x018f6b7e1c2d7abc, 0x8def0123456789ab};
  EXPECT_EQ(write_id_text(id), "018f6b7e-1c2d-7abc-8def-0123456789ab");
  EXPECT_EQ(parse_write_id(write_id_text(id)), id);
  EXPECT_EQ(parse_write_id("018F6B7E1C2D7ABC8DEF0123456789AB"), id);
  EXPECT_EQ(dot_text({{{0xAB}, 7}, 42}), "00000000000000ab.7:42");
  EXPECT_EQ(hex64(0), "0000000000000000");
}

TEST(Text, RefusesEverythingElseAsWriteId) {
  for (const char* text :
       {"", "018f6b7e1c2d7abc8def0123456789a", "018f6b7e1c2d7abc8def0123456789abc",
        "018f6b7e1c2d7abc8def0123456789ag", "018f6b7e-1c2d-7abc-8def0-123456789ab",
        "018f6b7e-1c2d-7abc-8def-0123456789a-", "00000000000000000000000000000000",
        "{18f6b7e-1c2d-7abc-8def-0123456789ab}"})
    EXPECT_FALSE(parse_write_id(text)) << text;
}

TEST(Text, WritesTimes) {
  EXPECT_EQ(time_text({0}), "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(time_text({1'790'000'000'000'042}), "2026-09-21T14:13:20.000042Z");
  EXPECT_EQ(time_text({951'782'399'999'999}), "2000-02-28T23:59:59.999999Z");
  std::string date;
  append_http_date(date, {784'111'777'000'000});
  EXPECT_EQ(date, "Sun, 06 Nov 1994 08:49:37 GMT");  // the example of RFC 9110
}

TEST(Target, IsSplitIntoItsParts) {
  const Target plain = split_target("/a/b?r=2&x");
  EXPECT_EQ(plain.path, "/a/b");
  EXPECT_EQ(plain.query, "r=2&x");
  EXPECT_EQ(plain.authority, "");
  const Target absolute = split_target("http://host:80?q");
  EXPECT_EQ(absolute.authority, "host:80");
  EXPECT_EQ(absolute.path, "/");
  EXPECT_EQ(absolute.query, "q");
}

TEST(Target, DecodesEveryByteAndRefusesBadEscapes) {
  for (int byte = 0; byte < 256; ++byte) {
    char text[4];
    std::snprintf(text, sizeof text, "%%%02x", static_cast<unsigned>(byte));
    std::string out;
    ASSERT_TRUE(percent_decode(text, out));
    EXPECT_EQ(out, std::string(1, static_cast<char>(byte)));
  }
  std::string out;
  EXPECT_TRUE(percent_decode("a+b%2Fc", out));
  EXPECT_EQ(out, "a+b/c");
  for (const char* bad : {"%", "%1", "%g0", "%0g", "a%2", "%%25"}) {
    out.clear();
    EXPECT_FALSE(percent_decode(bad, out)) << bad;
  }
}

TEST(Target, NumbersAreDecimalDigitsOnly) {
  EXPECT_EQ(parse_decimal("17", 17), 17U);
  for (const char* bad : {"", "18", "-1", "+1", " 1", "1 ", "0x1", "99999999999999999999999"})
    EXPECT_FALSE(parse_decimal(bad, 17)) << bad;
}

TEST(OriginGuard, KnowsWhatIsANumber) {
  for (const char* host : {"127.0.0.1", "10.0.0.255", "[::1]", "[fe80::1]", "[::ffff:1.2.3.4]"})
    EXPECT_TRUE(is_ip_literal(host)) << host;
  for (const char* host : {"", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.4x", "::1", "[]", "[::1",
                           "[localhost]", "127.0.0.1.evil.example", "0127.0.0.1", "..."})
    EXPECT_FALSE(is_ip_literal(host)) << host;
}

TEST(OriginGuard, TakesThePortOffAndNothingElse) {
  EXPECT_EQ(host_of("a:80"), "a");
  EXPECT_EQ(host_of("[::1]:80"), "[::1]");
  EXPECT_EQ(host_of("[::1]"), "[::1]");
  EXPECT_EQ(host_of("127.0.0.1:80@evil"), "127.0.0.1:80@evil");
  EXPECT_EQ(host_of("[::1]evil"), "[::1]evil");
}

}  // namespace
}  // namespace stator::http

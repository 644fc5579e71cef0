#include "front/redis/text.h"

#include <gtest/gtest.h>

#include <string>

#include "front/redis/glob.h"

namespace stator::redis {
namespace {

TEST(Text, NumbersAreReadStrictly) {
  EXPECT_EQ(parse_integer("0"), 0);
  EXPECT_EQ(parse_integer("-9223372036854775808"), INT64_MIN);
  EXPECT_EQ(parse_integer("9223372036854775807"), INT64_MAX);
  for (const std::string_view bad :
       {"", "-", "+1", "01", "-01", "1 ", " 1", "1.5", "0x1", "9223372036854775808"}) {
    EXPECT_FALSE(parse_integer(bad)) << bad;
  }
  EXPECT_EQ(parse_unsigned("18446744073709551615"), UINT64_MAX);
  EXPECT_FALSE(parse_unsigned("-1"));
}

TEST(Text, WriteIdsAreReadAsHexAndAsUuid) {
  const WriteId id{0x018f6b7e1c2d7abc, 0x8def0123456789ab};
  std::string text;
  append_write_id(text, id);
  EXPECT_EQ(text, "018f6b7e1c2d7abc8def0123456789ab");
  EXPECT_EQ(parse_write_id(text), id);
  EXPECT_EQ(parse_write_id("018F6B7E-1C2D-7ABC-8DEF-0123456789AB"), id);
  for (const std::string_view bad :
       {"", "018f", "018f6b7e1c2d7abc8def0123456789ag", "018f6b7e-1c2d-7abc-8def-0123456789a",
        "018f6b7e-1c2d-7abc-8def00123456789ab"}) {
    EXPECT_FALSE(parse_write_id(bad)) << bad;
  }
}

TEST(Text, DotsAndNodesHaveTheirForms) {
  std::string text;
  append_dot(text, {{{0xabc}, 4}, 17});
  EXPECT_EQ(text, "0000000000000abc.4:17");
  text.clear();
  append_node_name(text, {0xabc});
  EXPECT_EQ(text, std::string(37, '0') + "abc");
}

struct Pattern {
  std::string_view pattern;
  std::string_view text;
  bool matches;
};

TEST(Glob, FollowsThePatternsOfScan) {
  const Pattern cases[] = {
      {"*", "", true},
      {"*", "abc", true},
      {"", "", true},
      {"", "a", false},
      {"a?c", "abc", true},
      {"a?c", "ac", false},
      {"a*c", "abbc", true},
      {"a*c", "abbd", false},
      {"*a*b*", "xxayyb", true},
      {"h[ae]llo", "hello", true},
      {"h[ae]llo", "hillo", false},
      {"h[^e]llo", "hello", false},
      {"h[^e]llo", "hallo", true},
      {"[a-c]x", "bx", true},
      {"[c-a]x", "bx", true},
      {"[a-c]x", "dx", false},
      {"\\*", "*", true},
      {"\\*", "a", false},
      {"a\\", "a\\", true},
      {"[abc", "b", true},
      {"[", "a", false},
      {"user:*:x", "user:1:2:x", true},
      {"[\\]]", "]", true},
      {"**a**", "bab", true},
  };
  for (const Pattern& one : cases) {
    EXPECT_EQ(glob_match(one.pattern, one.text), one.matches) << one.pattern << " " << one.text;
  }
}

TEST(Glob, ManyStarsCostStepsInProportionToBothLengthsOnly) {
  // Exponential matchers do not come back from this.
  std::string pattern;
  for (int i = 0; i < 300; ++i) pattern += "*a";
  pattern += "*b";
  const std::string text(4096, 'a');
  std::size_t steps = kGlobStepsMax;
  EXPECT_FALSE(glob_match(pattern, text, steps));
  EXPECT_GT(steps, kGlobStepsMax - 2 * pattern.size() * text.size());
}

TEST(Glob, StopsWhenItsStepsAreUsedUp) {
  std::size_t steps = 100;
  EXPECT_FALSE(glob_match("*[aaaaaaaaaaaaaaaaaaaaaaaaaaaaab]c", std::string(4096, 'b'), steps));
  EXPECT_EQ(steps, 0U);
}

}  // namespace
}  // namespace stator::redis

#include "front/redis/resp_writer.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace stator::redis {
namespace {

template <typename Write>
std::string written(int protocol, Write write) {
  std::string out;
  RespWriter writer(out, protocol);
  write(writer);
  return out;
}

TEST(RespWriter, TypesThatBothProtocolsHaveLookTheSame) {
  for (const int protocol : {2, 3}) {
    EXPECT_EQ(written(protocol, [](auto& w) { w.ok(); }), "+OK\r\n");
    EXPECT_EQ(written(protocol, [](auto& w) { w.simple("PONG"); }), "+PONG\r\n");
    EXPECT_EQ(
        written(protocol, [](auto& w) { w.integer(std::numeric_limits<std::int64_t>::min()); }),
        ":-9223372036854775808\r\n");
    EXPECT_EQ(written(protocol, [](auto& w) { w.bulk(std::string_view("a\0b", 3)); }),
              std::string("$3\r\na\0b\r\n", 9));
    EXPECT_EQ(written(protocol, [](auto& w) { w.bulk(""); }), "$0\r\n\r\n");
    EXPECT_EQ(written(protocol, [](auto& w) { w.array(3); }), "*3\r\n");
  }
}

TEST(RespWriter, Resp3TypesBecomeWhatRedisMakesOfThemInResp2) {
  const auto null = [](auto& w) { w.null(); };
  EXPECT_EQ(written(2, null), "$-1\r\n");
  EXPECT_EQ(written(3, null), "_\r\n");
  const auto map = [](auto& w) { w.map(2); };
  EXPECT_EQ(written(2, map), "*4\r\n");
  EXPECT_EQ(written(3, map), "%2\r\n");
  const auto set = [](auto& w) { w.set(2); };
  EXPECT_EQ(written(2, set), "*2\r\n");
  EXPECT_EQ(written(3, set), "~2\r\n");
  const auto text = [](auto& w) { w.verbatim("hi"); };
  EXPECT_EQ(written(2, text), "$2\r\nhi\r\n");
  EXPECT_EQ(written(3, text), "=6\r\ntxt:hi\r\n");
  const auto real = [](auto& w) { w.real(0.5); };
  EXPECT_EQ(written(2, real), "$3\r\n0.5\r\n");
  EXPECT_EQ(written(3, real), ",0.5\r\n");
  EXPECT_EQ(written(3, [](auto& w) { w.real(-std::numeric_limits<double>::infinity()); }),
            ",-inf\r\n");
  EXPECT_EQ(written(3, [](auto& w) { w.real(std::numeric_limits<double>::quiet_NaN()); }),
            ",nan\r\n");
}

TEST(RespWriter, AnErrorIsOneLineWhateverItQuotes) {
  EXPECT_EQ(written(2, [](auto& w) { w.error("ERR", "a\r\n+OK\r\nb"); }), "-ERR a  +OK  b\r\n");
  const std::string long_text(2000, 'x');
  EXPECT_EQ(written(2, [&](auto& w) { w.error("ERR", long_text); }),
            "-ERR " + std::string(512, 'x') + "\r\n");
}

}  // namespace
}  // namespace stator::redis

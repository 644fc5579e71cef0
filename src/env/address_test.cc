#include <gtest/gtest.h>

#include "env/network.h"

namespace stator::env {
namespace {

TEST(Address, IsReadFromHostAndPort) {
  EXPECT_EQ(parse_address("127.0.0.1:7379").value(), (Address{"127.0.0.1", 7379}));
  EXPECT_EQ(parse_address("node-1.example_net:1").value(), (Address{"node-1.example_net", 1}));
  EXPECT_EQ(parse_address("[::1]:65535").value(), (Address{"::1", 65535}));
  EXPECT_EQ(parse_address("[fe80::1%eth0]:0").value(), (Address{"fe80::1%eth0", 0}));
}

TEST(Address, IsWrittenAsItIsRead) {
  for (const char* text : {"127.0.0.1:7379", "localhost:0", "[::1]:65535", "[fe80::1%eth0]:7"}) {
    EXPECT_EQ(to_string(parse_address(text).value()), text);
  }
}

TEST(Address, RefusesWhatIsNone) {
  for (const char* text :
       {"",        ":",        "host",    "host:",   ":7379",    "host:65536", "host:-1",
        "host:+1", "host: 1",  "host:1 ", "host:1x", "::1:7379", "[::1]",      "[::1]7379",
        "[::1",    "[host]:1", "[]:1",    "ho st:1", "host/x:1", "host:1:2",   "h\nost:1"}) {
    const auto result = parse_address(text);
    ASSERT_FALSE(result.has_value()) << text;
    EXPECT_EQ(result.error().code, ErrorCode::kBadRequest);
    EXPECT_NE(result.error().detail.find("is no address"), std::string::npos);
  }
  EXPECT_FALSE(parse_address(std::string(254, 'a') + ":1").has_value());
}

TEST(Address, LoopbackIsWhatOnlyThisMachineReaches) {
  for (const char* host : {"127.0.0.1", "127.255.0.9", "::1", "localhost"}) {
    EXPECT_TRUE(is_loopback({host, 1})) << host;
  }
  // A name or a number that only looks like loopback must not pass for it.
  for (const char* host : {"0.0.0.0", "::", "128.0.0.1", "127.0.0.1.example", "127.0.0", "127.0.0.",
                           "127.0.0.256", "127.1", "localhost.example", "10.127.0.1", ""}) {
    EXPECT_FALSE(is_loopback({host, 1})) << host;
  }
}

}  // namespace
}  // namespace stator::env

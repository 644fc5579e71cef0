#include "limit/options.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <vector>

namespace stator::limit {
namespace {

Result<Options> parse(std::initializer_list<const char*> arguments) {
  std::vector<const char*> argv{"limit", "--node", "2", "--peers", "1,2,3", "--clients", "4"};
  argv.insert(argv.end(), arguments);
  return parse_options(static_cast<int>(argv.size()), argv.data());
}

TEST(Options, ReadEveryFlag) {
  const auto options = parse({"--get", "fan2-full", "--durability", "sync", "--log", "f"});
  ASSERT_TRUE(options.has_value());
  EXPECT_EQ(options->node, 1U);
  EXPECT_EQ(options->peers[2].value, 3);
  EXPECT_EQ(options->clients.value, 4);
  EXPECT_EQ(options->read_fan, 2U);
  EXPECT_FALSE(options->read_digest);
  EXPECT_EQ(options->durability, Durability::kSync);
  EXPECT_EQ(options->log_path, "f");
}

TEST(Options, WrongOnesAreNamedWithWhatIsTaken) {
  const struct {
    std::initializer_list<const char*> arguments;
    const char* named;
  } cases[] = {
      {{"--node", "4"}, "--node"},
      {{"--peers", "1,2"}, "three ports"},
      {{"--peers", "1,2,3,4"}, "three ports"},
      {{"--clients", "70000"}, "a port"},
      {{"--get", "fan3-full"}, "fan1-digest"},
      {{"--get", "fan1-"}, "fan1-digest"},
      {{"--durability", "disk"}, "page-cache"},
      {{"--durability", "sync"}, "--log"},
      {{"--speed", "9"}, "--speed"},
      {{"--node"}, "needs a value"},
  };
  for (const auto& wrong : cases) {
    const auto options = parse(wrong.arguments);
    ASSERT_FALSE(options.has_value()) << wrong.named;
    EXPECT_EQ(options.error().code, ErrorCode::kBadRequest);
    EXPECT_NE(options.error().detail.find(wrong.named), std::string::npos)
        << options.error().detail;
  }
}

}  // namespace
}  // namespace stator::limit

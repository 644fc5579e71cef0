#include "cli/bench_options.h"

#include <gtest/gtest.h>

#include <string>

namespace stator::cli {
namespace {

std::string refusal(const BenchOptions& given) {
  const auto load = load_options(given);
  if (load) return "accepted";
  EXPECT_EQ(load.error().code, ErrorCode::kBadRequest);
  return load.error().detail;
}

TEST(BenchOptionsTest, DefaultsAreAClosedLoopOfTenSeconds) {
  const auto load = load_options({});
  ASSERT_TRUE(load) << load.error().detail;
  EXPECT_EQ(load->duration, seconds(10));
  EXPECT_EQ(load->operations, 0U);
  EXPECT_EQ(load->rate, 0);
  EXPECT_EQ(load->clients, 50U);
  EXPECT_EQ(load->depth, 1U);
  EXPECT_EQ(load->timeout, seconds(10));
  EXPECT_DOUBLE_EQ(load->mix.share(bench::OpKind::kGet), 0.9);
  EXPECT_TRUE(load->nodes.empty());
}

TEST(BenchOptionsTest, ANumberOfOperationsHasNoEndInTimeUnlessOneIsGiven) {
  BenchOptions given;
  given.operations = 100;
  EXPECT_EQ(load_options(given)->duration, Duration{});
  given.duration = "5s";
  EXPECT_EQ(load_options(given)->duration, seconds(5));
  EXPECT_EQ(load_options(given)->operations, 100U);
}

TEST(BenchOptionsTest, AddressesMayBeListedOrRepeated) {
  BenchOptions given;
  given.redis = {"127.0.0.1:7379,[::1]:7380", "node3:7379"};
  const auto load = load_options(given);
  ASSERT_TRUE(load);
  EXPECT_EQ(load->nodes,
            (std::vector<env::Address>{{"127.0.0.1", 7379}, {"::1", 7380}, {"node3", 7379}}));
  for (const char* wrong : {"127.0.0.1", "a:1,", "", "a:1,,b:2", "a:70000"}) {
    given.redis = {wrong};
    EXPECT_TRUE(refusal(given).starts_with("--redis: ")) << wrong;
  }
}

TEST(BenchOptionsTest, SizesAreOneOrARange) {
  EXPECT_EQ(parse_value_sizes("100")->max, 100U);
  EXPECT_EQ(parse_value_sizes("1KiB")->min, 1024U);
  EXPECT_EQ(parse_value_sizes("100-4KiB")->min, 100U);
  EXPECT_EQ(parse_value_sizes("100-4KiB")->max, 4096U);
  EXPECT_EQ(parse_value_sizes("0")->max, 0U);
  for (const char* wrong : {"", "x", "4-", "-4", "5-4", "17MiB", "1-2-3"}) {
    EXPECT_FALSE(parse_value_sizes(wrong)) << wrong;
  }
}

TEST(BenchOptionsTest, WhatIsOutOfRangeIsRefusedWithTheOptionAndTheLimit) {
  const auto with = [](auto set) {
    BenchOptions given;
    set(given);
    return refusal(given);
  };
  EXPECT_EQ(with([](auto& g) { g.connections = 0; }),
            "--connections: 0 is out of range: 1 to 10000");
  EXPECT_EQ(with([](auto& g) { g.pipeline = 1001; }),
            "--pipeline: 1001 is out of range: 1 to 1000");
  EXPECT_EQ(with([](auto& g) { g.keys = 0; }), "--keys: 0 is out of range: 1 to 4294967296");
  EXPECT_EQ(with([](auto& g) { g.zipf = -1; }), "--zipf: -1 is out of range: 0 to 10");
  EXPECT_EQ(with([](auto& g) { g.rate = -5; }), "--rate: -5 is out of range: 0.01 to 10000000");
  EXPECT_TRUE(with([](auto& g) { g.duration = "1"; }).starts_with("--duration: '1' is no time"));
  EXPECT_TRUE(with([](auto& g) { g.duration = "1ms"; }).starts_with("--duration: '1ms' is out of"));
  EXPECT_TRUE(with([](auto& g) { g.warmup = "x"; }).starts_with("--warmup: "));
  EXPECT_TRUE(with([](auto& g) { g.node.timeout = "0s"; }).starts_with("--timeout: "));
  EXPECT_TRUE(with([](auto& g) { g.mix = "fly=1"; }).starts_with("--mix: 'fly' is no operation"));
  EXPECT_TRUE(with([](auto& g) { g.value_bytes = "x"; }).starts_with("--value-bytes: "));
  EXPECT_TRUE(with([](auto& g) { g.prefix.assign(2000, 'k'); }).starts_with("--prefix: "));
}

TEST(BenchOptionsTest, ReadsAreJudgedOnlyWhereThatIsPossible) {
  BenchOptions given;
  given.check = true;
  EXPECT_EQ(refusal(given), "accepted");
  given.mix = "get=1,del=1";
  EXPECT_EQ(refusal(given), "--check judges get and set, and no other operation");
  given.mix = "get=1,set=2";
  given.value_bytes = "31-100";
  EXPECT_TRUE(refusal(given).starts_with("--check writes its marks into the values"));
  given.value_bytes = "32";
  given.keys = 10'000'001;
  EXPECT_TRUE(refusal(given).starts_with("--check remembers each key"));
}

}  // namespace
}  // namespace stator::cli

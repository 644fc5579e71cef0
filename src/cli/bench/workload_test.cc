#include "cli/bench/workload.h"

#include <gtest/gtest.h>

#include <set>

namespace stator::bench {
namespace {

TEST(MixTest, WeightsBecomeShares) {
  const auto mix = parse_mix("get=90,set=10");
  ASSERT_TRUE(mix);
  EXPECT_DOUBLE_EQ(mix->share(OpKind::kGet), 0.9);
  EXPECT_DOUBLE_EQ(mix->share(OpKind::kSet), 0.1);
  EXPECT_DOUBLE_EQ(mix->share(OpKind::kDel), 0);
  EXPECT_DOUBLE_EQ(parse_mix("set")->share(OpKind::kSet), 1);
  EXPECT_DOUBLE_EQ(parse_mix("st.get=1,st.update=0.5,st.put=0.5")->share(OpKind::kStPut), 0.25);
}

TEST(MixTest, WhatIsNoMixIsRefusedWithTheReason) {
  for (const char* text : {"", "get=0", "fetch=1", "get=x", "get=-1", "get=nan", "get=1,get=2",
                           "get=1,,set=1", "get=", "get=1e99"}) {
    const auto mix = parse_mix(text);
    ASSERT_FALSE(mix) << text;
    EXPECT_EQ(mix.error().code, ErrorCode::kBadRequest);
    EXPECT_FALSE(mix.error().detail.empty());
  }
}

TEST(MixTest, AKindWithoutAShareIsNeverDrawn) {
  const auto mix = parse_mix("get=1,del=1,st.update=1");
  ASSERT_TRUE(mix);
  std::set<OpKind> drawn;
  for (int i = 0; i <= 1000; ++i) drawn.insert(mix->at(std::min(i / 1000.0, 0x1.fffffffffffffp-1)));
  EXPECT_EQ(drawn, (std::set{OpKind::kGet, OpKind::kDel, OpKind::kStUpdate}));
}

TEST(WorkloadTest, DrawsKindsInTheirSharesAndSizesInTheirRange) {
  Workload workload(*parse_mix("get=75,set=25"), KeyChooser(100, 0), {10, 12}, 5);
  int gets = 0;
  std::set<std::uint32_t> sizes;
  std::set<std::uint64_t> keys;
  for (int i = 0; i < 20'000; ++i) {
    const Operation operation = workload.next();
    gets += operation.kind == OpKind::kGet;
    sizes.insert(operation.value_bytes);
    keys.insert(operation.key);
  }
  EXPECT_NEAR(gets, 15'000, 400);
  EXPECT_EQ(sizes, (std::set<std::uint32_t>{10, 11, 12}));
  EXPECT_EQ(keys.size(), 100U);
  EXPECT_EQ(*keys.rbegin(), 99U);
}

TEST(WorkloadTest, FillingWritesTheKeyThatIsNamed) {
  Workload workload(*parse_mix("get"), KeyChooser(100, 0.99), {1, 1}, 5);
  const Operation operation = workload.fill(42);
  EXPECT_EQ(operation.kind, OpKind::kSet);
  EXPECT_EQ(operation.key, 42U);
  EXPECT_EQ(operation.value_bytes, 1U);
}

}  // namespace
}  // namespace stator::bench

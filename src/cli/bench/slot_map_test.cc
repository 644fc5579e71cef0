#include "cli/bench/slot_map.h"

#include <gtest/gtest.h>

namespace stator::bench {
namespace {

const env::Address kAsked{"10.0.0.9", 7379};

TEST(SlotMapTest, EachRunBelongsToItsFirstEndpoint) {
  const auto map = parse_slots(
      "*3\r\n"
      "*3\r\n:0\r\n:99\r\n*3\r\n$8\r\n10.0.0.1\r\n:7379\r\n$2\r\nid\r\n"
      "*4\r\n:100\r\n:100\r\n*4\r\n$8\r\n10.0.0.2\r\n:7379\r\n$2\r\nid\r\n*1\r\n+more\r\n"
      "*3\r\n$1\r\nx\r\n:1\r\n$1\r\ny\r\n"
      "*3\r\n:200\r\n:16383\r\n*2\r\n$8\r\n10.0.0.1\r\n:7379\r\n",
      kAsked);
  ASSERT_TRUE(map) << map.error().detail;
  EXPECT_EQ(map->nodes, (std::vector<env::Address>{{"10.0.0.1", 7379}, {"10.0.0.2", 7379}}));
  EXPECT_EQ(map->owner[0], 0);
  EXPECT_EQ(map->owner[99], 0);
  EXPECT_EQ(map->owner[100], 1);
  EXPECT_EQ(map->owner[101], SlotMap::kNobody);
  EXPECT_EQ(map->owner[200], 0);
  EXPECT_EQ(map->owner[16'383], 0);
}

TEST(SlotMapTest, AnEndpointWithoutAHostIsTheNodeThatWasAsked) {
  for (const char* host : {"$-1", "$0\r\n"}) {
    const auto map = parse_slots(
        "*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n" + std::string(host) + "\r\n:7001\r\n", kAsked);
    ASSERT_TRUE(map);
    EXPECT_EQ(map->nodes, (std::vector<env::Address>{{"10.0.0.9", 7001}}));
  }
}

TEST(SlotMapTest, AnErrorIsToldInTheNodesWords) {
  const auto map = parse_slots("-ERR This instance has cluster support disabled\r\n", kAsked);
  ASSERT_FALSE(map);
  EXPECT_EQ(map.error().code, ErrorCode::kNotSupported);
  EXPECT_EQ(map.error().detail, "ERR This instance has cluster support disabled");
}

TEST(SlotMapTest, WhatIsNoAnswerToClusterSlotsIsRefused) {
  for (const char* reply : {
           "+OK\r\n",
           "$-1\r\n",
           "*1\r\n:1\r\n",
           "*1\r\n*2\r\n:0\r\n:1\r\n",
           "*1\r\n*3\r\n:0\r\n:16384\r\n*2\r\n$1\r\nh\r\n:1\r\n",
           "*1\r\n*3\r\n:-1\r\n:1\r\n*2\r\n$1\r\nh\r\n:1\r\n",
           "*1\r\n*3\r\n:5\r\n:1\r\n*2\r\n$1\r\nh\r\n:1\r\n",
           "*1\r\n*3\r\n:0\r\n:1\r\n*2\r\n$1\r\nh\r\n:0\r\n",
           "*1\r\n*3\r\n:0\r\n:1\r\n*2\r\n$1\r\nh\r\n:65536\r\n",
           "*1\r\n*3\r\n:0\r\n:1\r\n*1\r\n$1\r\nh\r\n",
           "*9999999\r\n",
       }) {
    const auto map = parse_slots(reply, kAsked);
    ASSERT_FALSE(map) << reply;
    EXPECT_EQ(map.error().code, ErrorCode::kCorrupt);
  }
}

TEST(SlotMapTest, AClusterWithoutSlotsIsEmpty) {
  const auto map = parse_slots("*0\r\n", kAsked);
  ASSERT_TRUE(map);
  EXPECT_TRUE(map->nodes.empty());
}

}  // namespace
}  // namespace stator::bench

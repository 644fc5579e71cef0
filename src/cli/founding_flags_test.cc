#include "cli/founding_flags.h"

#include <gtest/gtest.h>

namespace stator::cli {
namespace {

FoundingFlags flags(const std::string& founders) {
  FoundingFlags all;
  all.cluster_id = "shop";
  all.founders = founders;
  return all;
}

std::string error_of(const FoundingFlags& given) {
  const auto founding = make_founding(given);
  return founding ? "" : founding.error().detail;
}

TEST(FoundingFlags, NamesAddressesZonesAndWeights) {
  const auto members = parse_founders("a=10.0.0.1:7381/east/2,b=[::1]:7382/west,c=host.name:1");
  ASSERT_TRUE(members) << members.error().detail;
  ASSERT_EQ(members->size(), 3U);
  EXPECT_EQ((*members)[0],
            (Member{.name = "a", .peer_address = "10.0.0.1:7381", .zone = "east", .weight = 2}));
  EXPECT_EQ((*members)[1], (Member{.name = "b", .peer_address = "[::1]:7382", .zone = "west"}));
  EXPECT_EQ((*members)[2], (Member{.name = "c", .peer_address = "host.name:1", .zone = ""}));
}

TEST(FoundingFlags, QuorumsAreMoreThanHalfUnlessSaid) {
  FoundingFlags given = flags("a=127.0.0.1:1,b=127.0.0.1:2");
  given.replicas = 5;  // more than founders: nodes that are to come
  auto founding = make_founding(given);
  ASSERT_TRUE(founding) << founding.error().detail;
  EXPECT_EQ(founding->n, 5);
  EXPECT_EQ(founding->r, 3);
  EXPECT_EQ(founding->w, 3);
  EXPECT_EQ(founding->q, 1024U);
  EXPECT_EQ(founding->founders.size(), 2U);
  given.read_quorum = "1";
  given.write_quorum = "5";
  founding = make_founding(given);
  ASSERT_TRUE(founding) << founding.error().detail;
  EXPECT_EQ(founding->r, 1);
  EXPECT_EQ(founding->w, 5);
}

TEST(FoundingFlags, WhatIsWrongIsSaid) {
  EXPECT_EQ(error_of(flags("a")), "--found: 'a': write NAME=HOST:PORT, as in n1=10.0.0.1:7381");
  EXPECT_EQ(error_of(flags("a=127.0.0.1")),
            "--found: 'a=127.0.0.1': '127.0.0.1' is no address: the port is missing (write "
            "host:port or [ipv6]:port)");
  EXPECT_EQ(error_of(flags("a=127.0.0.1:0")),
            "--found: 'a=127.0.0.1:0': the other founders must know the port");
  EXPECT_EQ(error_of(flags("a=127.0.0.1:1,a=127.0.0.1:2")),
            "--found: the founder 'a' is named twice");
  EXPECT_EQ(error_of(flags("a=127.0.0.1:1,b=127.0.0.1:1")),
            "--found: the peer address 127.0.0.1:1 is named twice");
  EXPECT_EQ(error_of(flags("a=127.0.0.1:1/z/heavy")),
            "--found: 'a=127.0.0.1:1/z/heavy': weight 'heavy' is no number");
  FoundingFlags given = flags("a=127.0.0.1:1");
  given.partitions = 1000;
  EXPECT_EQ(error_of(given),
            "--found: the number of partitions must be a power of two from 16 to 16384");
  given = flags("a=127.0.0.1:1");
  given.replicas = 8;
  EXPECT_EQ(error_of(given), "--replicas: '8' is out of range: 1 to 7");
  given = flags("a=127.0.0.1:1");
  given.write_quorum = "4";
  EXPECT_EQ(error_of(given), "--write-quorum: '4' is out of range: 1 to 3, the number of replicas");
  given = flags("a=127.0.0.1:1");
  given.cluster_id.clear();
  EXPECT_EQ(error_of(given), "--found needs --cluster-id ID: clusters of different ids never mix");
}

TEST(FoundingFlags, EachOfThemButFoundMeansNothingAlone) {
  EXPECT_EQ(FoundingFlags().first_that_needs_found(), "");
  FoundingFlags given;
  given.founders = "a=127.0.0.1:1";
  EXPECT_EQ(given.first_that_needs_found(), "");
  given = {};
  given.write_quorum = "2";
  EXPECT_EQ(given.first_that_needs_found(), "--write-quorum");
  given.read_quorum = "2";
  EXPECT_EQ(given.first_that_needs_found(), "--read-quorum");
  given.replicas = 3;  // what it would be anyway was said, too
  EXPECT_EQ(given.first_that_needs_found(), "--replicas");
  given.partitions = 1024;
  EXPECT_EQ(given.first_that_needs_found(), "--partitions");
  given.cluster_id = "shop";
  EXPECT_EQ(given.first_that_needs_found(), "--cluster-id");
}

class Agreement : public testing::Test {
 protected:
  std::string error(const std::string& found, const Given& given) {
    auto loaded = load_settings("", given);
    if (!loaded) return loaded.error().detail;
    loaded_ = *loaded;
    const auto founding = make_founding(flags(found));
    if (!founding) return founding.error().detail;
    const auto agreed = agree_with_founding(loaded_, *founding);
    return agreed ? "" : agreed.error().detail;
  }
  Loaded loaded_;
};

TEST_F(Agreement, ZoneWeightAndAddressComeFromTheFounding) {
  EXPECT_EQ(error("a=10.0.0.1:7381/east/3", {{"name", "a"}, {"peer_listen", "0.0.0.0:7381"}}), "");
  EXPECT_EQ(loaded_.settings.node.zone, "east");
  EXPECT_EQ(loaded_.settings.node.weight, 3);
  EXPECT_EQ(env::to_string(loaded_.settings.node.peer_announced), "10.0.0.1:7381");
}

TEST_F(Agreement, ANodeThatIsNotNamedIsRefused) {
  EXPECT_EQ(error("a=127.0.0.1:7381", {{"name", "b"}}),
            "--found does not name this node, 'b': add it there, or give the right --name");
}

TEST_F(Agreement, APeerAddressWhereNobodyListensIsRefused) {
  EXPECT_EQ(error("a=127.0.0.1:9000", {{"name", "a"}}).substr(0, 73),
            "--found says that peers reach 'a' at 127.0.0.1:9000, but it listens at 12");
  EXPECT_EQ(error("a=127.0.0.1:9000", {{"name", "a"}, {"peer_listen", "localhost:9000"}}), "");
  // Behind a translation of addresses.
  EXPECT_EQ(error("a=10.0.0.1:9000", {{"name", "a"}, {"peer_announce", "10.0.0.1:9000"}}), "");
}

// D3: as the copy of another machine's disk does.
TEST(FoundingFlags, AMemberThatListensWhereNobodyLooksForItIsTold) {
  node::NodeOptions options;
  options.peer_listen = {"10.0.0.2", 7381};
  const std::string told = listens_elsewhere(options, "a", "10.0.0.1:7381");
  EXPECT_NE(told.find("'a' at 10.0.0.1:7381"), std::string::npos) << told;
  EXPECT_NE(told.find("listens at 10.0.0.2:7381"), std::string::npos) << told;
  EXPECT_NE(told.find("--peer-announce 10.0.0.1:7381"), std::string::npos) << told;
  EXPECT_EQ(listens_elsewhere(options, "a", "10.0.0.2:7381"), "");
  EXPECT_NE(listens_elsewhere(options, "a", "10.0.0.2:7382"), "");
  options.peer_listen.host = "0.0.0.0";
  EXPECT_EQ(listens_elsewhere(options, "a", "10.0.0.1:7381"), "");
  options.peer_listen = {"10.0.0.2", 9};
  options.peer_announced = {"10.0.0.1", 7381};
  EXPECT_EQ(listens_elsewhere(options, "a", "10.0.0.1:7381"), "");
}

TEST_F(Agreement, ContradictionsAreRefused) {
  EXPECT_NE(error("a=127.0.0.1:7381/east", {{"name", "a"}, {"zone", "west"}}), "");
  EXPECT_NE(error("a=127.0.0.1:7381/east/2", {{"name", "a"}, {"weight", "1"}}), "");
  EXPECT_EQ(error("a=127.0.0.1:7381/east/2", {{"name", "a"}, {"weight", "2"}, {"zone", "east"}}),
            "");
}

}  // namespace
}  // namespace stator::cli

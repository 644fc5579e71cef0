#include "cli/cluster_hints.h"

#include <gtest/gtest.h>

#include "cli/text_table.h"

namespace stator::cli {
namespace {

const char* const kStatus = R"({"members": [
  {"name": "n1", "healthy": true}, {"name": "n2", "healthy": true},
  {"name": "n3", "healthy": false}]})";

TEST(ClusterHints, AddsUpWhatEachNodeKeepsForAnOwner) {
  const Json json = Json::parse(
      cluster_hints(Json::parse(kStatus),
                    {{"n1", R"({"pending": 5, "bytes": 50, "counting": false, "owners": [
          {"id": "0c", "name": "n3", "pending": 5, "bytes": 50, "oldest_ms": 900, "delivered": 0,
           "delivered_total": 7, "per_second": 0.5}]})"},
                     {"n2", R"({"pending": 1, "bytes": 10, "counting": false, "owners": [
          {"id": "0c", "name": "n3", "pending": 1, "bytes": 10, "oldest_ms": 2000, "delivered": 4,
           "delivered_total": 4, "per_second": 1.5},
          {"id": "0a", "name": "n1", "pending": 0, "bytes": 0, "oldest_ms": 3, "delivered": 2,
           "delivered_total": 2, "per_second": 0}]})"},
                     {"n3", R"({"pending": 0, "bytes": 0, "counting": false, "owners": []})"}}));
  EXPECT_EQ(json["pending"].integer(), 6);
  EXPECT_EQ(json["bytes"].integer(), 60);
  EXPECT_EQ(json["nodes"].integer(), 3);
  EXPECT_EQ(json["answered"].integer(), 3);
  EXPECT_TRUE(json["complete"].flag());
  EXPECT_DOUBLE_EQ(json["progress"].number(), 0.5);
  const auto owners = by_name(json["owners"]);
  ASSERT_EQ(owners.size(), 2U);
  EXPECT_EQ(owners[0]["name"].text(), "n1");
  EXPECT_TRUE(owners[0]["healthy"].flag());
  EXPECT_EQ(owners[0]["keepers"].integer(), 0);
  EXPECT_EQ(owners[0]["oldest_ms"].integer(), 0) << "nothing waits";
  EXPECT_EQ(owners[1]["id"].text(), "0c");
  EXPECT_FALSE(owners[1]["healthy"].flag());
  EXPECT_EQ(owners[1]["pending"].integer(), 6);
  EXPECT_EQ(owners[1]["bytes"].integer(), 60);
  EXPECT_EQ(owners[1]["oldest_ms"].integer(), 2000);
  EXPECT_EQ(owners[1]["delivered"].integer(), 4);
  EXPECT_EQ(owners[1]["delivered_total"].integer(), 11);
  EXPECT_DOUBLE_EQ(owners[1]["per_second"].number(), 2);
  EXPECT_DOUBLE_EQ(owners[1]["progress"].number(), 0.4);
  EXPECT_EQ(owners[1]["keepers"].integer(), 2);
}

TEST(ClusterHints, WhoDoesNotAnswerOrStillCountsIsNoZero) {
  const std::string none = R"({"pending": 0, "bytes": 0, "counting": false, "owners": []})";
  const std::string counts = R"({"pending": 0, "bytes": 0, "counting": true, "owners": []})";
  const Json whole = Json::parse(cluster_hints(Json::parse(kStatus), {{"n1", none}, {"n2", none}}));
  EXPECT_TRUE(whole["complete"].flag());
  EXPECT_DOUBLE_EQ(whole["progress"].number(), 1);
  for (const std::string& other : {std::string(), counts, std::string("no JSON")}) {
    const Json json =
        Json::parse(cluster_hints(Json::parse(kStatus), {{"n1", none}, {"n2", other}}));
    EXPECT_EQ(json["pending"].integer(), 0);
    EXPECT_FALSE(json["complete"].flag()) << other;
    EXPECT_EQ(json["answered"].integer(), other == counts ? 2 : 1);
    const auto keepers = by_name(json["keepers"]);
    ASSERT_EQ(keepers.size(), 2U);
    EXPECT_EQ(keepers[1]["answered"].flag(), other == counts);
  }
}

TEST(ClusterHints, ARateHasSettledWhenThatOfEachKeeperHas) {
  const auto settled = [](const std::string& second) {
    const std::string begin = R"({"owners": [{"id": "0c", "name": "n3", "per_second": 2, )";
    return by_name(Json::parse(cluster_hints(
        Json::parse(kStatus), {{"n1", begin + R"("pending": 5, "settled": true}]})"},
                               {"n2", begin + second + "}]}"}}))["owners"])[0]["settled"]
        .flag();
  };
  EXPECT_TRUE(settled(R"("pending": 5, "settled": true)"));
  EXPECT_FALSE(settled(R"("pending": 5, "settled": false)"));
  EXPECT_FALSE(settled(R"("pending": 5)")) << "a node of an earlier version does not say";
  EXPECT_TRUE(settled(R"("pending": 0, "settled": false)"));
}

TEST(ClusterHints, TheTimeLeftIsToldOnceTheRateHasSettled) {
  const auto left = [](const std::string& members) { return time_left(Json::parse(members)); };
  EXPECT_EQ(left(R"({"pending": 100, "per_second": 10, "settled": true, "healthy": true})"),
            human_time_ms(10'000));
  EXPECT_EQ(left(R"({"pending": 100, "per_second": 10, "settled": false, "healthy": true})"), "");
  EXPECT_EQ(left(R"({"pending": 0, "per_second": 10, "settled": true, "healthy": true})"), "");
  EXPECT_EQ(left(R"({"pending": 9, "per_second": 0, "settled": false, "healthy": true})"), "");
  EXPECT_EQ(left(R"({"pending": 9, "per_second": 0, "settled": false, "healthy": false})"),
            "when it is back");
}

}  // namespace
}  // namespace stator::cli

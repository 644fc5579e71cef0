#include "core/membership/history.h"

#include <gtest/gtest.h>

namespace stator {
namespace {

Founding three() {
  Founding founding;
  founding.cluster_id = "shop";
  founding.founders = {{.name = "n1", .peer_address = "127.0.0.1:1"},
                       {.name = "n2", .peer_address = "127.0.0.1:2", .zone = "b", .weight = 2},
                       {.name = "n3", .peer_address = "127.0.0.1:3"}};
  return founding;
}

TEST(History, FoundersComputeTheSameHistoryFromAnyOrder) {
  Founding a = three();
  Founding b = three();
  std::swap(b.founders[0], b.founders[2]);
  ASSERT_TRUE(complete_founding(a));
  ASSERT_TRUE(complete_founding(b));
  EXPECT_EQ(History::found(a).version(), History::found(b).version());
  EXPECT_NE(History::found(a).version().value, 0U);
}

TEST(History, SurvivesEncodingAndRefusesEveryCut) {
  Founding founding = three();
  ASSERT_TRUE(complete_founding(founding));
  const History history = History::found(founding);
  std::string bytes;
  history.encode(bytes);
  const auto back = History::decode(bytes);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->version(), history.version());
  EXPECT_EQ(back->members(), founding.founders);
  for (std::size_t size = 1; size < bytes.size(); ++size) {
    EXPECT_FALSE(History::decode(std::string_view(bytes).substr(0, size))) << size;
  }
}

TEST(History, AnEmptyOneIsVersionZeroAndLearnsFromAnyOther) {
  Founding founding = three();
  ASSERT_TRUE(complete_founding(founding));
  History none;
  EXPECT_EQ(none.version().value, 0U);
  const auto learned = none.merge(History::found(founding));
  ASSERT_TRUE(learned);
  EXPECT_TRUE(*learned);
  EXPECT_EQ(none.version(), History::found(founding).version());
}

TEST(History, ClustersWithDifferentIdsNeverMerge) {
  Founding a = three();
  Founding b = three();
  b.cluster_id = "other";
  ASSERT_TRUE(complete_founding(a));
  ASSERT_TRUE(complete_founding(b));
  History history = History::found(a);
  const auto merged = history.merge(History::found(b));
  ASSERT_FALSE(merged);
  EXPECT_EQ(merged.error().code, ErrorCode::kConflict);
  EXPECT_EQ(history.version(), History::found(a).version());
}

TEST(History, BadFoundingsAreNamed) {
  const auto error_of = [](auto change) {
    Founding founding = three();
    change(founding);
    const auto result = complete_founding(founding);
    return result ? std::string() : result.error().detail;
  };
  EXPECT_NE(error_of([](Founding& f) { f.founders[1].name = "n1"; }).find("named twice"),
            std::string::npos);
  EXPECT_NE(error_of([](Founding& f) { f.q = 1000; }).find("power of two"), std::string::npos);
  EXPECT_NE(error_of([](Founding& f) { f.n = 8; }).find("N must"), std::string::npos);
  EXPECT_NE(error_of([](Founding& f) { f.w = 4; }).find("W must"), std::string::npos);
  EXPECT_NE(error_of([](Founding& f) { f.founders[0].weight = 0; }).find("weight"),
            std::string::npos);
  EXPECT_NE(error_of([](Founding& f) { f.founders.clear(); }).find("founder"), std::string::npos);
}

}  // namespace
}  // namespace stator

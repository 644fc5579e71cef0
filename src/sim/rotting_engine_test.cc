#include "sim/rotting_engine.h"

#include <gtest/gtest.h>

#include <vector>

#include "node/testing/scripted_engine.h"
#include "storage/testing/sealed_record.h"

namespace stator::sim {
namespace {

using node::testing::ScriptedEngine;
using storage::GetStatus;
using storage::testing::sealed_record;

constexpr PartitionId kPlace{3};

class Keys final : public storage::ScanVisitor {
 public:
  void visit(std::string_view key, std::string_view) override { seen.emplace_back(key); }
  std::vector<std::string> seen;
};

class RottingEngineTest : public ::testing::Test {
 protected:
  RottingEngineTest() {
    for (const char* key : {"a", "b", "c"}) put(key);
  }
  void put(std::string_view key) {
    storage::WriteBatch batch;
    batch.put(kPlace, key, sealed_record(kPlace, key, {}, "what stands there"));
    engine.submit(batch, true, [](const Result<void>&) {});
  }
  GetStatus get(std::string_view key) {
    value.clear();
    std::string room;
    std::string_view record;
    const GetStatus status = engine.get(kPlace, key, room, record, nullptr);
    value = record;
    return status;
  }
  [[nodiscard]] bool sound(std::string_view key) const {
    storage::RecordHeader header;
    std::string_view payload;
    return storage::open_record(kPlace, key, value, header, payload).has_value();
  }

  ScriptedEngine::Script script;
  RottenPlaces known;
  RottingEngine engine{std::make_unique<ScriptedEngine>(script), known};
  Random random{1};
  std::string value;
};

TEST_F(RottingEngineTest, HandsOutARecordWithAnotherBitAndWalksPastIt) {
  EXPECT_TRUE(engine.spoil(kPlace, "b", 7, Rot::kBits, random));
  EXPECT_EQ(get("b"), GetStatus::kFound);
  EXPECT_FALSE(sound("b"));
  EXPECT_EQ(known.met, 1U);
  EXPECT_EQ(known.places, (std::map<RottenPlaces::Place, std::uint32_t>{{{kPlace, "b"}, 7}}));
  Keys keys;
  EXPECT_TRUE(engine.scan(kPlace, {}, {}, keys));
  EXPECT_EQ(keys.seen, (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(get("a"), GetStatus::kFound);
  EXPECT_TRUE(sound("a"));
  EXPECT_EQ(known.met, 1U) << "of its own, not of others";
}

TEST_F(RottingEngineTest, CannotReadALostBlockNorWalkPastIt) {
  EXPECT_TRUE(engine.spoil(kPlace, "b", 7, Rot::kBlock, random));
  EXPECT_EQ(get("b"), GetStatus::kUnreadable);
  EXPECT_EQ(value, "");
  EXPECT_EQ(known.met, 1U);
  Keys keys;
  const auto walked = engine.scan(kPlace, {}, {}, keys);
  ASSERT_FALSE(walked);
  EXPECT_EQ(walked.error().code, ErrorCode::kUnreadable);
  EXPECT_EQ(keys.seen, std::vector<std::string>{"a"});
  Keys behind;
  EXPECT_TRUE(engine.scan(kPlace, "b", {}, behind));
  EXPECT_EQ(behind.seen, std::vector<std::string>{"c"});
}

TEST_F(RottingEngineTest, WhatIsWrittenOverItIsWhole) {
  for (const Rot rot : {Rot::kBits, Rot::kBlock}) {
    ASSERT_TRUE(engine.spoil(kPlace, "b", 7, rot, random));
    EXPECT_TRUE(engine.rotten(kPlace, "b"));
    put("b");
    EXPECT_FALSE(engine.rotten(kPlace, "b"));
    EXPECT_EQ(get("b"), GetStatus::kFound);
    EXPECT_TRUE(sound("b"));
  }
  EXPECT_EQ(known.met, 0U) << "who looks from outside meets nothing";
}

TEST_F(RottingEngineTest, WhatIsNotThereOrCannotBeChangedDoesNotRot) {
  EXPECT_FALSE(engine.spoil(kPlace, "d", 7, Rot::kBits, random));
  script.outcome = std::unexpected(Error{.code = ErrorCode::kDiskFull});
  script.forgets = true;
  EXPECT_FALSE(engine.spoil(kPlace, "b", 7, Rot::kBlock, random));
  EXPECT_TRUE(known.places.empty());
  EXPECT_EQ(get("b"), GetStatus::kFound);
  EXPECT_TRUE(sound("b"));
}

}  // namespace
}  // namespace stator::sim

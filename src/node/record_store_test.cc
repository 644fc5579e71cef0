#include "node/record_store.h"

#include <gtest/gtest.h>

#include <string>

#include "node/testing/lone_shard.h"

namespace stator::node::testing {
namespace {

// An engine need not get a turn's writes at its end: nobody is told before, and all see them.
TEST(RecordStore, ABatchThatWaitsATurnIsSeenMeanwhileAndStoredOnce) {
  LoneShard lone;
  const PartitionId place = lone.partition_of("k");
  std::string key;
  storage::append_storage_key(kDefaultBucket, "k", key);
  lone.world().buggify().force("records: a batch waits a turn");
  const std::size_t before = lone.script().submits;
  int stored = 0;
  lone.in_turn([&](Shard& shard) {
    RecordStore& records = *shard.context().records;
    records.begin_store(place, key).append("object");
    records.finish_store({}, true,
                         [&stored](const Result<void>& result) { stored += result ? 1 : 100; });
  });
  EXPECT_EQ(lone.script().submits, before);
  EXPECT_EQ(stored, 0);
  std::string seen;
  lone.in_turn([&](Shard& shard) {
    shard.context().records->load(
        place, key, [&seen](const RecordStore::Loaded& loaded) { seen = loaded.payload; });
  });
  EXPECT_EQ(seen, "object");
  lone.world().buggify().on = false;
  lone.run(milliseconds(1));
  EXPECT_EQ(lone.script().submits, before + 1);
  EXPECT_EQ(stored, 1);
}

}  // namespace
}  // namespace stator::node::testing

// One door, every engine: what storage/engine.h promises, checked against an ordered map (I18).

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "engine_stores.h"

namespace stator::storage {
namespace {

using testing::Store;
using testing::TemporaryFolder;

struct EngineUnderTest {
  const char* test_name;
  const char* name;
  bool journal;
};

void PrintTo(const EngineUnderTest& engine, std::ostream* out) {
  *out << engine.test_name;
}

using Model = std::map<std::pair<std::uint32_t, std::string>, std::string>;

class Visits final : public ScanVisitor {
 public:
  void visit(std::string_view key, std::string_view value) override {
    keys.emplace_back(key);
    bytes += value.size();
    content[std::string(key)] = std::string(value);
  }
  std::vector<std::string> keys;
  std::map<std::string, std::string> content;
  std::size_t bytes = 0;
};

class EngineContract : public ::testing::TestWithParam<EngineUnderTest> {
 protected:
  EngineContract() { store.open(); }

  Visits scan_all(PartitionId partition, ScanBudget budget) {
    Visits visits;
    std::string after;
    do {
      auto next = store.engine().scan(partition, after, budget, visits);
      EXPECT_TRUE(next);
      after = next ? *next : "";
    } while (!after.empty());
    return visits;
  }

  void expect_equal(const Model& model, const std::set<std::uint32_t>& partitions) {
    for (const auto& [place, value] : model) {
      const auto answer = store.get(PartitionId{place.first}, place.second);
      EXPECT_EQ(answer.status, GetStatus::kFound);
      EXPECT_EQ(answer.value, value);
    }
    for (const std::uint32_t partition : partitions) {
      const Visits visits = scan_all(PartitionId{partition}, {.keys_max = 3, .bytes_max = 500});
      std::map<std::string, std::string> expected;
      for (const auto& [place, value] : model) {
        if (place.first == partition) expected[place.second] = value;
      }
      EXPECT_EQ(visits.content, expected);
      EXPECT_EQ(visits.keys.size(), expected.size());  // each once
      if (store.engine().capabilities().ordered_scan) {
        EXPECT_TRUE(std::is_sorted(visits.keys.begin(), visits.keys.end()));
      }
    }
  }

  TemporaryFolder folder;
  Store store{GetParam().name, GetParam().journal, folder};
};

INSTANTIATE_TEST_SUITE_P(Every, EngineContract,
                         ::testing::Values(EngineUnderTest{"memory", "memory", false},
                                           EngineUnderTest{"memory_with_journal", "memory", true},
                                           EngineUnderTest{"rocksdb", "rocksdb", false}),
                         [](const auto& engine) { return engine.param.test_name; });

TEST_P(EngineContract, EqualsAnOrderedMapThroughBatchesErasesDropsScansAndRestarts) {
  const std::vector<std::uint32_t> partitions{0, 1, 255, 256, 1023, 65535};
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    SplitMix64 random(seed);
    for (const std::uint32_t partition : partitions) {
      ASSERT_TRUE(store.drop(PartitionId{partition}));
    }
    Model model;
    WriteBatch batch;
    for (int step = 0; step < 150; ++step) {
      const std::uint64_t changes = random.below(20);
      for (std::uint64_t i = 0; i < changes; ++i) {
        const std::uint32_t partition = partitions[random.below(partitions.size())];
        const std::string key = "k" + std::to_string(random.below(60));
        if (random.chance(0.7)) {
          const std::string value(random.below(random.chance(0.05) ? 50'000 : 100),
                                  static_cast<char>('a' + random.below(26)));
          batch.put(PartitionId{partition}, key, value);
          model[{partition, key}] = value;
        } else {
          batch.erase(PartitionId{partition}, key);
          model.erase({partition, key});
        }
      }
      ASSERT_TRUE(store.submit(batch, random.chance(0.2)));
      batch.clear();
      if (random.chance(0.02)) {
        const std::uint32_t dropped = partitions[random.below(partitions.size())];
        ASSERT_TRUE(store.drop(PartitionId{dropped}));
        std::erase_if(model, [&](const auto& item) { return item.first.first == dropped; });
      }
      if (store.engine().capabilities().survives_process && random.chance(0.02)) store.reopen();
      const std::string key = "k" + std::to_string(random.below(60));
      const std::uint32_t partition = partitions[random.below(partitions.size())];
      const auto expected = model.find({partition, key});
      const auto answer = store.get(PartitionId{partition}, key);
      ASSERT_EQ(answer.status, expected == model.end() ? GetStatus::kMissing : GetStatus::kFound);
      if (expected != model.end()) {
        ASSERT_EQ(answer.value, expected->second);
      }
    }
    expect_equal(model, {partitions.begin(), partitions.end()});
  }
}

TEST_P(EngineContract, KeepsValuesOfEverySizeAndKeysOfEveryByte) {
  Model model;
  SplitMix64 random(5);
  for (const std::size_t size : {0UL, 1UL, 100UL, 4095UL, 4096UL, 65'536UL, 1UL << 20}) {
    std::string value(size, '\0');
    for (char& c : value) c = static_cast<char>(random.next());
    const std::string key = "size" + std::to_string(size);
    ASSERT_TRUE(store.put(PartitionId{2}, key, value, true));
    model[{2, key}] = value;
  }
  for (int byte = 0; byte < 256; ++byte) {
    const std::string key(3, static_cast<char>(byte));
    ASSERT_TRUE(store.put(PartitionId{2}, key, key));
    model[{2, key}] = key;
  }
  const std::string longest(4096 + 256, '\xFF');
  ASSERT_TRUE(store.put(PartitionId{2}, longest, "long"));
  model[{2, longest}] = "long";
  expect_equal(model, {1, 2, 3});
  if (!store.engine().capabilities().survives_process) return;
  store.reopen();
  expect_equal(model, {1, 2, 3});
}

TEST_P(EngineContract, AppliesABatchInItsOrder) {
  WriteBatch batch;
  batch.put(PartitionId{1}, "a", "first");
  batch.erase(PartitionId{1}, "a");
  batch.put(PartitionId{1}, "b", "first");
  batch.put(PartitionId{1}, "b", "second");
  batch.put(PartitionId{1}, "c", "x");
  batch.erase(PartitionId{1}, "c");
  batch.put(PartitionId{1}, "c", "again");
  ASSERT_TRUE(store.submit(batch, true));
  EXPECT_EQ(store.get(PartitionId{1}, "a").status, GetStatus::kMissing);
  EXPECT_EQ(store.get(PartitionId{1}, "b").value, "second");
  EXPECT_EQ(store.get(PartitionId{1}, "c").value, "again");
}

TEST_P(EngineContract, CompletesInTheOrderOfTheCallsWhoeverWaitsForTheDisk) {
  SplitMix64 random(11);
  store.disk().hold_syncs = true;  // the journal's
  std::vector<int> completed;
  WriteBatch batch;
  for (int i = 0; i < 200; ++i) {
    if (i % 50 == 17) {
      store.engine().drop(PartitionId{9}, [&completed, i](const Result<void>& result) {
        EXPECT_TRUE(result);
        completed.push_back(i);
      });
    } else {
      batch.put(PartitionId{1}, "key", std::to_string(i));
      store.engine().submit(batch, random.chance(0.3), [&completed, i](const Result<void>& result) {
        EXPECT_TRUE(result);
        completed.push_back(i);
      });
      batch.clear();  // allowed as soon as submit has returned
    }
    if (random.chance(0.2)) store.loop().run_ready();
    if (random.chance(0.2)) store.disk().complete_syncs();
  }
  EXPECT_TRUE(!GetParam().journal || completed.size() < 200);
  for (int i = 0; i < 3; ++i) store.disk().complete_syncs();
  store.disk().hold_syncs = false;
  store.loop().run_until([&completed] { return completed.size() == 200; });
  for (int i = 0; i < 200; ++i) EXPECT_EQ(completed[static_cast<std::size_t>(i)], i);
  EXPECT_EQ(store.get(PartitionId{1}, "key").value, "199");
}

TEST_P(EngineContract, ASyncKeepsNoBatchWaiting) {
  ASSERT_TRUE(store.put(PartitionId{1}, "before", "v"));
  store.disk().hold_syncs = true;  // the journal's
  std::vector<int> synced;
  store.engine().sync([&synced](const Result<void>& result) {
    EXPECT_TRUE(result);
    synced.push_back(1);
  });
  ASSERT_TRUE(store.put(PartitionId{1}, "beside", "v")) << "returns when it is complete";
  EXPECT_TRUE(!GetParam().journal || synced.empty());
  store.engine().sync([&synced](const Result<void>& result) {
    EXPECT_TRUE(result);
    synced.push_back(2);
  });
  for (int i = 0; i < 2; ++i) store.disk().complete_syncs();
  store.disk().hold_syncs = false;
  store.loop().run_until([&synced] { return synced.size() == 2; });
  EXPECT_EQ(synced, (std::vector<int>{1, 2}));
  EXPECT_EQ(store.engine().stats().syncs > 0, store.engine().capabilities().survives_power);
}

TEST_P(EngineContract, CloseCompletesSyncsAndRefusesTheRest) {
  ASSERT_TRUE(store.put(PartitionId{1}, "key", "v"));
  bool synced = false;
  store.engine().sync([&synced](const Result<void>& result) { synced = result.has_value(); });
  bool closed = false;
  store.engine().close([&](const Result<void>& result) {
    EXPECT_TRUE(result);
    EXPECT_TRUE(synced);
    closed = true;
  });
  std::optional<ErrorCode> late;
  store.engine().sync([&late](const Result<void>& result) { late = result.error().code; });
  store.loop().run_until([&] { return closed && late; });
  EXPECT_EQ(*late, ErrorCode::kClosed);
  store.forget();
}

TEST_P(EngineContract, ACompletionMaySubmit) {
  struct Chain {
    Store& store;
    int left = 50;
    std::vector<int> order{};
    void next() {
      if (left == 0) return;
      const int number = left--;
      WriteBatch batch;
      batch.put(PartitionId{1}, "key" + std::to_string(number), "v");
      store.engine().submit(batch, number % 2 == 0, [this, number](const Result<void>& result) {
        EXPECT_TRUE(result);
        order.push_back(number);
        next();
      });
    }
  } chain{store};
  chain.next();
  store.loop().run_until([&chain] { return chain.order.size() == 50; });
  EXPECT_TRUE(std::is_sorted(chain.order.rbegin(), chain.order.rend()));
  EXPECT_EQ(scan_all(PartitionId{1}, {}).keys.size(), 50U);
}

TEST_P(EngineContract, AGetBesideUncompletedBatchesSeesTheOldOrTheNewValue) {
  ASSERT_TRUE(store.put(PartitionId{1}, "key", "old", true));
  WriteBatch batch;
  batch.put(PartitionId{1}, "key", "new");
  bool completed = false;
  store.engine().submit(batch, true, [&completed](const Result<void>&) { completed = true; });
  const auto during = store.get(PartitionId{1}, "key");
  EXPECT_EQ(during.status, GetStatus::kFound);
  EXPECT_TRUE(during.value == "old" || during.value == "new");
  store.loop().run_until([&completed] { return completed; });
  EXPECT_EQ(store.get(PartitionId{1}, "key").value, "new");
}

TEST_P(EngineContract, AScanMeetsWhatStaysOnceWhileEverythingElseChanges) {
  SplitMix64 random(3);
  std::set<std::string> staying;
  for (int i = 0; i < 300; ++i) {
    staying.insert("stays" + std::to_string(i));
    ASSERT_TRUE(store.put(PartitionId{7}, "stays" + std::to_string(i), "v"));
  }
  for (const std::uint32_t neighbour : {6U, 8U}) {
    ASSERT_TRUE(store.put(PartitionId{neighbour}, "neighbour", "x"));
  }
  Visits visits;
  std::string after;
  int created = 0;
  do {
    const auto next = store.engine().scan(PartitionId{7}, after, {.keys_max = 5}, visits);
    ASSERT_TRUE(next);
    after = *next;
    WriteBatch batch;
    for (int i = 0; i < 20 && created < 1500; ++i) {
      batch.put(PartitionId{7}, "new" + std::to_string(created++), "x");
      batch.erase(PartitionId{7},
                  "new" + std::to_string(random.below(static_cast<std::uint64_t>(created))));
    }
    if (after.starts_with("new")) batch.erase(PartitionId{7}, after);  // the cursor's key goes
    ASSERT_TRUE(store.submit(batch, false));
  } while (!after.empty());
  for (const std::string& key : staying) {
    EXPECT_EQ(std::count(visits.keys.begin(), visits.keys.end(), key), 1) << key;
  }
  EXPECT_EQ(std::count(visits.keys.begin(), visits.keys.end(), "neighbour"), 0);
}

TEST_P(EngineContract, AScanKeepsToItsBudgetAndAlwaysGetsOn) {
  for (int i = 0; i < 40; ++i) {
    ASSERT_TRUE(store.put(PartitionId{1}, "key" + std::to_string(i), std::string(1000, 'v')));
  }
  Visits by_keys;
  ASSERT_TRUE(store.engine().scan(PartitionId{1}, "", {.keys_max = 7}, by_keys));
  EXPECT_EQ(by_keys.keys.size(), 7U);
  Visits by_bytes;
  ASSERT_TRUE(store.engine().scan(PartitionId{1}, "", {.bytes_max = 5000}, by_bytes));
  EXPECT_LE(by_bytes.keys.size(), 6U);
  Visits by_nothing;
  ASSERT_TRUE(store.engine().scan(PartitionId{1}, "", {.keys_max = 0, .bytes_max = 0}, by_nothing));
  EXPECT_EQ(by_nothing.keys.size(), 1U);
  Visits nowhere;
  EXPECT_EQ(store.engine().scan(PartitionId{2}, "", {}, nowhere).value(), "");
  EXPECT_TRUE(nowhere.keys.empty());
}

TEST_P(EngineContract, DropTakesOnePartitionAndWhatIsPutLaterStays) {
  for (const std::uint32_t partition : {254U, 255U, 256U, 65535U}) {
    ASSERT_TRUE(store.put(PartitionId{partition}, "a", "1"));
    ASSERT_TRUE(store.put(PartitionId{partition}, std::string(300, '\xFF'), "2"));
  }
  ASSERT_TRUE(store.drop(PartitionId{255}));
  ASSERT_TRUE(store.drop(PartitionId{65535}));
  ASSERT_TRUE(store.drop(PartitionId{17}));
  ASSERT_TRUE(store.put(PartitionId{255}, "b", "3"));
  EXPECT_EQ(scan_all(PartitionId{254}, {}).keys.size(), 2U);
  EXPECT_EQ(scan_all(PartitionId{255}, {}).keys, std::vector<std::string>{"b"});
  EXPECT_EQ(scan_all(PartitionId{256}, {}).keys.size(), 2U);
  EXPECT_EQ(store.get(PartitionId{65535}, "a").status, GetStatus::kMissing);
  if (!store.engine().capabilities().survives_process) return;
  store.reopen();
  EXPECT_EQ(scan_all(PartitionId{255}, {}).keys, std::vector<std::string>{"b"});
  EXPECT_EQ(store.get(PartitionId{65535}, "a").status, GetStatus::kMissing);
}

TEST_P(EngineContract, CloseCompletesWhatWasSubmittedAndRefusesTheRest) {
  int completed = 0;
  WriteBatch batch;
  for (int i = 0; i < 20; ++i) {
    batch.put(PartitionId{1}, "key" + std::to_string(i), "v");
    store.engine().submit(batch, i % 3 == 0, [&completed](const Result<void>& result) {
      EXPECT_TRUE(result);
      ++completed;
    });
    batch.clear();
  }
  bool closed = false;
  store.engine().close([&](const Result<void>& result) {
    EXPECT_TRUE(result);
    EXPECT_EQ(completed, 20);
    closed = true;
  });
  std::optional<ErrorCode> late;
  store.engine().submit(batch, false,
                        [&late](const Result<void>& result) { late = result.error().code; });
  store.loop().run_until([&] { return closed && late; });
  EXPECT_EQ(*late, ErrorCode::kClosed);
  store.forget();
}

TEST_P(EngineContract, WhatIsFoundStaysWhileOthersAreAskedFor) {
  constexpr std::size_t kKeys = 40;
  const auto key = [](std::size_t i) { return "key" + std::to_string(i); };
  const auto value = [](std::size_t i) {
    return std::string(i * 37, static_cast<char>('a' + i % 26));
  };
  WriteBatch batch;
  for (std::size_t i = 0; i < kKeys; ++i) batch.put(PartitionId{7}, key(i), value(i));
  ASSERT_TRUE(store.submit(batch, false));
  std::vector<std::string> rooms(kKeys, "what was there before");
  std::vector<std::string_view> found(kKeys);
  for (std::size_t i = 0; i < kKeys; ++i) {
    ASSERT_EQ(store.engine().get(PartitionId{7}, key(i), rooms[i], found[i], nullptr),
              GetStatus::kFound);
  }
  for (std::size_t i = 0; i < kKeys; ++i) EXPECT_EQ(found[i], value(i)) << i;
}

TEST_P(EngineContract, SeveralShardsShareOneStore) {
  const auto other = store.home().attach(store.env());
  bool done = false;
  WriteBatch batch;
  batch.put(PartitionId{40}, "of the second", "2");
  other->submit(batch, true, [&done](const Result<void>& result) { done = result.has_value(); });
  ASSERT_TRUE(store.put(PartitionId{41}, "of the first", "1", true));
  store.loop().run_until([&done] { return done; });
  std::string room;
  std::string_view value;
  EXPECT_EQ(other->get(PartitionId{40}, "of the second", room, value, nullptr), GetStatus::kFound);
  EXPECT_EQ(value, "2");
  bool closed = false;
  other->close([&closed](const Result<void>& result) { closed = result.has_value(); });
  store.loop().run_until([&closed] { return closed; });
  EXPECT_TRUE(store.put(PartitionId{41}, "of the first", "still open", true));
}

TEST_P(EngineContract, AStartThatIsGivenUpNeedsNoClose) {
  ASSERT_TRUE(store.put(PartitionId{1}, "key", "value"));
  store.forget();
  store.open();
  const bool survives = store.engine().capabilities().survives_process;
  EXPECT_EQ(store.get(PartitionId{1}, "key").status,
            survives ? GetStatus::kFound : GetStatus::kMissing);
}

TEST_P(EngineContract, CountsWhatItHolds) {
  const std::string value(1000, 'v');
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(store.put(PartitionId{1}, "key" + std::to_string(i), value, true));
  }
  const EngineStats stats = store.engine().stats();
  EXPECT_EQ(stats.keys, 100U);
  EXPECT_GE(stats.bytes, 100'000U);
  EXPECT_GE(stats.batches, 100U);
  EXPECT_EQ(stats.syncs > 0, store.engine().capabilities().survives_power);
  if (!store.engine().capabilities().survives_process) return;
  // "0 keys" after a restart would read as lost data.
  for (int restart = 0; restart < 3; ++restart) {
    store.reopen();
    EXPECT_EQ(store.engine().stats().keys, 100U) << restart;
  }
}

TEST_P(EngineContract, ASecondProcessAndAnotherEngineAreRefused) {
  if (!store.engine().capabilities().survives_process) return;
  ASSERT_TRUE(store.put(PartitionId{1}, "key", "value", true));
  EngineOptions options = store.options();
  EXPECT_EQ(open_engine(options, store.env()).error().code, ErrorCode::kConflict);
  options.name = options.name == "memory" ? "rocksdb" : "memory";
  const auto other = open_engine(options, store.env());
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, ErrorCode::kConflict);
  EXPECT_NE(other.error().detail.find(store.options().name), std::string::npos);
  EXPECT_EQ(store.get(PartitionId{1}, "key").value, "value");
}

// The journal is written anew, and its new name may not be durable: where all was durable before,
// a sync has nothing to do, and says so all the same (D31).
TEST(JournalledMemory, ASyncAfterOneThatFailedFails) {
  const TemporaryFolder folder;
  Store store("memory", true, folder);
  store.open();
  store.disk().directory_syncs_fail = ErrorCode::kIo;
  Result<void> put;
  for (int i = 0; i < 100 && put; ++i) {
    put = store.put(PartitionId{1}, "key", std::string(60'000, 'v'), true);
  }
  ASSERT_FALSE(put);
  store.disk().directory_syncs_fail.reset();
  std::optional<Result<void>> synced;
  store.engine().sync([&synced](const Result<void>& result) { synced = result; });
  store.loop().run_until([&synced] { return synced.has_value(); });
  ASSERT_FALSE(*synced);
  EXPECT_EQ(synced->error().code, ErrorCode::kIo);
}

TEST(OpenEngine, AnUnknownNameIsAnsweredWithTheKnownOnes) {
  const TemporaryFolder folder;
  Store store("rocket", false, folder);
  const auto opened = store.try_open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kNotSupported);
  EXPECT_NE(opened.error().detail.find("rocksdb, memory"), std::string::npos);
}

TEST(OpenEngine, AFolderWithSomebodysFilesIsLeftAlone) {
  const TemporaryFolder folder;
  Store store("rocksdb", false, folder);
  const std::string precious = store.options().directory + "/thesis.txt";
  ASSERT_TRUE(store.disk().create_directories(store.options().directory));
  ASSERT_TRUE(store.disk().open(precious, env::Disk::Open::kCreate));
  const auto opened = store.try_open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kConflict);
  EXPECT_EQ(store.disk().files().size(), 1U);
}

}  // namespace
}  // namespace stator::storage

#include "storage/memory/hash_table.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "base/random.h"

namespace stator::storage::memory {
namespace {

class Collector final : public ScanVisitor {
 public:
  void visit(std::string_view key, std::string_view value) override {
    ++visits;
    last_pass[std::string(key)] = std::string(value);
  }
  std::map<std::string, std::string> last_pass;
  std::size_t visits = 0;
};

Collector scan_all(const HashTable& table, ScanBudget budget) {
  Collector seen;
  std::string after;
  do {
    after = std::string(table.scan(after, budget, seen));
  } while (!after.empty());
  return seen;
}

TEST(HashTable, FindsWhatWasPutAndNothingElse) {
  Arena arena(64 << 10);
  HashTable table(1, arena);
  EXPECT_FALSE(table.find("a"));
  table.put("a", "1");
  table.put("b", "");
  table.put("a", "2");
  EXPECT_EQ(table.find("a"), "2");
  EXPECT_EQ(table.find("b"), "");
  EXPECT_FALSE(table.find("c"));
  table.erase("a");
  table.erase("c");
  EXPECT_FALSE(table.find("a"));
  EXPECT_EQ(table.size(), 1U);
  EXPECT_EQ(table.bytes(), 1U);
}

TEST(HashTable, EqualsAMapAfterRandomChanges) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SplitMix64 random(seed);
    Arena arena(64 << 10);
    HashTable table(random.next(), arena);
    std::map<std::string, std::string> model;
    std::uint64_t bytes = 0;
    for (int step = 0; step < 3000; ++step) {
      const std::string key = "key" + std::to_string(random.below(seed % 2 == 0 ? 40 : 1500));
      if (random.chance(0.6)) {
        const std::string value(random.below(random.chance(0.1) ? 20'000 : 60), 'v');
        table.put(key, value);
        model[key] = value;
      } else {
        table.erase(key);
        model.erase(key);
      }
    }
    for (const auto& [key, value] : model) {
      EXPECT_EQ(table.find(key), value);
      bytes += key.size() + value.size();
    }
    EXPECT_EQ(table.size(), model.size());
    EXPECT_EQ(table.bytes(), bytes);
    const Collector seen = scan_all(table, {.keys_max = 7, .bytes_max = 100'000});
    EXPECT_EQ(seen.last_pass, model);
    EXPECT_EQ(seen.visits, model.size());
  }
}

TEST(HashTable, ScanMeetsEveryKeyThatStaysOnceWhileOthersComeAndGo) {
  SplitMix64 random(7);
  Arena arena(64 << 10);
  HashTable table(3, arena);
  std::set<std::string> staying;
  for (int i = 0; i < 500; ++i) staying.insert("stays" + std::to_string(i));
  for (const std::string& key : staying) table.put(key, "v");
  std::multiset<std::string> met;
  class Meet final : public ScanVisitor {
   public:
    explicit Meet(std::multiset<std::string>& met) : met_(met) {}
    void visit(std::string_view key, std::string_view) override { met_.insert(std::string(key)); }

   private:
    std::multiset<std::string>& met_;
  } visitor(met);
  std::string after;
  int created = 0;
  do {
    after = std::string(table.scan(after, {.keys_max = 3}, visitor));
    // The table grows five times over meanwhile, and the key that the cursor names may go.
    for (int i = 0; i < 100 && created < 5000; ++i)
      table.put("new" + std::to_string(created++), "x");
    for (int i = 0; i < 60; ++i) table.erase("new" + std::to_string(random.below(created)));
    if (after.starts_with("new")) table.erase(after);
  } while (!after.empty());
  for (const std::string& key : staying) EXPECT_EQ(met.count(key), 1U) << key;
}

// The steps walk slots that they have not looked at before, up to the last one.
TEST(HashTable, MemoryIsAskedForAheadInsideTheTableWhateverTheHash) {
  SplitMix64 random(11);
  Arena arena(64 << 10);
  HashTable table(5, arena);
  for (int i = 0; i < 2000; ++i) {
    for (const std::uint64_t hash : {std::uint64_t{0}, random.next(), ~std::uint64_t{0}}) {
      table.prefetch_slot(hash);
      table.prefetch_entry(hash);
      table.prefetch_whole(hash);
    }
    const std::string key = "key" + std::to_string(random.below(300));
    if (random.chance(0.7)) {
      table.put(key, std::string(random.below(5000), 'v'));
    } else {
      table.erase(key);
    }
  }
  const std::uint64_t keys = table.size();
  EXPECT_EQ(scan_all(table, {.keys_max = 7, .bytes_max = 100'000}).visits, keys);
}

TEST(HashTable, OverwritingWithWhatFitsKeepsTheBlock) {
  Arena arena(64 << 10);
  HashTable table(1, arena);
  table.put("k", std::string(1000, 'a'));
  const char* const before = table.find("k")->data();
  table.put("k", std::string(1000, 'b'));
  table.put("k", std::string(10, 'c'));
  table.put("k", std::string(1000, 'd'));
  EXPECT_EQ(table.find("k")->data(), before);
}

TEST(HashTable, ATombstoneGivesTheMemoryOfALargeValueBack) {
  Arena arena(64 << 10);
  HashTable table(1, arena);
  table.put("k", std::string(1 << 20, 'a'));
  const char* const before = table.find("k")->data();
  table.put("other", std::string(1 << 20, 'a'));
  table.put("k", "tombstone");
  EXPECT_NE(table.find("k")->data(), before);
}

TEST(HashTable, AlwaysVisitsOneKeyHoweverSmallTheBudget) {
  Arena arena(64 << 10);
  HashTable table(1, arena);
  for (int i = 0; i < 50; ++i) table.put(std::to_string(i), std::string(100, 'v'));
  EXPECT_EQ(scan_all(table, {.keys_max = 0, .bytes_max = 0}).visits, 50U);
}

}  // namespace
}  // namespace stator::storage::memory

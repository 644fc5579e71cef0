#include "storage/rocksdb/open_logs.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <utility>

namespace stator::storage::rocks {
namespace {

class FakeLog final : public OpenLogs::Log {
 public:
  explicit FakeLog(std::function<bool()> on_sync) : on_sync_(std::move(on_sync)) {}
  bool sync_appended() override { return on_sync_(); }

 private:
  std::function<bool()> on_sync_;
};

TEST(OpenLogs, AreSyncedTheOldestFirst) {
  OpenLogs logs;
  std::string order;
  const auto named = [&order](char name) {
    return FakeLog([&order, name] {
      order += name;
      return true;
    });
  };
  FakeLog a = named('a');
  FakeLog b = named('b');
  FakeLog c = named('c');
  EXPECT_TRUE(logs.sync()) << "there is none";
  logs.add(12, b);
  logs.add(7, a);
  logs.add(15, c);
  EXPECT_TRUE(logs.sync());
  EXPECT_EQ(order, "abc");
  logs.remove(12);
  logs.remove(12);
  EXPECT_TRUE(logs.sync());
  EXPECT_EQ(order, "abcac");
}

// Where the older one has a gap, what stands in the younger one is not read after a crash.
TEST(OpenLogs, BehindOneThatCannotBeSyncedAreLeftAlone) {
  OpenLogs logs;
  int syncs = 0;
  FakeLog failing([] { return false; });
  FakeLog behind([&syncs] { return ++syncs > 0; });
  logs.add(1, failing);
  logs.add(2, behind);
  EXPECT_FALSE(logs.sync());
  EXPECT_EQ(syncs, 0);
  logs.remove(1);
  EXPECT_TRUE(logs.sync());
  EXPECT_EQ(syncs, 1);
}

TEST(OpenLogs, ThatComeWhileOthersAreSyncedWaitForTheNextSync) {
  OpenLogs logs;
  int syncs = 0;
  FakeLog late([&syncs] { return ++syncs > 0; });
  FakeLog first([&logs, &late] {
    logs.add(2, late);
    return true;
  });
  logs.add(1, first);
  EXPECT_TRUE(logs.sync());
  EXPECT_EQ(syncs, 0);
  logs.remove(1);
  EXPECT_TRUE(logs.sync());
  EXPECT_EQ(syncs, 1);
}

TEST(OpenLogs, AreNotLetGoWhileTheyAreSynced) {
  OpenLogs logs;
  std::atomic<bool> syncing = false;
  std::atomic<bool> asked = false;
  std::atomic<bool> gone = false;
  FakeLog log([&] {
    syncing = true;
    while (!asked) std::this_thread::yield();
    // Time for one that does not wait to be through.
    for (int i = 0; i < 1000; ++i) std::this_thread::yield();
    return !gone;
  });
  FakeLog other([] { return true; });
  logs.add(1, log);
  logs.add(2, other);
  std::thread closer([&] {
    while (!syncing) std::this_thread::yield();
    logs.remove(2);  // nobody has come to it yet
    asked = true;
    logs.remove(1);
    gone = true;
  });
  EXPECT_TRUE(logs.sync());
  closer.join();
  EXPECT_TRUE(gone);
}

}  // namespace
}  // namespace stator::storage::rocks

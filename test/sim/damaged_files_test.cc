// Damage that stays, under one node of three (G11, D24, D30): each block of each of its files,
// flipped, zeroed, filled with another block of its file, or cut off. The node mends what it keeps
// twice, refuses to start and says why, so that an operator gives it an empty disk, or starts; and
// then the others bring back whatever it lost. The engine's own part of this is
// test/crash/staying_fault_test.cc.

#include <gtest/gtest.h>

#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "cluster.h"
#include "storage/testing/damage.h"

namespace stator::test {
namespace {

using storage::testing::Damage;
using storage::testing::damaged;
using storage::testing::kEveryDamage;

constexpr unsigned kHarmed = 0;
constexpr int kKeys = 20;
constexpr std::size_t kBlock = 512;
constexpr const char* kKeptTwice[] = {"/data/identity", "/data/identity.copy", "/data/history",
                                      "/data/history.copy"};

std::string key_of(int number) {
  return "key:" + std::to_string(number);
}
std::string value_of(int number) {
  return std::to_string(number) + std::string(250, static_cast<char>('a' + number));
}

class DamagedFiles : public testing::Test {
 protected:
  DamagedFiles() {
    for (int key = 0; key < kKeys; ++key) {
      EXPECT_EQ(cluster.write(kHarmed, key_of(key), value_of(key)).outcome, Outcome::kOk);
    }
    cluster.run(seconds(2));
    for (int key = 0; key < kKeys; ++key) held.push_back(cluster.local_object(1, key_of(key)));
    const auto stopped = cluster.begin_stop(kHarmed);
    EXPECT_TRUE(cluster.run_until([&] { return *stopped; }));
    cluster.host(kHarmed).kill();
    disk().sync_all();
    disk().keep_image();
    find_files("/data");
  }

  sim::DiskImage& disk() { return cluster.host(kHarmed).disk(); }
  void find_files(const std::string& folder) {
    const auto names = disk().list(folder);
    ASSERT_TRUE(names);
    for (const std::string& name : *names) {
      const std::string path = folder + "/" + name;
      if (disk().is_directory(path)) {
        find_files(path);
      } else {
        files[path] = disk().find(path)->bytes();
      }
    }
  }

  struct Outcomes {
    int whole = 0;
    int shortened = 0;  // of what was written last
    int refused = 0;
  };

  /// How many of the keys, from the first on, the harmed node itself holds as they were; what is
  /// behind them is gone.
  int held_by_harmed() {
    int whole = 0;
    for (int key = 0; key < kKeys; ++key) {
      const std::string object = cluster.local_object(kHarmed, key_of(key));
      if (object.empty()) continue;
      EXPECT_EQ(whole, key) << "one in the middle is gone, or is another";
      EXPECT_EQ(object, held[static_cast<std::size_t>(key)]);
      ++whole;
    }
    return whole;
  }

  void expect_right_and_repaired() {
    for (int key = 0; key < kKeys; ++key) {
      const ReadAnswer answer = cluster.read(kHarmed, key_of(key), {.r = 3});
      ASSERT_TRUE(answer.ok) << to_string(answer.error.code);
      EXPECT_EQ(answer.values, std::vector<std::string>{value_of(key)});
    }
    cluster.run(seconds(1));  // repairs follow the answers
    EXPECT_EQ(held_by_harmed(), kKeys);
  }

  void start_with(const std::string& path, const std::string& content, bool may_be_shorter,
                  Outcomes& outcomes) {
    disk().restore_image();
    const auto file = disk().find(path);
    file->truncate(0);
    file->write(0, content);
    disk().sync_all();
    const std::string refusal = cluster.try_start(kHarmed);
    if (!cluster.runs(kHarmed)) {
      ++outcomes.refused;
      EXPECT_FALSE(refusal.empty());
      disk().wipe();
      ASSERT_EQ(cluster.try_start(kHarmed), "");
      cluster.settle();
    } else {
      for (const char* name : kKeptTwice) EXPECT_EQ(disk().find(name)->bytes(), files.at(name));
      cluster.settle();
      const bool whole = held_by_harmed() == kKeys;
      EXPECT_TRUE(whole || may_be_shorter) << "something is gone, and nobody says so";
      ++(whole ? outcomes.whole : outcomes.shortened);
    }
    expect_right_and_repaired();
    cluster.host(kHarmed).kill();
  }

  Cluster cluster{5,
                  3,
                  3,
                  2,
                  2,
                  64,
                  [](node::NodeOptions& options) {
                    options.disk.reserve_bytes = 2 * kBlock; }};
  std::vector<std::string> held;  // by key, as the others hold it
  std::map<std::string, std::string> files;
};

TEST_F(DamagedFiles, AreMendedOrReportedAndWhatIsLostComesFromTheOthers) {  // G11
  ASSERT_TRUE(files.contains("/data/reserve"));
  std::printf("blocks damaged, whole + shortened + refused\n%-24s", "");
  for (const Damage damage : kEveryDamage) std::printf(" %14s", to_string(damage));
  std::printf("\n");
  for (const auto& [path, content] : files) {
    // Of a journal nobody but itself says how long it is: without its end it is one that was not
    // written so far. One bit is not enough for that, since the stop leaves a mark behind the last
    // write.
    const bool journal = path.find("journal-") != std::string::npos;
    std::printf("%-24s", path.c_str());
    for (const Damage damage : kEveryDamage) {
      Outcomes outcomes;
      for (std::size_t block = 0; block * kBlock < content.size(); ++block) {
        const auto changed = damaged(content, block, kBlock, damage);
        if (!changed) continue;
        SCOPED_TRACE(path + ", block " + std::to_string(block) + ", " + to_string(damage));
        start_with(path, *changed, journal && damage != Damage::kFlipped, outcomes);
      }
      std::printf(" %4d + %2d + %2d", outcomes.whole, outcomes.shortened, outcomes.refused);
    }
    std::printf("\n");
  }
  // What is kept twice is mended, or the rest would not be worth much.
  for (const char* name : kKeptTwice) EXPECT_TRUE(files.contains(name)) << name;
}

}  // namespace
}  // namespace stator::test

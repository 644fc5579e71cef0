#include <gtest/gtest.h>

#include <set>
#include <string>

#include "cluster.h"

// Keys that expire, seen through nodes of which one has a wrong clock: stories of clusters.

namespace stator::test {
namespace {

constexpr Duration kYear = seconds(365LL * 24 * 3600);
constexpr unsigned kWrong = 2;  // the node whose clock is wrong
constexpr int kKeys = 120;

using Keys = std::set<std::string>;

std::string key_of(int number) {
  return "session" + std::to_string(number);
}

class ExpiryStory : public ::testing::Test {
 protected:
  /// As SET with PX, or DEL.
  void write_plain(unsigned node, int number, WallTime expires_at, bool tombstone = false) {
    const auto key = std::make_shared<std::string>(key_of(number));
    const auto outcome = std::make_shared<std::optional<Outcome>>();
    cluster_.ask(node, [=](node::Store& store) {
      node::WriteRequest request;
      request.bucket = kDefaultBucket;
      request.key = *key;
      request.tombstone = tombstone;
      request.value = tombstone ? "" : "v";
      request.expires_at = expires_at;
      store.write(request,
                  [key, outcome](const node::WriteResult& result) { *outcome = result.outcome; });
    });
    ASSERT_TRUE(cluster_.run_until([&] { return outcome->has_value(); }));
    ASSERT_EQ(**outcome, Outcome::kOk);
  }
  /// A third of the keys for ever, a third for an hour, a third of which nothing is left after the
  /// next seconds; some deleted or written again meanwhile.
  void write_all() {
    const WallTime now = cluster_.store(0).guarded_now();
    for (int i = 0; i < kKeys; ++i) {
      const unsigned node = static_cast<unsigned>(i) % cluster_.size();
      const WallTime expires_at = i % 3 == 0   ? WallTime{}
                                  : i % 3 == 1 ? now + seconds(3600)
                                               : now + seconds(10);
      write_plain(node, i, expires_at);
      if (i % 7 == 0) write_plain(node, i, {}, true);
      if (i % 14 == 0) write_plain(node, i, now + seconds(3600));
    }
    cluster_.run(seconds(15));
  }
  Keys expected() const {
    Keys keys;
    for (int i = 0; i < kKeys; ++i) {
      if (i % 14 == 0 || (i % 7 != 0 && i % 3 != 2)) keys.insert(key_of(i));
    }
    return keys;
  }
  Keys scan(unsigned node) {
    Keys keys;
    std::uint64_t cursor = 0;
    do {
      const auto answer = std::make_shared<std::optional<Result<node::ScanResult>>>();
      cluster_.ask(node, [=](node::Store& store) {
        store.scan({.cursor = cursor, .count = 1000},
                   [answer](const Result<node::ScanResult>& result) { *answer = result; });
      });
      EXPECT_TRUE(cluster_.run_until([&] { return answer->has_value(); }));
      if (!*answer || !**answer) {
        ADD_FAILURE() << "no answer";
        break;
      }
      for (const node::ScannedKey& found : (**answer)->keys) keys.insert(found.key);
      cursor = (**answer)->next;
    } while (cursor != 0);
    return keys;
  }
  Keys read_all(unsigned node) {
    Keys keys;
    for (int i = 0; i < kKeys; ++i) {
      const ReadAnswer answer = cluster_.read(node, key_of(i));
      EXPECT_TRUE(answer.ok);
      if (!answer.values.empty()) keys.insert(key_of(i));
    }
    return keys;
  }
  /// DBSIZE of all nodes together.
  std::uint64_t count_all() {
    std::uint64_t sum = 0;
    for (unsigned i = 0; i < cluster_.size(); ++i) {
      const auto counted = std::make_shared<std::optional<std::uint64_t>>();
      cluster_.ask(i, [=](node::Store& store) {
        store.count_published_keys(
            [counted](const Result<std::uint64_t>& keys) { *counted = keys.value_or(0); });
      });
      EXPECT_TRUE(cluster_.run_until([&] { return counted->has_value(); }));
      sum += counted->value_or(0);
    }
    return sum;
  }

  Cluster cluster_{43, 5, 3, 2, 2, 16};
};

// Design 4.2. A clock that jumps is a second later corrected to the peers' median; until then the
// node's word about time is worth nothing, and nobody may take it.
TEST_F(ExpiryStory, ScanThroughANodeWithARightClockShowsWhatReadsShowWhateverAReplicasClockSays) {
  write_all();
  for (const Duration jump : {kYear, Duration{} - kYear - kYear}) {
    for (unsigned i = 0; i < cluster_.size(); ++i) {
      if (i == kWrong) continue;
      cluster_.host(kWrong).clock().jump(jump);
      EXPECT_EQ(scan(i), expected()) << "through node " << i;
      EXPECT_EQ(read_all(i), expected()) << "through node " << i;
      cluster_.host(kWrong).clock().jump(Duration{} - jump);
      cluster_.run(seconds(2));
    }
  }
}

TEST_F(ExpiryStory, ANodeWhoseClockIsWrongScansAndCountsByItsPeersTime) {
  write_all();
  cluster_.host(kWrong).clock().jump(kYear);
  cluster_.run(seconds(15));
  EXPECT_EQ(scan(kWrong), expected());
  EXPECT_EQ(read_all(kWrong), expected());
  EXPECT_EQ(count_all(), expected().size());
}

}  // namespace
}  // namespace stator::test

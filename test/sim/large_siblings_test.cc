#include <gtest/gtest.h>

#include <algorithm>

#include "cluster.h"
#include "env/network.h"
#include "wire/frame.h"

// Values as large as they may be, accepted on several sides of a cut: together they are larger than
// any client may make an object, and still they travel between replicas as one.

namespace stator::test {
namespace {

constexpr std::size_t kValueBytesMax = 16 << 20;

Cluster::Tune large_values() {
  return [](node::NodeOptions& options) { options.limits.value_bytes_max = kValueBytesMax; };
}

// One letter per value: comparing them prints no mebibytes.
std::string letters_of(const std::vector<std::string>& values, std::size_t size) {
  std::string letters;
  for (const std::string& value : values) {
    letters.push_back(value == std::string(size, value.front()) ? value.front() : '?');
  }
  std::sort(letters.begin(), letters.end());
  return letters;
}

// Each of `nodes` nodes, alone, accepts a value of `size` bytes; then all meet again.
void accept_everywhere_and_heal(Cluster& cluster, std::size_t size) {
  cluster.settle();
  for (unsigned i = 0; i < cluster.size(); ++i) cluster.set_isolated(i, true);
  cluster.run(seconds(30));
  for (unsigned i = 0; i < cluster.size(); ++i) {
    const WriteAnswer put = cluster.write(i, "k", std::string(size, static_cast<char>('a' + i)),
                                          nullptr, node::WriteKind::kWithContext, {.w = 1});
    ASSERT_EQ(put.outcome, Outcome::kOk) << i << to_string(put.error.code) << put.error.detail;
  }
  for (unsigned i = 0; i < cluster.size(); ++i) cluster.set_isolated(i, false);
  cluster.settle();
}

void expect_converged(Cluster& cluster, const std::string& letters, std::size_t size) {
  for (unsigned i = 0; i < cluster.size(); ++i) {
    const ReadAnswer got = cluster.read(i, "k", {.r = 3});
    ASSERT_TRUE(got.ok) << i << to_string(got.error.code);
    EXPECT_EQ(letters_of(got.values, size), letters) << i;
  }
  cluster.run(seconds(2));
  const std::string merged = cluster.local_object(0, "k");
  EXPECT_GT(merged.size(), letters.size() * size);
  for (unsigned i = 1; i < cluster.size(); ++i) {
    EXPECT_TRUE(cluster.local_object(i, "k") == merged) << i;
  }
}

TEST(LargeSiblings, OfTwoSidesOfACutAreBothReadAndReachEveryReplica) {
  constexpr std::size_t kSize = 12 << 20;
  Cluster cluster(1, 3, 3, 2, 2, 64, large_values());
  cluster.settle();
  cluster.set_isolated(2, true);
  cluster.run(seconds(30));
  ASSERT_EQ(cluster.write(0, "k", std::string(kSize, 'a')).outcome, Outcome::kOk);
  ASSERT_EQ(
      cluster
          .write(2, "k", std::string(kSize, 'b'), nullptr, node::WriteKind::kWithContext, {.w = 1})
          .outcome,
      Outcome::kOk);
  cluster.set_isolated(2, false);
  cluster.settle();
  expect_converged(cluster, "ab", kSize);
}

TEST(LargeSiblings, OfThreeSidesEachAsLargeAsAllowedAreMergedByWhoReadsThem) {
  Cluster cluster(2, 3, 3, 2, 2, 64, large_values());
  accept_everywhere_and_heal(cluster, kValueBytesMax);
  expect_converged(cluster, "abc", kValueBytesMax);
  const ReadAnswer all = cluster.read(0, "k");
  ASSERT_EQ(cluster.write(1, "k", "merged", &all.context).outcome, Outcome::kOk);
  for (unsigned i = 0; i < 3; ++i) {
    EXPECT_EQ(cluster.read(i, "k").values, std::vector<std::string>{"merged"});
  }
}

TEST(LargeSiblings, ManyOfOneMebibyteAreAcceptedUntilTheyAreTooLargeTogether) {
  Cluster cluster(3, 3);
  cluster.settle();
  const std::string value(1 << 20, 'v');
  for (unsigned i = 0; i < 16; ++i) {
    ASSERT_EQ(cluster.write(i % 3, "k", value).outcome, Outcome::kOk) << i;
  }
  const WriteAnswer refused = cluster.write(0, "k", value);
  EXPECT_EQ(refused.outcome, Outcome::kNotApplied);
  EXPECT_EQ(refused.error.code, ErrorCode::kTooManySiblings);
}

// D17: no limit keeps anybody from making an object smaller.
TEST(LargeSiblings, OverTheLimitAfterACutTheyCanBeDeletedOneByOne) {
  Cluster cluster(4, 3, 3, 2, 2, 64, large_values());
  std::vector<Context> own;
  cluster.settle();
  for (unsigned i = 0; i < 3; ++i) cluster.set_isolated(i, true);
  cluster.run(seconds(30));
  for (unsigned i = 0; i < 3; ++i) {
    own.push_back(cluster
                      .write(i, "k", std::string(kValueBytesMax, static_cast<char>('a' + i)),
                             nullptr, node::WriteKind::kWithContext, {.w = 1})
                      .context);
  }
  for (unsigned i = 0; i < 3; ++i) cluster.set_isolated(i, false);
  cluster.settle();
  ASSERT_EQ(cluster.read(0, "k", {.r = 3}).values.size(), 3U);
  for (std::size_t left = 3; left > 0; --left) {
    const Context& context = own[left - 1];
    EXPECT_EQ(
        cluster.write(1, "k", "", &context, node::WriteKind::kWithContext, {}, {}, true).outcome,
        Outcome::kOk);
    EXPECT_EQ(cluster.read(2, "k").values.size(), left - 1);
  }
}

// D17: nobody sees a tombstone, so that nobody would read and merge what had piled up.
TEST(LargeSiblings, DeletesWithOneOldContextDoNotPileUpForEver) {
  constexpr std::size_t kSiblings = 4;
  Cluster cluster(5, 3, 3, 2, 2, 64,
                  [](node::NodeOptions& options) { options.limits.siblings_max = kSiblings; });
  cluster.settle();
  const auto erase = [&](unsigned i, const Context* context) {
    return cluster.write(i, "k", "", context, node::WriteKind::kWithContext, {}, {}, true);
  };
  for (unsigned i = 0; i < 2 * kSiblings; ++i) {
    ASSERT_EQ(erase(i % 3, nullptr).outcome, Outcome::kOk) << i;
    cluster.run(seconds(1));
  }
  for (unsigned i = 0; i < 3; ++i) {
    const WriteAnswer refused = erase(i, nullptr);
    EXPECT_EQ(refused.outcome, Outcome::kNotApplied);
    EXPECT_EQ(refused.error.code, ErrorCode::kTooManySiblings);
  }
  const ReadAnswer all = cluster.read(0, "k", {.r = 3});
  ASSERT_TRUE(all.values.empty());
  EXPECT_EQ(erase(1, &all.context).outcome, Outcome::kOk);
  EXPECT_EQ(erase(2, nullptr).outcome, Outcome::kOk);
}

}  // namespace
}  // namespace stator::test

// Paper 4.1: get(key) gives one object or several conflicting ones with a context; put(key,
// context, object). The context is opaque and can be checked. And design 2.5: limits.

#include <gtest/gtest.h>

#include "core/membership/history.h"
#include "core/ring/position.h"
#include "support.h"

namespace stator::test {
namespace {

using Values = std::vector<std::string>;

class Interface : public testing::Test {
 protected:
  /// As a front hands it to a client that talked to node `i`.
  std::string encoded(unsigned i, const std::string& key, const Context& context) {
    std::string bytes;
    encode_context(context, kDefaultBucket, key, cluster.store(i).context_secret(), bytes);
    return bytes;
  }
  /// As a front of node `i` takes it from a client.
  Result<void> decoded(unsigned i, const std::string& key, std::string_view bytes, Context& out) {
    return decode_context(bytes, kDefaultBucket, key, cluster.store(i).context_secret(), out);
  }
  static ErrorCode refusal(const Result<void>& result) {
    return result ? ErrorCode::kConflict : result.error().code;
  }

  Cluster cluster{41, 5};
};

TEST_F(Interface, AGetReturnsAllConflictingObjectsAndOneContextForThemAll) {
  cluster.write(0, "k", "a");
  cluster.write(1, "k", "b");
  cluster.write(2, "k", "c");
  const ReadAnswer got = cluster.read(3, "k");
  EXPECT_EQ(sorted(got.values), (Values{"a", "b", "c"}));
  ASSERT_EQ(cluster.write(4, "k", "abc", &got.context).outcome, Outcome::kOk);
  for (unsigned i = 0; i < 5; ++i) EXPECT_EQ(cluster.read(i, "k").values, Values{"abc"});
}

TEST_F(Interface, APutReplacesWhatItsContextSawAndNothingElse) {
  cluster.write(0, "k", "seen");
  const ReadAnswer got = cluster.read(1, "k");
  cluster.write(2, "k", "not seen");
  ASSERT_EQ(cluster.write(3, "k", "mine", &got.context).outcome, Outcome::kOk);
  EXPECT_EQ(sorted(cluster.read(4, "k").values), (Values{"mine", "not seen"}));
}

TEST_F(Interface, AContextOfOneNodeIsGoodOnEveryOther) {
  for (unsigned from = 0; from < 5; ++from) {
    for (unsigned to = 0; to < 5; ++to) {
      const std::string key = "k" + std::to_string(from) + std::to_string(to);
      cluster.write(from, key, "old");
      const std::string bytes = encoded(from, key, cluster.read(from, key).context);
      Context context;
      ASSERT_TRUE(decoded(to, key, bytes, context));
      ASSERT_EQ(cluster.write(to, key, "new", &context).outcome, Outcome::kOk);
      EXPECT_EQ(cluster.read(from, key).values, Values{"new"});
    }
  }
}

TEST_F(Interface, AContextIsGoodAfterTheNodeThatGaveItWasStartedAgain) {
  const unsigned owner = cluster.owners("k")[0];
  cluster.write(owner, "k", "old");
  const ReadAnswer got = cluster.read(owner, "k");
  cluster.host(owner).kill();
  cluster.run(seconds(1));
  cluster.start(owner);
  cluster.settle();
  ASSERT_EQ(cluster.write(owner, "k", "new", &got.context).outcome, Outcome::kOk);
  for (unsigned i = 0; i < 5; ++i) EXPECT_EQ(cluster.read(i, "k").values, Values{"new"});
}

TEST_F(Interface, AContextOfAnotherKeyOrBucketOrClusterIsRefused) {
  cluster.write(0, "k", "v");
  const std::string bytes = encoded(0, "k", cluster.read(0, "k").context);
  Context context;
  EXPECT_EQ(refusal(decoded(1, "other", bytes, context)), ErrorCode::kBadContext);
  EXPECT_TRUE(context.empty());
  const std::uint64_t secret = cluster.store(1).context_secret();
  EXPECT_EQ(refusal(decode_context(bytes, "bucket", "k", secret, context)), ErrorCode::kBadContext);
  Founding elsewhere{.cluster_id = "another", .founders = {}};
  elsewhere.founders.push_back({.name = "n1", .peer_address = "n1:7381"});
  ASSERT_TRUE(complete_founding(elsewhere));
  const std::uint64_t other = History::found(elsewhere).cluster_tag();
  EXPECT_EQ(refusal(decode_context(bytes, kDefaultBucket, "k", other, context)),
            ErrorCode::kBadContext);
}

TEST_F(Interface, AContextThatIsCutOrChangedInOneBitIsRefused) {
  cluster.write(0, "k", "v");
  cluster.write(1, "k", "w");
  const std::string bytes = encoded(0, "k", cluster.read(0, "k").context);
  Context context;
  ASSERT_TRUE(decoded(2, "k", bytes, context));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(refusal(decoded(2, "k", bytes.substr(0, size), context)), ErrorCode::kBadContext);
    EXPECT_TRUE(context.empty());
  }
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string flipped = bytes;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_EQ(refusal(decoded(2, "k", flipped, context)), ErrorCode::kBadContext) << bit;
  }
}

TEST_F(Interface, ARandomContextIsRefused) {
  sim::Random random = cluster.world().random().fork("contexts");
  Context context;
  for (int i = 0; i < 10'000; ++i) {
    std::string bytes(random.below(100), '\0');
    for (char& byte : bytes) byte = static_cast<char>(random.below(256));
    EXPECT_EQ(refusal(decoded(0, "k", bytes, context)), ErrorCode::kBadContext);
  }
  EXPECT_EQ(refusal(decoded(0, "k", std::string(kContextBytesMax + 1, 'x'), context)),
            ErrorCode::kTooLarge);
}

TEST_F(Interface, OneMebibyteIsStoredAndOneByteMoreIsRefused) {
  const std::string most(1 << 20, 'x');
  for (const unsigned through : {cluster.owners("big")[0], outsider(cluster, "big")}) {
    const ReadAnswer before = cluster.read(through, "big");
    ASSERT_EQ(cluster.write(through, "big", most, &before.context).outcome, Outcome::kOk);
    EXPECT_EQ(cluster.read(outsider(cluster, "big"), "big").values, Values{most});
    for (const auto kind : {node::WriteKind::kWithContext, node::WriteKind::kOverAll}) {
      const WriteAnswer refused = cluster.write(through, "big", most + 'x', nullptr, kind);
      EXPECT_EQ(refused.outcome, Outcome::kNotApplied);
      EXPECT_EQ(refused.error.code, ErrorCode::kTooLarge);
    }
    EXPECT_EQ(cluster.read(through, "big").values, Values{most});
  }
}

TEST_F(Interface, AKeyOfFourKibibytesIsStoredAndOneByteMoreIsRefused) {
  const std::string longest(4096, 'k');
  ASSERT_EQ(cluster.write(0, longest, "v").outcome, Outcome::kOk);
  EXPECT_EQ(cluster.read(1, longest).values, Values{"v"});
  const WriteAnswer refused = cluster.write(0, longest + 'k', "v");
  EXPECT_EQ(refused.outcome, Outcome::kNotApplied);
  EXPECT_EQ(refused.error.code, ErrorCode::kTooLarge);
  const ReadAnswer read = cluster.read(0, longest + 'k');
  EXPECT_FALSE(read.ok);
  EXPECT_EQ(read.error.code, ErrorCode::kTooLarge);
}

TEST_F(Interface, ABlindDeleteDeletesWhateverIsThere) {
  for (unsigned through = 0; through < 5; ++through) {
    const std::string key = "k" + std::to_string(through);
    cluster.write(0, key, "a");
    cluster.write(1, key, "b");
    cluster.run(seconds(1));
    const WriteAnswer gone =
        cluster.write(through, key, "", nullptr, node::WriteKind::kOverAll, {}, {}, true);
    ASSERT_EQ(gone.outcome, Outcome::kOk);
    for (unsigned i = 0; i < 5; ++i) {
      const ReadAnswer got = cluster.read(i, key);
      ASSERT_TRUE(got.ok);
      EXPECT_EQ(got.values, Values{});
      EXPECT_FALSE(got.context.empty()) << "what was deleted is part of the context";
    }
  }
}

TEST_F(Interface, ADeleteWithAContextLeavesWhatItHasNotSeen) {
  cluster.write(0, "k", "seen");
  const ReadAnswer got = cluster.read(1, "k");
  cluster.write(2, "k", "not seen");
  const WriteAnswer gone =
      cluster.write(3, "k", "", &got.context, node::WriteKind::kWithContext, {}, {}, true);
  ASSERT_EQ(gone.outcome, Outcome::kOk);
  EXPECT_EQ(cluster.read(4, "k").values, Values{"not seen"});
}

}  // namespace
}  // namespace stator::test

#include <gtest/gtest.h>

#include <algorithm>

#include "cluster.h"

// Retries of a write whose guard was dropped because the key was overwritten too often since.

namespace stator::test {
namespace {

class GuardStory : public ::testing::Test {
 protected:
  WriteAnswer put(unsigned node, const std::string& value, const Context* context, WriteId id = {},
                  node::WriteQuorum quorum = {.w = 3}) {
    return cluster_.write(node, "cart", value, context, node::WriteKind::kWithContext, quorum, id);
  }
  /// A write with a client's id, and so many above it that no guard of it is left.
  void bury() {
    id_ = WriteId::make(static_cast<std::uint64_t>(cluster_.store(owner()).guarded_now().ms()),
                        WriteId::kRetryable, 0, 7);
    WriteAnswer last = put(owner(), "first", nullptr, id_);
    ASSERT_EQ(last.outcome, Outcome::kOk);
    for (std::size_t i = 0; i < kGuardsMax + 2; ++i) {
      last = put(owner(), "latest", &last.context);
      ASSERT_EQ(last.outcome, Outcome::kOk);
    }
    Object object;
    const std::string bytes = cluster_.local_object(owner(), "cart");
    ASSERT_TRUE(decode_object(bytes, object));
    ASSERT_FALSE(object.guards_id(id_));
  }
  void expect_values(std::vector<std::string> expected) {
    std::vector<std::string> got = cluster_.read(owner(), "cart", {.r = 3}).values;
    std::sort(got.begin(), got.end());
    EXPECT_EQ(got, expected);
  }
  unsigned owner() { return cluster_.owners("cart")[0]; }
  unsigned outsider() {
    const std::vector<unsigned> owners = cluster_.owners("cart");
    unsigned node = 0;
    while (std::find(owners.begin(), owners.end(), node) != owners.end()) ++node;
    return node;
  }

  Cluster cluster_{42, 5};
  WriteId id_{};
};

TEST_F(GuardStory, ARetryThatNobodyRemembersIsNotMintedAgain) {
  ASSERT_NO_FATAL_FAILURE(bury());
  for (const unsigned node : {owner(), outsider()}) {
    const WriteAnswer retry = put(node, "first", nullptr, id_);
    EXPECT_EQ(retry.outcome, Outcome::kUnknown);
    EXPECT_EQ(retry.error.code, ErrorCode::kWriteIdExpired);
    EXPECT_EQ(retry.id, id_);
  }
  expect_values({"latest"});
}

TEST_F(GuardStory, AWriteThatCannotBeARepeatIsMintedWhateverTheClockOfItsNodeSays) {
  ASSERT_NO_FATAL_FAILURE(bury());
  // Within the bound that no alarm speaks of, and behind all that was forgotten of this key.
  for (const unsigned node : {owner(), outsider()}) {
    cluster_.host(node).clock().jump(Duration{} - milliseconds(950));
  }
  EXPECT_EQ(put(owner(), "by an owner", nullptr).outcome, Outcome::kOk);
  EXPECT_EQ(put(outsider(), "forwarded", nullptr).outcome, Outcome::kOk);
  expect_values({"by an owner", "forwarded", "latest"});
}

TEST_F(GuardStory, AForwardedWriteThatMayHaveReachedAnotherNodeIsARepeat) {
  ASSERT_NO_FATAL_FAILURE(bury());
  cluster_.host(outsider()).clock().jump(Duration{} - milliseconds(950));
  // The first owner gets the frame, and can tell nobody: the next one is asked.
  const auto mute = [&](bool on) {
    for (unsigned i = 0; i < cluster_.size(); ++i) {
      if (i == owner()) continue;
      cluster_.world().wire().set_cut(cluster_.host(owner()).index(), cluster_.host(i).index(), on);
    }
  };
  mute(true);
  const WriteAnswer answer = put(outsider(), "forwarded", nullptr, {}, {.w = 1});
  EXPECT_EQ(answer.outcome, Outcome::kUnknown);
  EXPECT_EQ(answer.error.code, ErrorCode::kWriteIdExpired);
  mute(false);
  cluster_.settle();
  expect_values({"forwarded", "latest"});
}

}  // namespace
}  // namespace stator::test

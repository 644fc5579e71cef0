#include <gtest/gtest.h>

#include "cluster.h"

// What a node forgets when its clock is wrong: stories of clusters.

namespace stator::test {
namespace {

constexpr Duration kYear = seconds(365LL * 24 * 3600);

WriteId id_of_now(Cluster& cluster, unsigned node, std::uint64_t number) {
  return WriteId::make(static_cast<std::uint64_t>(cluster.store(node).guarded_now().ms()),
                       WriteId::kRetryable, 0, number);
}

std::vector<std::string> values_of(const ReadAnswer& answer) {
  EXPECT_TRUE(answer.ok) << to_string(answer.error.code);
  return answer.values;
}

class ClockStory : public ::testing::Test {
 protected:
  /// Node `i` overwrites what it sees, all by itself.
  void overwrite_at(unsigned i, const std::string& value) {
    const ReadAnswer seen = cluster_.read(i, "cart", {.r = 1});
    ASSERT_TRUE(seen.ok);
    const WriteAnswer put =
        cluster_.write(i, "cart", value, &seen.context, node::WriteKind::kWithContext, {.w = 1});
    ASSERT_EQ(put.outcome, Outcome::kOk) << put.error.detail;
  }
  /// A write that two nodes mint, neither knowing of the other: its first owner is cut off.
  WriteId write_at_both(unsigned i, unsigned j) {
    const WriteId id = id_of_now(cluster_, i, 7);
    cluster_.set_isolated(i, true);
    cluster_.run(seconds(2));
    for (const unsigned node : {i, j}) {
      const WriteAnswer put = cluster_.write(node, "cart", "milk", nullptr,
                                             node::WriteKind::kWithContext, {.w = 1}, id);
      EXPECT_EQ(put.outcome, Outcome::kOk) << put.error.detail;
    }
    return id;
  }
  void expect_one_value(const std::string& value) {
    cluster_.set_isolated(0, false);
    cluster_.settle();
    cluster_.run(seconds(3));
    for (unsigned i = 0; i < 3; ++i) {
      cluster_.read(i, "cart", {.r = 3});
      cluster_.run(seconds(1));
      EXPECT_EQ(values_of(cluster_.read(i, "cart", {.r = 3})), std::vector<std::string>{value});
    }
  }

  Cluster cluster_{41, 3};
};

TEST_F(ClockStory, ANodeThatIsCutOffForgetsNoGuardWhenItsClockJumpsAYear) {
  write_at_both(0, 1);
  cluster_.host(0).clock().jump(kYear);
  cluster_.run(seconds(1));
  overwrite_at(0, "milk, bread");
  overwrite_at(0, "bread");
  expect_one_value("bread");
}

TEST_F(ClockStory, WithAMajorityBehindItsTimeANodeForgetsAfterTheWindow) {
  cluster_.write(0, "cart", "milk");
  for (std::size_t i = 0; i <= kAgedGuardsMax; ++i) overwrite_at(0, "bread");
  cluster_.run(kRetryWindow + seconds(5));
  const auto guards = [this] {
    Object object;
    const std::string bytes = cluster_.local_object(0, "cart");
    EXPECT_TRUE(decode_object(bytes, object));
    return object.guards.size();
  };
  EXPECT_EQ(guards(), kAgedGuardsMax + 1);
  overwrite_at(0, "butter");
  EXPECT_EQ(guards(), kAgedGuardsMax) << "all are older than anybody may retry them: two go";
}

}  // namespace
}  // namespace stator::test

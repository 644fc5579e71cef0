#include "core/quorum/durable_choice.h"

#include <gtest/gtest.h>

#include <array>

namespace stator {
namespace {

constexpr ReplicaSet kOwners(0b00111);
constexpr ReplicaSet kAll(0b11111);

TEST(DurableChoice, IsAnotherOwnerThanTheCoordinatorAndEachOfThemEquallyOften) {
  std::array<int, 5> chosen{};
  for (std::uint64_t spread = 0; spread < 1000; ++spread) {
    ++chosen.at(choose_durable({kOwners, kOwners, kAll, 0, spread}));
  }
  EXPECT_EQ(chosen, (std::array<int, 5>{0, 500, 500, 0, 0}));
}

TEST(DurableChoice, IsAnOwnerBeforeAStandIn) {
  const ReplicaSet copies(0b01101);  // owner 1 has none: 3 stands in for it
  for (std::uint64_t spread = 0; spread < 10; ++spread) {
    EXPECT_EQ(choose_durable({copies, kOwners, kAll, 0, spread}), 2);
  }
}

TEST(DurableChoice, IsAStandInBeforeTheCoordinator) {
  const ReplicaSet copies(0b11001);
  EXPECT_EQ(choose_durable({copies, kOwners, kAll, 0, 0}), 3);
  EXPECT_EQ(choose_durable({copies, kOwners, kAll, 0, 1}), 4);
}

TEST(DurableChoice, IsTheCoordinatorBeforeANodeThatDoesNotAnswer) {
  EXPECT_EQ(choose_durable({kOwners, kOwners, ReplicaSet(0b00001), 0, 7}), 0);
  EXPECT_EQ(choose_durable({ReplicaSet(0b1), kOwners, kAll, 0, 7}), 0) << "nobody else has one";
}

TEST(DurableChoice, IsANodeThatDoesNotAnswerWhenNobodyElseIsLeft) {
  const ReplicaSet copies(0b00110);
  EXPECT_EQ(choose_durable({copies, kOwners, ReplicaSet(0b00001), 0, 0}), 1);
  EXPECT_EQ(choose_durable({copies, kOwners, ReplicaSet(0b00001), 0, 1}), 2);
  EXPECT_EQ(choose_durable({ReplicaSet(), kOwners, kAll, 0, 0}), kNoReplica);
}

}  // namespace
}  // namespace stator

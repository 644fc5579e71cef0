#include "cli/alarms.h"

#include <gtest/gtest.h>

namespace stator::cli {
namespace {

class AlarmsTest : public testing::Test {
 protected:
  AlarmsTest() {
    cluster_.members.resize(2);
    cluster_.members[0].name = "self";
    cluster_.members[0].self = true;
    cluster_.members[1].name = "b";
    cluster_.members[1].peer_address = "10.0.0.2:1";
    for (node::MemberView& member : cluster_.members) member.healthy = true;
  }
  std::vector<std::string> look() {
    std::vector<std::string> told;
    alarms_.look(cluster_, status_, metrics_, [&](Alarms::Kind kind, const std::string& line) {
      told.push_back((kind == Alarms::Kind::kRaised ? "! " : "- ") + line);
    });
    return told;
  }
  using Lines = std::vector<std::string>;

  Alarms alarms_;
  node::ClusterView cluster_;
  node::NodeStatus status_;
  node::Metrics metrics_;
};

TEST_F(AlarmsTest, ADeadMemberIsToldOnceAndWhenItIsBack) {
  EXPECT_EQ(look(), Lines{});
  cluster_.members[1].healthy = false;
  EXPECT_EQ(look(), Lines{"! node b at 10.0.0.2:1 is down (docs/ops/node-down.md)"});
  EXPECT_EQ(look(), Lines{});
  cluster_.members[1].healthy = true;
  EXPECT_EQ(look(), Lines{"- node b is back"});
  EXPECT_EQ(look(), Lines{});
}

TEST_F(AlarmsTest, AClusterThatStartsHasAMoment) {
  cluster_.members[1].healthy = false;
  for (int i = 0; i < 5; ++i) EXPECT_EQ(look(), Lines{}) << i;
  EXPECT_EQ(look().size(), 1U);
}

TEST_F(AlarmsTest, ClockAndDiskAreToldWhenTheyBeginAndWhenTheyAreOver) {
  status_.clock_skewed = true;
  status_.no_write = true;
  const Lines raised = look();
  ASSERT_EQ(raised.size(), 2U);
  EXPECT_NE(raised[0].find("(docs/ops/clock-skew.md)"), std::string::npos);
  EXPECT_NE(raised[1].find("(docs/ops/disk-full.md)"), std::string::npos);
  EXPECT_EQ(look(), Lines{});
  status_ = {};
  EXPECT_EQ(look(), (Lines{"- over: clock-skew", "- over: disk-full"}));
}

TEST_F(AlarmsTest, EachStateOfTheDiskIsToldByItsName) {  // D29
  status_.disk = DiskState::kLow;
  EXPECT_EQ(look(), Lines{"! the disk of this node is filling up (docs/ops/disk-full.md)"});
  status_.disk = DiskState::kRefusing;
  status_.no_write = true;
  EXPECT_EQ(look(), Lines{"! this node takes no writes: its disk is full (docs/ops/disk-full.md)"});
  status_.disk = DiskState::kLow;
  status_.no_write = false;
  EXPECT_EQ(look(), Lines{"- over: disk-full"});
  status_.disk = DiskState::kFailed;
  status_.no_write = true;
  const Lines failed = look();
  ASSERT_EQ(failed.size(), 2U);
  EXPECT_EQ(failed[0], "- over: disk-low");
  EXPECT_NE(failed[1].find("restart it (docs/ops/disk-full.md)"), std::string::npos);
  status_ = {};
  EXPECT_EQ(look(), Lines{"- over: disk-failed"});
}

TEST_F(AlarmsTest, TwoProcessesUnderOneNameAreToldByBothSides) {  // D2, D3
  cluster_.members[1].fenced = true;
  EXPECT_EQ(look(), Lines{"! two processes run as b, and both are refused: end the copy, then "
                          "restart the other one (docs/ops/two-processes.md)"});
  EXPECT_EQ(look(), Lines{});
  cluster_.members[1].fenced = false;
  EXPECT_EQ(look(), Lines{"- a new process runs as b"});
  cluster_.members[1].copy_refused = true;
  EXPECT_EQ(look(), Lines{"! another process runs as b elsewhere than at its address, and is "
                          "refused: end the copy (docs/ops/two-processes.md)"});
  EXPECT_EQ(look(), Lines{});
  cluster_.members[1].copy_refused = false;
  EXPECT_EQ(look(), Lines{"- the copy of b is heard no more"});
  status_.fenced = true;
  const Lines raised = look();
  ASSERT_EQ(raised.size(), 1U);
  EXPECT_NE(raised[0].find("(docs/ops/two-processes.md)"), std::string::npos);
  status_ = {};
  EXPECT_EQ(look(), Lines{"- over: two-processes"});
}

TEST_F(AlarmsTest, CountersAreToldWhenTheyRise) {
  metrics_.records_unreadable_total = 3;
  metrics_.history_refusals_total = 1;
  EXPECT_EQ(look(), (Lines{"! stored records failed their checksum, 3 since the last look "
                           "(docs/ops/unreadable-record.md)",
                           "! peers hold another membership history, 1 since the last look "
                           "(docs/ops/history-mismatch.md)"}));
  EXPECT_EQ(look(), Lines{});
}

}  // namespace
}  // namespace stator::cli

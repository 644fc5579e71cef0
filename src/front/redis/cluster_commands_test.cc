#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "core/ring/position.h"
#include "front/redis/cluster_replies.h"
#include "front/redis/testing/door.h"

namespace stator::redis {
namespace {

using testing::bulk;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using testing::three_nodes;

std::string name(std::string_view digits) {
  return std::string(40 - digits.size(), '0') + std::string(digits);
}

class ClusterCommands : public ::testing::Test, public testing::Door {
 public:
  ClusterCommands() {
    // 16 partitions of 1024 slots: the first eight belong to n1, six to n2, two to n3.
    for (std::size_t p = 0; p < 16; ++p) {
      store.view.first_healthy[p] = p < 8 ? 0 : p < 14 ? 1 : 2;
    }
  }
  std::string ask(std::string_view line) { return client.ask(line); }
};

TEST_F(ClusterCommands, SlotsAreTheRunsOfTheFirstHealthyNodes) {
  const auto endpoint = [](std::string_view port, std::string_view id) {
    return "*3\r\n" + bulk("127.0.0.1") + ":" + std::string(port) + "\r\n" + bulk(name(id));
  };
  EXPECT_EQ(ask("CLUSTER SLOTS"), "*3\r\n*3\r\n:0\r\n:8191\r\n" + endpoint("7410", "b1") +
                                      "*3\r\n:8192\r\n:14335\r\n" + endpoint("7420", "b2") +
                                      "*3\r\n:14336\r\n:16383\r\n" + endpoint("7430", "b3"));
}

TEST_F(ClusterCommands, ANodeThatFailsLosesItsSlotsAtOnce) {
  EXPECT_THAT(ask("CLUSTER SLOTS"), HasSubstr(":7410\r\n"));
  store.view.members[0].healthy = false;
  for (auto& first : store.view.first_healthy) first = first == 0 ? 2 : first;
  ++store.view.version;
  EXPECT_THAT(ask("CLUSTER SLOTS"), Not(HasSubstr(":7410\r\n")));
  const std::string nodes = ask("CLUSTER NODES");
  EXPECT_THAT(nodes, HasSubstr(name("b1") + " 127.0.0.1:7410@17410 master,fail - 0 0 1 "
                                            "disconnected\n"));
  EXPECT_THAT(nodes, HasSubstr(name("b3") + " 127.0.0.1:7430@17430 master - 0 0 1 connected "
                                            "0-8191 14336-16383\n"));
}

TEST_F(ClusterCommands, NodesAreLinesAsClientsReadThem) {
  EXPECT_EQ(ask("CLUSTER NODES"),
            bulk(name("b1") + " 127.0.0.1:7410@17410 master - 0 0 1 connected 0-8191\n" +
                 name("b2") + " 127.0.0.1:7420@17420 myself,master - 0 0 1 connected 8192-14335\n" +
                 name("b3") + " 127.0.0.1:7430@17430 master - 0 0 1 connected 14336-16383\n"));
}

TEST_F(ClusterCommands, ShardsInBothProtocols) {
  const std::string flat = ask("CLUSTER SHARDS");
  EXPECT_THAT(flat, StartsWith("*3\r\n*4\r\n" + bulk("slots") + "*2\r\n:0\r\n:8191\r\n" +
                               bulk("nodes") + "*1\r\n*14\r\n" + bulk("id") + bulk(name("b1")) +
                               bulk("port") + ":7410\r\n"));
  client.ask("HELLO 3");
  EXPECT_THAT(ask("CLUSTER SHARDS"), StartsWith("*3\r\n%2\r\n" + bulk("slots")));
  EXPECT_THAT(ask("CLUSTER SHARDS"), HasSubstr("%7\r\n" + bulk("id")));
}

TEST_F(ClusterCommands, SlotsOfANodeWhoseAddressIsUnknownGoToThisNode) {
  store.view.members[0].redis_address = "";
  ++store.view.version;
  EXPECT_THAT(ask("CLUSTER SLOTS"),
              StartsWith("*2\r\n*3\r\n:0\r\n:14335\r\n*3\r\n" + bulk("127.0.0.1") + ":7420\r\n"));
  EXPECT_THAT(ask("CLUSTER NODES"), Not(HasSubstr(name("b1"))));
}

TEST_F(ClusterCommands, AnAddressThatIsHeardLaterShowsWithoutANewVersion) {
  store.view.members[0].redis_address = "";
  EXPECT_THAT(ask("CLUSTER SLOTS"), Not(HasSubstr(":7410\r\n")));
  store.view.members[0].redis_address = "[::1]:7410";
  EXPECT_THAT(ask("CLUSTER SLOTS"), HasSubstr(bulk("::1") + ":7410\r\n"));
}

TEST_F(ClusterCommands, ANodeThatIsNoMemberPublishesNothing) {
  store.view.member = false;
  store.view.q = 0;
  store.view.first_healthy.clear();
  store.view.members.clear();
  EXPECT_EQ(ask("CLUSTER SLOTS"), "*0\r\n");
  EXPECT_EQ(ask("CLUSTER SHARDS"), "*0\r\n");
  EXPECT_EQ(ask("CLUSTER NODES"), bulk(""));
  EXPECT_THAT(ask("CLUSTER INFO"), HasSubstr("cluster_state:fail\r\n"));
}

TEST_F(ClusterCommands, InfoSaysWhenTooFewNodesCanBeReachedForAQuorum) {
  store.view.members[0].healthy = false;
  std::string info = ask("CLUSTER INFO");
  EXPECT_THAT(info, HasSubstr("cluster_state:ok\r\n"));
  EXPECT_THAT(info, HasSubstr("cluster_slots_ok:16384\r\n"));
  EXPECT_THAT(info, HasSubstr("cluster_slots_fail:0\r\n"));
  store.view.members[2].healthy = false;
  info = ask("CLUSTER INFO");
  EXPECT_THAT(info, HasSubstr("cluster_state:fail\r\n"));
  EXPECT_THAT(info, HasSubstr("cluster_slots_assigned:16384\r\n"));
  EXPECT_THAT(info, HasSubstr("cluster_slots_ok:0\r\n"));
  EXPECT_THAT(info, HasSubstr("cluster_slots_fail:16384\r\n"));
  store.view.r = store.view.w = 1;
  EXPECT_THAT(ask("CLUSTER INFO"), HasSubstr("cluster_state:ok\r\n"));
  store.node_status.fenced = true;
  EXPECT_THAT(ask("CLUSTER INFO"), HasSubstr("cluster_state:fail\r\n"));
}

TEST_F(ClusterCommands, EverySlotIsPublishedForEverySizeOfTheRing) {
  for (std::uint32_t q = 16; q <= kMaxPartitions; q *= 2) {
    const auto runs = slot_runs(three_nodes(q));
    std::uint32_t next = 0;
    for (const SlotRun& run : runs) {
      ASSERT_EQ(run.first, next) << q;
      next = run.last + 1U;
    }
    EXPECT_EQ(next, kSlots) << q;
  }
}

TEST_F(ClusterCommands, InfoMyidKeyslotReplicas) {
  const std::string info = ask("CLUSTER INFO");
  for (const std::string_view expected :
       {"cluster_state:ok\r\n", "cluster_slots_assigned:16384\r\n", "cluster_known_nodes:3\r\n",
        "cluster_size:3\r\n"}) {
    EXPECT_THAT(info, HasSubstr(std::string(expected)));
  }
  EXPECT_EQ(ask("CLUSTER MYID"), bulk(name("b2")));
  EXPECT_EQ(ask("CLUSTER KEYSLOT foo"), ":12182\r\n");
  EXPECT_EQ(ask("CLUSTER KEYSLOT {foo}.bar"), ":12182\r\n");
  EXPECT_EQ(ask("CLUSTER REPLICAS " + name("b1")), "*0\r\n");
  EXPECT_THAT(ask("CLUSTER REPLICAS x"), StartsWith("-ERR "));
  EXPECT_THAT(ask("CLUSTER COUNTKEYSINSLOT 1"), StartsWith("-ERR "));
}

}  // namespace
}  // namespace stator::redis

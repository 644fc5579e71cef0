#include "sim/client_history.h"

#include <gtest/gtest.h>

#include <string>

#include "core/membership/history.h"
#include "core/version/context.h"
#include "front/redis/text.h"
#include "sim/checker.h"

namespace stator::sim {
namespace {

constexpr std::uint32_t kKey = 1;

/// One key, its clients and the answers that they get, at one second per event.
class ClientHistoryTest : public testing::Test {
 protected:
  static constexpr WriteId kFirst{0x1234'7000, 0x8000'0000'0000'0001};
  static constexpr WriteId kSecond{0x1234'7000, 0x8000'0000'0000'0002};
  static constexpr WriteId kPlain{0x1234'8000, 0x8000'0000'0000'0003};

  static Reply text(std::string bytes) {
    return {.type = Reply::Type::kBulk, .text = std::move(bytes), .members = {}};
  }
  static Reply list(std::vector<Reply> members) {
    return {.type = Reply::Type::kArray, .text = {}, .members = std::move(members)};
  }
  static Reply error(std::string words) {
    return {.type = Reply::Type::kError, .text = std::move(words), .members = {}};
  }
  static Dot dot(std::uint64_t counter) { return {{Incarnation{0xAB}, 1}, counter}; }
  static std::string id_text(const WriteId& id) {
    std::string out;
    redis::append_write_id(out, id);
    return out;
  }
  static std::string dot_text(std::uint64_t counter) {
    std::string out;
    redis::append_dot(out, dot(counter));
    return out;
  }
  static Reply sibling(std::string value, std::uint64_t counter, const WriteId& id) {
    return list(
        {text(std::move(value)), text(dot_text(counter)), {}, text(id_text(id)), text(""), {}});
  }
  static std::string context(std::uint64_t counter, std::vector<SeenVersion> seen) {
    Context out;
    if (counter > 0) out.clock.add(dot(counter));
    for (const SeenVersion& each : seen) out.seen.push_back(each);
    std::string bytes;
    encode_context_text(out, "default", key_name(kKey), cluster_tag("c"), bytes);
    return bytes;
  }

  Operation send(OperationKind kind, std::string value, const WriteId& id, std::string ctx = {}) {
    Operation operation;
    operation.kind = kind;
    operation.key = kKey;
    operation.value = std::move(value);
    if (id) operation.write_id = id_text(id);
    operation.context = std::move(ctx);
    operation.owners = true;
    ++seconds_;
    history_.sent(operation);
    return operation;
  }
  void answer(const Operation& operation, const Reply& reply) {
    ++seconds_;
    history_.answered(operation, reply);
  }
  void finally(std::vector<VersionSeen> versions) {
    KeyLog& key = log_.key(log_.key_index("default", key_name(kKey)));
    key.final_versions = std::move(versions);
    key.final_known = true;
  }
  std::string broken() {
    history_.name_plain_writes();
    std::string names;
    for (const Violation& each : check(log_, {.mints_known = false}).violations) {
      names += each.invariant + ";";
    }
    return names;
  }

  OperationLog log_;
  int seconds_ = 0;
  ClientHistory history_{log_, [this] { return MonoTime{seconds(seconds_).ns}; }, cluster_tag("c"),
                         2, 2};
};

TEST_F(ClientHistoryTest, DotsAreReadAsTheyAreShown) {
  EXPECT_EQ(parse_dot(dot_text(17)), dot(17));
  for (const char* bad : {"", "00ab", "00ab.1", "00ab.1:", "00ab.1:x", "00ab.1:2 "}) {
    EXPECT_EQ(parse_dot(bad), Dot{}) << bad;
  }
}

TEST_F(ClientHistoryTest, AWriteThatAReadSawAndReplacedIsKeptByWhatReplacedIt) {
  answer(send(OperationKind::kStPutBlind, "a", kFirst), text(context(1, {{dot(1), 1, kFirst}})));
  answer(send(OperationKind::kStGet, "", {}),
         list({text(context(1, {{dot(1), 1, kFirst}})), list({sibling("a", 1, kFirst)})}));
  answer(send(OperationKind::kStPut, "b", kSecond, context(1, {{dot(1), 1, kFirst}})),
         text(context(1, {{dot(2), 2, kSecond}})));
  finally({{dot(2), kSecond, hash_of_value("b", false), false}});
  EXPECT_EQ(broken(), "");
  finally({{dot(1), kFirst, hash_of_value("a", false), false}});
  EXPECT_EQ(broken(), "I1;I3;");
  finally({{dot(1), kFirst, hash_of_value("a", false), false},
           {dot(2), kSecond, hash_of_value("b", false), false}});
  EXPECT_EQ(broken(), "I3;");
}

TEST_F(ClientHistoryTest, APlainWriteIsKnownByItsValueAndMayReplaceWhatWasThereBefore) {
  answer(send(OperationKind::kStPutBlind, "a", kFirst), text(context(1, {{dot(1), 1, kFirst}})));
  answer(send(OperationKind::kSet, "p", {}),
         {.type = Reply::Type::kStatus, .text = "OK", .members = {}});
  finally({{dot(2), kPlain, hash_of_value("p", false), false}});
  EXPECT_EQ(broken(), "");
}

TEST_F(ClientHistoryTest, APlainWriteReplacesNothingThatCameAfterItsAnswer) {
  answer(send(OperationKind::kSet, "p", {}),
         {.type = Reply::Type::kStatus, .text = "OK", .members = {}});
  answer(send(OperationKind::kStPutBlind, "a", kFirst), text(context(1, {{dot(1), 1, kFirst}})));
  finally({{dot(2), kPlain, hash_of_value("p", false), false}});
  EXPECT_EQ(broken(), "I1;");
}

TEST_F(ClientHistoryTest, WhatAPlainWriteMayHaveMetIsNoProofOfAFalseSibling) {
  answer(send(OperationKind::kStPutBlind, "a", kFirst), text(context(1, {{dot(1), 1, kFirst}})));
  history_.unanswered(send(OperationKind::kStPut, "b", kSecond, context(1, {{dot(1), 1, kFirst}})));
  history_.unanswered(send(OperationKind::kSet, "p", {}));
  finally({{dot(1), kFirst, hash_of_value("a", false), false},
           {dot(2), kPlain, hash_of_value("p", false), false}});
  EXPECT_EQ(broken(), "");
}

TEST_F(ClientHistoryTest, ATombstoneIsKnownByTheContextThatHidesIt) {
  answer(send(OperationKind::kStPutBlind, "a", kFirst), text(context(1, {{dot(1), 1, kFirst}})));
  answer(send(OperationKind::kStGet, "", {}),
         list({text(context(1, {{dot(1), 1, kFirst}})), list({sibling("a", 1, kFirst)})}));
  answer(send(OperationKind::kStDel, "", kSecond, context(1, {{dot(1), 1, kFirst}})),
         text(context(1, {{dot(2), 2, kSecond}})));
  const Operation read = send(OperationKind::kStGet, "", {});
  answer(read, list({text(context(2, {{dot(2), 2, kSecond}})), list({})}));
  finally({{dot(2), kSecond, hash_of_value("", true), true}});
  EXPECT_EQ(broken(), "");
  answer(send(OperationKind::kStGet, "", {}), list({text(context(0, {})), list({})}));
  EXPECT_EQ(broken(), "I12;");
}

// PW is sent with ST. commands only: two stand-ins may have taken it.
TEST_F(ClientHistoryTest, APlainWriteAsksForNoOwners) {
  answer(send(OperationKind::kSet, "p", {}),
         {.type = Reply::Type::kStatus, .text = "OK", .members = {}});
  answer(send(OperationKind::kStGet, "", {}), list({text(context(0, {})), list({})}));
  finally({{dot(1), kPlain, hash_of_value("p", false), false}});
  EXPECT_EQ(broken(), "");
}

// P7, I12: what EVIDENCE told.
TEST_F(ClientHistoryTest, WhoAnsweredIsTakenAsTold) {
  const auto number = [](std::int64_t value) {
    return Reply{.type = Reply::Type::kInteger, .text = {}, .integer = value, .members = {}};
  };
  const auto told = [&](std::int64_t owners, std::int64_t stand_ins) {
    return list({number(owners), number(stand_ins), number(owners + stand_ins), number(1)});
  };
  const auto ask = [&](OperationKind kind, bool owners, const Reply& reply) {
    Operation operation = send(kind, kind == OperationKind::kStGet ? "" : "a",
                               kind == OperationKind::kStGet ? WriteId{} : kFirst);
    operation.owners = owners;
    operation.evidence = true;
    answer(operation, reply);
  };
  const Reply written = text(context(1, {{dot(1), 1, kFirst}}));
  const Reply nothing = text(context(0, {}));
  ask(OperationKind::kStPutBlind, false, list({written, told(2, 0)}));
  finally({{dot(1), kFirst, hash_of_value("a", false), false}});
  ask(OperationKind::kStGet, false, list({nothing, list({}), told(1, 1)}));
  EXPECT_EQ(broken(), "") << "a stand-in may know nothing";
  ask(OperationKind::kStGet, false, list({nothing, list({}), told(2, 0)}));
  EXPECT_EQ(broken(), "I12;") << "though no quorum of owners was asked for";
  ask(OperationKind::kStGet, true, list({written, list({sibling("a", 1, kFirst)}), told(1, 1)}));
  EXPECT_EQ(broken(), "P7;I12;") << "one owner where two were asked for";
}

TEST_F(ClientHistoryTest, ARefusedWriteThatIsSeenAndAValueOfNobody) {
  answer(send(OperationKind::kStPutBlind, "a", kFirst), error("NOQUORUM needed=2 got=1: no"));
  finally({{dot(1), kFirst, hash_of_value("a", false), false}});
  EXPECT_EQ(broken(), "I2;");
  finally({{dot(1), kPlain, hash_of_value("x", false), false}});
  EXPECT_EQ(broken(), "I2;");
}

TEST_F(ClientHistoryTest, AnUnknownWriteMayBeThereOrNot) {
  answer(send(OperationKind::kSet, "p", {}),
         error("UNKNOWN " + id_text(kPlain) + " needed=2 got=1"));
  const Operation unanswered = send(OperationKind::kStPutBlind, "a", kFirst);
  history_.unanswered(unanswered);
  finally({});
  EXPECT_EQ(broken(), "");
  finally({{dot(1), kFirst, hash_of_value("a", false), false},
           {dot(2), kPlain, hash_of_value("p", false), false}});
  EXPECT_EQ(broken(), "");
}

TEST_F(ClientHistoryTest, OneDotOnTwoWrites) {
  answer(send(OperationKind::kStPutBlind, "a", kFirst), text(context(1, {{dot(1), 1, kFirst}})));
  answer(send(OperationKind::kStPutBlind, "b", kSecond), text(context(1, {{dot(1), 1, kSecond}})));
  finally({{dot(1), kFirst, hash_of_value("a", false), false},
           {dot(1), kSecond, hash_of_value("b", false), false}});
  EXPECT_EQ(broken(), "I9;");
}

}  // namespace
}  // namespace stator::sim

#include "cli/next_command.h"

#include <gtest/gtest.h>

#include "front/http/errors.h"

namespace stator::cli {
namespace {

Asked asked() {
  return {.command = "put", .key = "carts 7", .node_tries = seconds(10), .node = "h:1"};
}

// Design 2.1: an error ends with the next command to type.
TEST(NextCommand, EveryCodeOfTheStoreLeadsToACommandAndNotToHttp) {
  for (int code = 0; code <= static_cast<int>(ErrorCode::kWriteIdExpired); ++code) {
    const std::string name = to_string(static_cast<ErrorCode>(code));
    for (const Asked& one : {asked(), Asked{.command = "ring", .node = "h:1"}}) {
      const std::string next = next_command(name, one);
      EXPECT_TRUE(next.starts_with("stator ") || next.starts_with("the same ")) << name << next;
      EXPECT_EQ(next.find('$'), std::string::npos) << next;
      EXPECT_EQ(next.find("  "), std::string::npos) << next;
      for (const char* http : {"Stator-", "/v1/", "?timeout_ms", "header"}) {
        EXPECT_EQ(next.find(http), std::string::npos) << next;
      }
    }
  }
}

TEST(NextCommand, AContextThatIsBadIsReadAnew) {
  EXPECT_EQ(next_command("bad_context", asked()),
            "stator get carts 7 --node h:1, whose context goes with --context");
}

TEST(NextCommand, WhatIsMalformedIsLookedUp) {
  EXPECT_EQ(next_command("bad_request", asked()), "stator put --help");
  EXPECT_EQ(next_command("bad_request", {.command = "ring", .node = "h:1"}), "stator ring --help");
}

TEST(NextCommand, ADamagedRecordIsExplained) {
  EXPECT_EQ(next_command("unreadable", asked()), "stator explain carts 7 --node h:1");
  EXPECT_EQ(next_command("unreadable", {.command = "ring", .node = "h:1"}),
            "stator status --node h:1");
}

// --w says how many must hold the write; the read before it needs the R of the bucket all the same.
TEST(NextCommand, AWriteThatCouldNotReadFirstIsOfferedWithoutReading) {
  Asked one = asked();
  one.before_write = true;
  EXPECT_EQ(next_command("too_few_nodes", one),
            "the same with --context of an earlier get, or with --blind, which reads nothing");
  one.before_write = false;
  EXPECT_EQ(next_command("too_few_nodes", one), "stator status --node h:1");
}

TEST(NextCommand, MoreTimeIsOfferedOnlyToWhomItHelps) {
  Asked one = asked();
  EXPECT_EQ(next_command("timeout", one), "the same with --timeout 30s");
  one.node_tries = seconds(30);
  EXPECT_EQ(next_command("timeout", one), "stator status --node h:1");
  one.node_tries = {};
  EXPECT_EQ(next_command("timeout", one), "stator status --node h:1");
}

// D8: repeated without its id it would be another write.
TEST(NextCommand, AWriteOfUnknownOutcomeIsLookedForBeforeItIsRepeated) {
  Asked one = asked();
  one.write_open = true;
  for (const char* code : {"timeout", "too_few_nodes", "history_mismatch"}) {
    EXPECT_EQ(next_command(code, one),
              "stator get carts 7 --node h:1, and the same again if it is not there");
  }
}

TEST(NextCommand, AWriteThatHasANameIsSentAgainUnderIt) {
  Asked one = asked();
  one.write_open = true;
  one.write_id = "01890000-0000-7000-8000-000000000000";
  EXPECT_EQ(next_command("timeout", one),
            "the same with --write-id 01890000-0000-7000-8000-000000000000, which writes once at "
            "most");
}

TEST(NextCommand, WhatALaterNodeSaysLeadsToItsStatus) {
  EXPECT_EQ(next_command("no_such_code_yet", asked()), "stator status --node h:1");
}

}  // namespace
}  // namespace stator::cli

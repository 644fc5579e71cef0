#include "sim/false_answers.h"

#include <gtest/gtest.h>

#include <cstdint>

#include "sim/workload.h"

namespace stator::sim {
namespace {

constexpr std::uint32_t kKey = 3;
constexpr std::uint64_t kValue = 7;

/// How many answers are false where the store said `outcome` of a write, and its client was told
/// that all went well (`ok`), or that it was refused.
std::size_t false_of(Outcome outcome, bool ok, std::uint64_t value = kValue) {
  OperationLog log;
  const std::uint32_t index = log.key_index("default", key_name(kKey));
  WriteCall call;
  call.value_hash = kValue;
  call.outcome = outcome;
  log.key(index).writes.push_back(call);
  ClientRecord clients;
  clients.told.push_back({.key = kKey, .value_hash = value, .ok = ok});
  return false_answers(clients, log).size();
}

TEST(FalseAnswers, AreAllThatDifferFromWhatTheStoreSaid) {  // P7
  EXPECT_EQ(false_of(Outcome::kOk, true), 0U);
  EXPECT_EQ(false_of(Outcome::kNotApplied, false), 0U);
  EXPECT_EQ(false_of(Outcome::kOk, false), 1U);
  EXPECT_EQ(false_of(Outcome::kNotApplied, true), 1U);
  EXPECT_EQ(false_of(Outcome::kUnknown, true), 1U);
  EXPECT_EQ(false_of(Outcome::kUnknown, false), 1U) << "it may have been applied";
}

TEST(FalseAnswers, SpeakOfTheWriteThatTheClientMade) {
  EXPECT_EQ(false_of(Outcome::kOk, true, kValue + 1), 1U) << "that one nobody acknowledged";
  EXPECT_EQ(false_of(Outcome::kOk, false, kValue + 1), 0U) << "it never came to a store";
}

}  // namespace
}  // namespace stator::sim

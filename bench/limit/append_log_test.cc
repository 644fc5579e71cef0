#include "limit/append_log.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace stator::limit {
namespace {

class AppendLogTest : public testing::Test {
 protected:
  void SetUp() override {
    path_ =
        (std::filesystem::temp_directory_path() / ("limit_log_test." + std::to_string(getpid())))
            .string();
  }
  void TearDown() override { std::filesystem::remove(path_); }

  std::unique_ptr<AppendLog> open(Durability durability) {
    auto log = AppendLog::open(path_, durability, counters_);
    EXPECT_TRUE(log.has_value());
    return std::move(*log);
  }
  std::string start_of_file(std::size_t size) const {
    std::ifstream file(path_, std::ios::binary);
    std::string bytes(size, '\0');
    file.read(bytes.data(), static_cast<std::streamsize>(size));
    return bytes;
  }
  // Turns of the loop until everything up to `sequence` is stable.
  static void wait_for(AppendLog& log, std::uint64_t sequence) {
    while (log.stable() < sequence) {
      log.end_turn();
      pollfd completion{log.completion_descriptor(), POLLIN, 0};
      ASSERT_EQ(poll(&completion, 1, 10'000), 1) << "no completion within 10 s";
      log.drain_completions();
    }
  }

  Counters counters_;
  std::string path_;
};

TEST_F(AppendLogTest, APageCacheGroupIsInTheFileAfterTheTurn) {
  const auto log = open(Durability::kPageCache);
  EXPECT_EQ(log->append(1, "key", "value"), 1U);
  EXPECT_EQ(log->append(2, "other", "thing"), 2U);
  EXPECT_EQ(log->stable(), 0U);
  log->end_turn();
  EXPECT_EQ(log->stable(), 2U);
  const std::string bytes = start_of_file(100);
  EXPECT_NE(bytes.find("keyvalue"), std::string::npos);
  EXPECT_NE(bytes.find("otherthing"), std::string::npos);
  EXPECT_EQ(counters_.log_calls.load(), 1U) << "one write for both";
}

TEST_F(AppendLogTest, ASyncedGroupIsStableOnlyWhenItIsInTheFile) {
  const auto log = open(Durability::kSync);
  std::uint64_t last = 0;
  for (int i = 0; i < 500; ++i) {
    last = log->append(static_cast<std::uint64_t>(i), "key" + std::to_string(i), "value");
    if (i % 10 == 0) log->end_turn();
  }
  EXPECT_EQ(last, 500U);
  wait_for(*log, last);
  EXPECT_EQ(log->stable(), 500U);
  EXPECT_FALSE(log->has_gathered());
  const std::string bytes = start_of_file(500 * 40);
  for (int i = 0; i < 500; ++i) {
    ASSERT_NE(bytes.find("key" + std::to_string(i) + "value"), std::string::npos) << i;
  }
}

TEST_F(AppendLogTest, TheSegmentIsUsedAgainFromItsStart) {
  const auto log = open(Durability::kPageCache);
  const auto full = std::filesystem::file_size(path_);
  const std::string value(std::size_t{1} << 20, 'v');
  for (std::uint64_t written = 0; written <= full; written += value.size()) {
    log->append(1, "key", value);
    log->end_turn();
  }
  EXPECT_EQ(std::filesystem::file_size(path_), full);
  EXPECT_EQ(start_of_file(4), "vvvv") << "the record that did not fit goes on at the start";
}

TEST_F(AppendLogTest, APlaceThatCannotBeWrittenIsAnErrorAndNoLog) {
  path_ = "/nonexistent-directory/log";
  const auto log = AppendLog::open(path_, Durability::kSync, counters_);
  ASSERT_FALSE(log.has_value());
  EXPECT_NE(log.error().detail.find("/nonexistent-directory/log"), std::string::npos);
}

}  // namespace
}  // namespace stator::limit

#include "cli/log.h"

#include <gtest/gtest.h>

namespace stator::cli {
namespace {

std::string told_by(const std::string& name) {
  testing::internal::CaptureStderr();
  start_log("info", name);
  log_warning("disk-low");
  start_log("off", name);
  log_warning("not this");
  return testing::internal::GetCapturedStderr();
}

TEST(Log, EveryLineHasTheNameOfTheNodeAsItIs) {
  const std::string told = told_by("n%v 1");
  EXPECT_TRUE(told.ends_with(" warning n%v 1: disk-low\n")) << told;
}

TEST(Log, ANodeThatDoesNotKnowItsNameYetLeavesNoGap) {
  const std::string told = told_by("");
  EXPECT_TRUE(told.ends_with(" warning: disk-low\n")) << told;
}

}  // namespace
}  // namespace stator::cli

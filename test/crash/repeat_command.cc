#include "repeat_command.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdlib>

namespace stator::crash {

std::string repeat_command(std::optional<std::uint64_t> seed) {
  std::string command;
  const char* size = std::getenv("STATOR_CHECK");
  if (size != nullptr) command += "STATOR_CHECK=" + std::string(size) + " ";
  if (seed) command += "STATOR_SEED=" + std::to_string(*seed) + " ";
  const ::testing::TestInfo* test = ::testing::UnitTest::GetInstance()->current_test_info();
  return command + program_invocation_name + " --gtest_filter=" + test->test_suite_name() + "." +
         test->name();
}

}  // namespace stator::crash

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "front/redis/command_table.h"
#include "front/redis/refusals.h"
#include "front/redis/text.h"

namespace stator::redis {
namespace {

std::string upper_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return out;
}

std::string read_page() {
  std::ifstream file(STATOR_REDIS_PAGE);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(RedisPage, NamesEveryCommand) {
  const std::string page = read_page();
  ASSERT_FALSE(page.empty());
  for (const CommandRow& row : command_rows()) {
    std::string name = upper_case(row.name);
    const std::size_t bar = name.find('|');
    if (bar != std::string::npos) name = name.substr(bar + 1);
    EXPECT_NE(page.find(name), std::string::npos) << row.name;
  }
}

TEST(RedisPage, NoCommandIsBothOfferedAndRefused) {
  for (const CommandRow& row : command_rows()) {
    EXPECT_EQ(find_refusal(row.name), nullptr) << row.name;
  }
}

TEST(CommandTable, EveryRowIsFoundByItsNameInAnyCaseAndHasAHandler) {
  for (const CommandRow& row : command_rows()) {
    EXPECT_EQ(find_command(upper_case(row.name)), &row);
    EXPECT_TRUE(row.handler != nullptr || row.is(kContainer)) << row.name;
    EXPECT_FALSE(row.is(kWrite) && row.is(kReadonly)) << row.name;
    EXPECT_EQ(row.first_key != 0, row.key_step != 0) << row.name;
    // A container's own row accepts no lone word unless it answers that by itself.
    EXPECT_FALSE(row.handler == nullptr && row.accepts(1)) << row.name;
    // Keys must exist in the shortest form that the arity allows.
    EXPECT_LT(row.first_key, row.arity < 0 ? -row.arity : row.arity) << row.name;
  }
}

TEST(CommandTable, SubcommandsStandBehindTheirContainer) {
  std::size_t found = 0;
  for (const CommandRow& row : command_rows()) {
    for (const CommandRow& subcommand : subcommands_of(row)) {
      EXPECT_TRUE(subcommand.name.starts_with(std::string(row.name) + "|"));
      ++found;
    }
  }
  std::size_t all = 0;
  for (const CommandRow& row : command_rows()) all += row.is_subcommand();
  EXPECT_EQ(found, all);
}

}  // namespace
}  // namespace stator::redis

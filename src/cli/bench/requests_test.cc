#include "cli/bench/requests.h"

#include <gtest/gtest.h>

#include <set>

namespace stator::bench {
namespace {

Operation operation(OpKind kind, std::uint32_t value_bytes = 0) {
  Operation out;
  out.kind = kind;
  out.key = 42;
  out.value_bytes = value_bytes;
  return out;
}

std::string text_of(Requests& requests, const Operation& of, std::string_view context = {}) {
  std::string out;
  requests.append(out, of, context);
  return out;
}

// The value of a request that ends with one.
std::string value_of(Requests& requests, const Operation& of) {
  const std::string text = text_of(requests, of);
  return text.substr(text.size() - 2 - of.value_bytes, of.value_bytes);
}

TEST(RequestsTest, OperationsAreCommands) {
  Requests requests("k:", 100, 1);
  EXPECT_EQ(text_of(requests, operation(OpKind::kGet)), "*2\r\n$3\r\nGET\r\n$4\r\nk:42\r\n");
  EXPECT_EQ(text_of(requests, operation(OpKind::kDel)), "*2\r\n$3\r\nDEL\r\n$4\r\nk:42\r\n");
  EXPECT_EQ(text_of(requests, operation(OpKind::kStGet)), "*2\r\n$6\r\nST.GET\r\n$4\r\nk:42\r\n");
  EXPECT_EQ(text_of(requests, operation(OpKind::kSlots)), "*2\r\n$7\r\nCLUSTER\r\n$5\r\nSLOTS\r\n");
  EXPECT_TRUE(text_of(requests, operation(OpKind::kSet, 10))
                  .starts_with("*3\r\n$3\r\nSET\r\n$4\r\nk:42\r\n$10\r\n"));
  EXPECT_EQ(text_of(requests, operation(OpKind::kSet, 0)),
            "*3\r\n$3\r\nSET\r\n$4\r\nk:42\r\n$0\r\n\r\n");
}

TEST(RequestsTest, AnUpdateReadsAndThenWritesWithTheContext) {
  Requests requests("k:", 100, 1);
  Operation update = operation(OpKind::kStUpdate, 1);
  EXPECT_EQ(text_of(requests, update), "*2\r\n$6\r\nST.GET\r\n$4\r\nk:42\r\n");
  update.answered = true;
  const std::string with = text_of(requests, update, "seen");
  EXPECT_TRUE(with.starts_with("*5\r\n$6\r\nST.PUT\r\n$4\r\nk:42\r\n$1\r\n")) << with;
  EXPECT_TRUE(with.ends_with("\r\n$3\r\nCTX\r\n$4\r\nseen\r\n")) << with;
  EXPECT_TRUE(text_of(requests, update).starts_with("*3\r\n$6\r\nST.PUT\r\n"));
}

TEST(RequestsTest, ValuesDiffer) {
  Requests requests("", 64, 1);
  std::set<std::string> values;
  for (int i = 0; i < 100; ++i) values.insert(value_of(requests, operation(OpKind::kSet, 64)));
  EXPECT_GT(values.size(), 95U);
}

TEST(RequestsTest, ACheckedValueNamesItsWriteAndItsRun) {
  Requests requests("", 100, 1);
  Requests other("", 100, 2);
  for (const std::uint32_t bytes : {Requests::kCheckedBytesMin, 100U}) {
    Operation write = operation(OpKind::kSet, bytes);
    write.write = 0xABCDEF;
    const std::string value = value_of(requests, write);
    EXPECT_EQ(value.size(), bytes);
    EXPECT_EQ(requests.write_of(value), 0xABCDEFU);
    EXPECT_EQ(other.write_of(value), 0U);
  }
  EXPECT_EQ(requests.write_of(value_of(requests, operation(OpKind::kSet, 100))), 0U);
  EXPECT_EQ(requests.write_of("short"), 0U);
}

}  // namespace
}  // namespace stator::bench

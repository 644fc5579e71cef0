#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "limit/buffer.h"
#include "limit/fifo.h"
#include "limit/operation_table.h"
#include "limit/peer_frame.h"
#include "limit/store.h"

namespace stator::limit {
namespace {

TEST(Buffer, KeepsItsContentsInOrderWhileItGrowsAndSlides) {
  Buffer buffer;
  std::string expected;
  for (int round = 0; round < 2000; ++round) {
    const std::string piece(static_cast<std::size_t>(round % 97),
                            static_cast<char>('a' + round % 26));
    buffer.append(piece);
    expected += piece;
    const std::size_t taken = expected.size() / 3;
    buffer.consume(taken);
    expected.erase(0, taken);
    ASSERT_EQ(buffer.view(), expected);
  }
}

TEST(Buffer, UsesItsMemoryAgainOnceAllIsConsumed) {
  Buffer buffer;
  const char* first = buffer.write_area(100);
  buffer.wrote(100);
  buffer.consume(100);
  EXPECT_EQ(buffer.write_area(100), first);
}

TEST(Fifo, ReturnsWhatWasPushedInOrderAcrossCompaction) {
  Fifo<int> fifo;
  int pushed = 0;
  int popped = 0;
  for (int round = 0; round < 3000; ++round) {
    fifo.push(pushed++);
    fifo.push(pushed++);
    ASSERT_EQ(fifo.front(), popped++);
    fifo.pop();
  }
  for (; !fifo.empty(); fifo.pop()) ASSERT_EQ(fifo.front(), popped++);
  EXPECT_EQ(popped, pushed);
}

TEST(OperationTable, ALateAnswerDoesNotFindTheNextUserOfItsSlot) {
  OperationTable table;
  const OperationId first = table.add({});
  table.remove(first);
  Operation get;
  get.is_get = true;
  const OperationId second = table.add(get);
  EXPECT_EQ(second.slot, first.slot);
  EXPECT_EQ(table.find(first), nullptr);
  ASSERT_NE(table.find(second), nullptr);
  EXPECT_TRUE(table.find(second)->is_get);
  EXPECT_EQ(table.find({99, 0}), nullptr);
  EXPECT_EQ(table.in_flight(), 1U);
}

TEST(Store, KeepsRecordsInPlaceWhileTheTableGrows) {
  Store store;
  std::vector<Record*> records;
  for (int i = 0; i < 100'000; ++i) records.push_back(&store.at("key:" + std::to_string(i)));
  for (int i = 0; i < 100'000; ++i) {
    ASSERT_EQ(&store.at("key:" + std::to_string(i)), records[static_cast<std::size_t>(i)]);
  }
  EXPECT_EQ(store.size(), 100'000U);
}

TEST(Store, TheNewestVersionWinsInWhateverOrderTheyCome) {
  Store store;
  Record& record = store.at("k");
  const std::uint64_t older = next_version(0, 2);
  const std::uint64_t newer = next_version(older, 0);
  ASSERT_GT(newer, older);
  Store::merge(record, newer, "new");
  Store::merge(record, older, "old");
  EXPECT_EQ(record.value, "new");
  EXPECT_EQ(record.version, newer);
}

TEST(Versions, TwoNodesNeverMintTheSame) {
  EXPECT_NE(next_version(40, 1), next_version(40, 2));
  EXPECT_GT(next_version(next_version(40, 2), 0), next_version(40, 2));
}

TEST(PeerFrame, ComesBackAsItWasAndOnlyWhenItIsWhole) {
  Buffer bytes;
  FrameHeader header;
  header.type = FrameType::kPut;
  header.slot = 7;
  header.generation = 8;
  header.version = 9;
  append_frame(bytes, header, "key", "value");
  append_frame(bytes, FrameHeader{});
  const std::string_view all = bytes.view();
  Frame frame;
  for (std::size_t size = 0; size < 32 + 8; ++size) {
    ASSERT_FALSE(parse_frame(all.substr(0, size), frame)) << size;
  }
  ASSERT_TRUE(parse_frame(all, frame));
  EXPECT_EQ(frame.header.type, FrameType::kPut);
  EXPECT_EQ(frame.header.slot, 7U);
  EXPECT_EQ(frame.header.generation, 8U);
  EXPECT_EQ(frame.header.version, 9U);
  EXPECT_EQ(frame.key, "key");
  EXPECT_EQ(frame.value, "value");
  EXPECT_EQ(frame.header.frame_size(), 40U);
}

}  // namespace
}  // namespace stator::limit

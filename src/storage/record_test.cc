#include "storage/record.h"

#include <gtest/gtest.h>

#include <memory>

#include "base/bytes.h"
#include "storage/testing/sealed_record.h"

namespace stator::storage {
namespace {

constexpr PartitionId kPlace{7};
const RecordHeader kHeader{Incarnation{0x1122334455667788ULL}, 42};

std::string sealed(std::string_view payload) {
  return testing::sealed_record(kPlace, "cart", kHeader, payload);
}

ErrorCode code_of_opening(PartitionId partition, std::string_view key, std::string_view bytes) {
  // A heap copy of exactly this size, so that a sanitizer sees one byte too many.
  const auto copy = std::make_unique<char[]>(bytes.size());
  std::copy(bytes.begin(), bytes.end(), copy.get());
  RecordHeader header;
  std::string_view payload;
  const auto opened =
      open_record(partition, key, std::string_view(copy.get(), bytes.size()), header, payload);
  return opened ? ErrorCode::kIo : opened.error().code;
}

TEST(Record, GivesBackWhatWasSealed) {
  for (const std::string& payload :
       {std::string(), std::string("x"), std::string("a\0b", 3), std::string(1 << 20, 'v')}) {
    const std::string bytes = sealed(payload);
    EXPECT_EQ(bytes.size(), kRecordOverhead + payload.size());
    RecordHeader header;
    std::string_view read;
    ASSERT_TRUE(open_record(kPlace, "cart", bytes, header, read));
    EXPECT_EQ(header, kHeader);
    EXPECT_EQ(read, payload);
  }
}

TEST(Record, TwoStepsMakeTheSameBytesBehindWhatIsThere) {
  std::string out = "before";
  const std::size_t offset = begin_record(out);
  out += "payload";
  finish_record(out, offset, kPlace, "cart", kHeader);
  EXPECT_EQ(out, "before" + sealed("payload"));
}

TEST(Record, IsUnreadableInAnyOtherPlace) {
  const std::string bytes = sealed("payload");
  EXPECT_EQ(code_of_opening(PartitionId{8}, "cart", bytes), ErrorCode::kUnreadable);
  EXPECT_EQ(code_of_opening(kPlace, "care", bytes), ErrorCode::kUnreadable);
  EXPECT_EQ(code_of_opening(kPlace, "", bytes), ErrorCode::kUnreadable);
}

TEST(Record, EveryFlippedBitIsFound) {
  const std::string bytes = sealed("some payload");
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string rotten = bytes;
    rotten[bit / 8] = static_cast<char>(rotten[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_EQ(code_of_opening(kPlace, "cart", rotten), ErrorCode::kUnreadable) << bit;
  }
}

TEST(Record, EveryCutAndEveryAdditionIsFound) {
  const std::string bytes = sealed("some payload");
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(code_of_opening(kPlace, "cart", bytes.substr(0, size)), ErrorCode::kUnreadable);
  }
  EXPECT_EQ(code_of_opening(kPlace, "cart", bytes + '\0'), ErrorCode::kUnreadable);
}

TEST(Record, LooksOnDiskAsTheFormatPageSays) {
  const std::string out = testing::sealed_record(PartitionId{5},
                                                 "\x07"
                                                 "defaultk",
                                                 RecordHeader{Incarnation{1}, 2}, "v");
  static constexpr char kHex[] = "0123456789abcdef";
  std::string hex;
  for (const char c : out) {
    hex.push_back(kHex[static_cast<unsigned char>(c) >> 4]);
    hex.push_back(kHex[static_cast<unsigned char>(c) & 15]);
  }
  EXPECT_EQ(hex,
            "01"
            "b772d01d48d161d7"
            "0100000000000000"
            "0200000000000000"
            "76");
}

TEST(StorageKey, SplitsIntoWhatItWasMadeOf) {
  for (const std::string& bucket : {std::string(), std::string("default"), std::string(255, 'b')}) {
    std::string bytes;
    append_storage_key(bucket, std::string_view("k\0ey", 4), bytes);
    const auto parsed = parse_storage_key(bytes);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->bucket, bucket);
    EXPECT_EQ(parsed->key, std::string_view("k\0ey", 4));
  }
}

TEST(StorageKey, IsUnreadableWhenTheBucketIsCut) {
  EXPECT_FALSE(parse_storage_key(""));
  EXPECT_FALSE(
      parse_storage_key(std::string_view("\x03"
                                         "ab",
                                         3)));
}

}  // namespace
}  // namespace stator::storage

#include "core/ring/position.h"

#include <gtest/gtest.h>

#include <string>

#include "base/hash.h"
#include "base/random.h"

namespace stator {
namespace {

/// CRC-16/XMODEM bit by bit, from its definition.
std::uint16_t crc16_by_bits(std::string_view bytes) {
  std::uint32_t crc = 0;
  for (const char c : bytes) {
    crc ^= static_cast<std::uint32_t>(static_cast<std::uint8_t>(c)) << 8;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 0x8000U) != 0 ? (crc << 1) ^ 0x1021U : crc << 1;
    crc &= 0xFFFFU;
  }
  return static_cast<std::uint16_t>(crc);
}

std::string random_bytes(SplitMix64& random, std::size_t size) {
  std::string bytes(size, '\0');
  for (char& c : bytes) c = static_cast<char>(random.next());
  return bytes;
}

TEST(Crc16, HasTheCheckValueOfItsDefinition) {
  EXPECT_EQ(crc16("123456789"), 0x31C3);
  EXPECT_EQ(crc16(""), 0);
  EXPECT_EQ(crc16(std::string_view("\0\0\0", 3)), 0);
}

TEST(Crc16, AgreesWithTheBitwiseDefinitionAtEveryLength) {
  SplitMix64 random(1);
  for (std::size_t size = 0; size < 200; ++size) {
    for (int i = 0; i < 5; ++i) {
      const std::string bytes = random_bytes(random, size);
      ASSERT_EQ(crc16(bytes), crc16_by_bits(bytes)) << "length " << size;
    }
  }
}

TEST(SlotOfKey, IsRedisClustersSlot) {
  EXPECT_EQ(slot_of_key("123456789"), 12739);  // 0x31C3
  EXPECT_EQ(slot_of_key("foo"), 12182);
  EXPECT_EQ(slot_of_key("bar"), 5061);
  EXPECT_EQ(slot_of_key(""), 0);
}

TEST(SlotOfKey, TakesTheHashTagBetweenTheFirstBraceAndTheNextClosingOne) {
  EXPECT_EQ(slot_of_key("{user1000}.following"), slot_of_key("{user1000}.followers"));
  EXPECT_EQ(slot_of_key("{user1000}.following"), crc16_by_bits("user1000") % 16384);
  EXPECT_EQ(slot_of_key("foo{{bar}}zap"), crc16_by_bits("{bar") % 16384);
  EXPECT_EQ(slot_of_key("foo{bar}{zap}"), crc16_by_bits("bar") % 16384);
  EXPECT_EQ(slot_of_key("}a{tag}"), crc16_by_bits("tag") % 16384);
}

TEST(SlotOfKey, TakesTheWholeKeyWithoutATagThatHasContent) {
  for (const char* key : {"foo{}{bar}", "{}", "{", "}", "a{b", "a}b", "{}x{y}"}) {
    EXPECT_EQ(slot_of_key(key), crc16_by_bits(key) % 16384) << key;
  }
}

TEST(PositionOf, HasTheSlotInItsTop14Bits) {
  SplitMix64 random(2);
  for (int i = 0; i < 2000; ++i) {
    std::string key = random_bytes(random, random.below(40));
    if (random.chance(0.3)) key = "{" + key + "}" + random_bytes(random, 5);
    ASSERT_EQ(slot_of(position_of(kDefaultBucket, key)), slot_of_key(key));
    ASSERT_EQ(slot_of(position_of("carts", key)), crc16_by_bits(key) % 16384)
        << "no hash tags outside the bucket default";
  }
}

TEST(PositionOf, LiesInThePartitionThatOwnsItsSlotForEveryPartitionCount) {
  SplitMix64 random(3);
  for (std::uint32_t q = kMinPartitions; q <= kMaxPartitions; q *= 2) {
    ASSERT_TRUE(valid_partition_count(q));
    for (int i = 0; i < 500; ++i) {
      const std::string key = random_bytes(random, 1 + random.below(30));
      const Position position = position_of(kDefaultBucket, key);
      const PartitionId partition = partition_of(position, q);
      ASSERT_LT(partition.value, q);
      const SlotRange range = slots_of(partition, q);
      ASSERT_LE(range.first, slot_of_key(key));
      ASSERT_GE(range.last, slot_of_key(key));
    }
  }
}

TEST(PositionOf, HasPartitionsThatTileAllSlots) {
  for (std::uint32_t q = kMinPartitions; q <= kMaxPartitions; q *= 2) {
    std::uint32_t next = 0;
    for (std::uint32_t p = 0; p < q; ++p) {
      const SlotRange range = slots_of({p}, q);
      ASSERT_EQ(range.first, next);
      next = range.last + 1U;
    }
    ASSERT_EQ(next, kSlots);
  }
}

TEST(PositionOf, TellsBucketAndKeyApart) {
  // The same bytes, cut differently; equal slots, so that only the low bits can differ.
  EXPECT_NE(position_of("ab", "c").low, position_of("a", "bc").low);
  EXPECT_NE(position_of("", "abc").low, position_of("abc", "").low);
  EXPECT_NE(position_of("a", "key"), position_of("b", "key"));
  EXPECT_EQ(slot_of(position_of("a", "key")), slot_of(position_of("b", "key")));
}

TEST(PositionOf, AcceptsEveryLengthIncludingOverlongKeys) {
  SplitMix64 random(4);
  const std::string bucket(255, 'b');
  for (const std::size_t size : {0U, 1U, 4095U, 4096U, 4097U, 100'000U}) {
    const std::string key = random_bytes(random, size);
    std::string framed(1, static_cast<char>(bucket.size()));
    framed += bucket + key;
    const Hash128 hash = hash128(framed);
    const Position position = position_of(bucket, key);
    EXPECT_EQ(position.low, hash.low) << size;
    EXPECT_EQ(position.high << kSlotBits, hash.high << kSlotBits) << size;
  }
}

// Positions are on disks and in frames: these bytes may never change.
TEST(PositionOf, NeverChanges) {
  EXPECT_EQ(position_of(kDefaultBucket, "foo"),
            (Position{0xBE58AD392643CEACULL, 0x800EB6475435400EULL}));
  EXPECT_EQ(position_of(kDefaultBucket, "{user1000}.following"),
            (Position{0x35CC746980D5944EULL, 0xE74BA3133B08DD92ULL}));
  EXPECT_EQ(position_of("carts", "{user1000}.following"),
            (Position{0xBEEBC35BB6642ECCULL, 0x8E5CD9CCB03E19B9ULL}));
  EXPECT_EQ(position_of("", ""), (Position{0x00015E9392000F6AULL, 0xC44BDFF4074EECDBULL}));
}

TEST(PartitionCount, IsAPowerOfTwoFrom16To16384) {
  for (const std::uint32_t bad : {0U, 1U, 8U, 15U, 17U, 1000U, 32768U}) {
    EXPECT_FALSE(valid_partition_count(bad)) << bad;
  }
}

}  // namespace
}  // namespace stator

#include "core/version/object_codec.h"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>

#include "base/bytes.h"
#include "core/version/test_support.h"

namespace stator {
namespace {

using namespace testing;

// The example of docs/format/object.md. Bytes that were written once must be read for ever.
constexpr const char* kGolden =
    "01"
    "02010201"  // counts
    "01000000000000000100000000000000"
    "0500000000000000"  // clock
    "02000000000000000200000000000000"
    "0900000000000000"
    "03000000000000000100000000000000"
    "0400000000000000"  // cloud
    "00"
    "02"
    "0500000000000000"
    "0300000000000000"  // version 1, restamped
    "0080d3862a990187"
    "0100000000000080"
    "00000a0000000000"
    "02"
    "01"
    "0c"
    "0900000000000000"  // version 2, with type and expiry
    "0070d3862a990187"
    "0200000000000080"
    "00000b0000000000"
    "00d0ed902e040000"
    "0a"
    "03"
    "0170d3862a990187"
    "0300000000000080"  // guard
    "6869"
    "746578742f706c61696e"
    "796f75";

std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

std::string encoded(const Object& object) {
  std::string bytes;
  encode_object(object, bytes);
  return bytes;
}

Object rich_object() {
  Object object;
  for (std::uint64_t i = 1; i <= 3; ++i) {
    put(object, write(retryable_id(i), "value"), {}, dot(i, i), kNow);
  }
  put(object, write(once_id(7), "next"), context_of(object), dot(1, 9), kNow);
  put(object,
      {.id = once_id(8),
       .time = {5},
       .expires_at = kNow,
       .content_type = "text/html",
       .value = "x"},
      {}, dot(2, 12), kNow);
  put(object, {.id = once_id(9), .time = {6}, .tombstone = true}, {}, dot(3, 8), kNow);
  Context beyond;
  beyond.seen.push_back({dot(5, 5), 4, retryable_id(77)});
  put(object, write(once_id(10), "last"), beyond, dot(1, 11), kNow);
  return object;
}

TEST(ObjectCodec, ReturnsWhatItWasGiven) {
  const Object object = rich_object();
  const std::string bytes = encoded(object);
  Object back;
  ASSERT_TRUE(decode_object(bytes, back));
  EXPECT_EQ(encoded(back), bytes);
  EXPECT_EQ(digest(back), digest(object));
  EXPECT_EQ(values(back), values(object));
  EXPECT_EQ(back.guards, object.guards);
  const Version* typed = back.find(once_id(8));
  ASSERT_NE(typed, nullptr);
  EXPECT_EQ(typed->content_type, "text/html");
  EXPECT_EQ(typed->expires_at, kNow);
  EXPECT_EQ(typed->time.value, 5u);
  EXPECT_TRUE(back.find(once_id(9))->tombstone);
}

TEST(ObjectCodec, AnEmptyObjectHasBytesToo) {
  Object back = rich_object();
  ASSERT_TRUE(decode_object(encoded({}), back));
  EXPECT_TRUE(back.empty());
  EXPECT_TRUE(back.guards.empty());
}

TEST(ObjectCodec, ReadsTheBytesOfItsFormatPage) {
  const std::string bytes = from_hex(kGolden);
  Object object;
  ASSERT_TRUE(decode_object(bytes, object));
  EXPECT_EQ(object.clock.counter_of({{1}, 1}), 5u);
  EXPECT_EQ(object.clock.counter_of({{2}, 2}), 9u);
  ASSERT_EQ(object.cloud.size(), 1u);
  EXPECT_EQ(object.cloud[0], (Dot{{{3}, 1}, 4}));
  ASSERT_EQ(object.versions.size(), 2u);
  EXPECT_EQ(object.versions[0].value, "hi");
  EXPECT_EQ(object.versions[0].dot, (Dot{{{1}, 1}, 5}));
  EXPECT_EQ(object.versions[0].first_counter, 3u);
  EXPECT_EQ(object.versions[1].value, "you");
  EXPECT_EQ(object.versions[1].content_type, "text/plain");
  EXPECT_EQ(object.versions[1].time.value, 0xB0000u);
  EXPECT_EQ(object.guards.size(), 1u);
  EXPECT_EQ(encoded(object), bytes);
}

TEST(ObjectCodec, SkipsBytesOfALaterMinorVersion) {
  std::string bytes = encoded(rich_object());
  const std::string plain = bytes;
  append_u64(bytes, 0);  // no guard was forgotten
  bytes += "something new";
  Object back;
  ASSERT_TRUE(decode_object(bytes, back));
  EXPECT_EQ(encoded(back), plain);
}

TEST(ObjectCodec, TellsUntilWhenGuardsWereForgottenIfAnyWere) {
  Object object = rich_object();
  const std::string without = encoded(object);
  object.forgotten_until_ms = 0x0123456789ABULL;
  const std::string bytes = encoded(object);
  EXPECT_EQ(bytes, without + from_hex("ab89674523010000"));
  Object back;
  ASSERT_TRUE(decode_object(bytes, back));
  EXPECT_EQ(back.forgotten_until_ms, object.forgotten_until_ms);
  EXPECT_EQ(encoded(back), bytes);
  ASSERT_TRUE(decode_object(without, back));
  EXPECT_EQ(back.forgotten_until_ms, 0U) << "objects of builds that did not know it";
  for (std::size_t cut = 1; cut < 8; ++cut) {
    EXPECT_FALSE(decode_object(std::string_view(bytes).substr(0, bytes.size() - cut), back));
  }
}

TEST(ObjectCodec, RefusesALaterFormatByName) {
  std::string bytes = encoded(rich_object());
  bytes[0] = 2;
  Object back;
  const auto result = decode_object(bytes, back);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kNotSupported);
  EXPECT_NE(result.error().detail.find("format 2"), std::string::npos);
}

// Each prefix in a heap block of exactly its size, so that a sanitizer sees one byte too many.
TEST(ObjectCodec, RefusesEveryPrefix) {
  const std::string bytes = encoded(rich_object());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto exact = std::make_unique<char[]>(size);
    std::memcpy(exact.get(), bytes.data(), size);
    Object back;
    const auto result = decode_object({exact.get(), size}, back);
    ASSERT_FALSE(result) << size;
    EXPECT_EQ(result.error().code, ErrorCode::kCorrupt);
    EXPECT_TRUE(back.empty());
  }
}

TEST(ObjectCodec, RefusesWhatContradictsItself) {
  const Object good = rich_object();
  const auto refused = [&](auto spoil) {
    Object bad = good;
    spoil(bad);
    Object back;
    const auto result = decode_object(encoded(bad), back);
    return !result && result.error().code == ErrorCode::kCorrupt;
  };
  EXPECT_FALSE(refused([](Object&) {}));
  EXPECT_TRUE(refused([](Object& o) { std::swap(o.versions[0], o.versions[1]); })) << "unsorted";
  EXPECT_TRUE(refused([](Object& o) { o.versions[0].dot.counter = 99; })) << "beyond the clock";
  EXPECT_TRUE(refused([](Object& o) { o.versions[0].first_counter = 0; }));
  EXPECT_TRUE(refused([](Object& o) { o.versions[0].first_counter = 12; })) << "not the first";
  EXPECT_TRUE(refused([](Object& o) { o.versions[1].write_id = o.versions[0].write_id; }));
  EXPECT_TRUE(refused([](Object& o) { o.versions[0].write_id = o.guards[0]; }));
  EXPECT_TRUE(refused([](Object& o) { o.cloud[0] = dot(1, 1); })) << "the clock covers it";
  EXPECT_TRUE(refused([](Object& o) { std::swap(o.guards[0], o.guards[1]); }));
  EXPECT_TRUE(refused([](Object& o) { o.guards[0] = once_id(1); })) << "needs no guard";
  EXPECT_TRUE(refused([](Object& o) {
    o.find(once_id(9)) == nullptr ? void() : void();
    const_cast<Version*>(o.find(once_id(9)))->value = "body";
  })) << "a tombstone with a value";
}

TEST(ObjectCodec, HugeCountsCostNothing) {
  std::string bytes = "\x01";
  append_varint(bytes, ~std::uint64_t{0});
  append_varint(bytes, ~std::uint64_t{0} / 24);
  append_varint(bytes, 1ULL << 40);
  append_varint(bytes, 1ULL << 40);
  bytes.resize(200, '\x01');
  Object back;
  EXPECT_FALSE(decode_object(bytes, back));
}

}  // namespace
}  // namespace stator

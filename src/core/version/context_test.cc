#include "core/version/context.h"

#include <gtest/gtest.h>

#include <random>

#include "base/bytes.h"
#include "base/hash.h"
#include "core/version/test_support.h"

namespace stator {
namespace {

using namespace testing;

constexpr std::uint64_t kSecret = 0x5EC2E7;

std::string encoded(const Context& context) {
  std::string bytes;
  encode_context(context, "bucket", "key", kSecret, bytes);
  return bytes;
}

Context rich_context() {
  Object object;
  put(object, write(retryable_id(1)), {}, dot(1, 4), kNow);
  put(object, write(once_id(2)), {}, dot(2, 9), kNow);
  Context beyond;
  beyond.seen.push_back({dot(7, 6), 6, {}});
  put(object, write(once_id(3)), beyond, dot(1, 5), kNow);
  Context context;
  make_context(object, {77}, context);
  Version own{.dot = dot(3, 8), .first_counter = 6, .write_id = once_id(4), .time = {~0ULL >> 1}};
  extend_context(context, own);
  return context;
}

void expect_equal(const Context& a, const Context& b) {
  EXPECT_EQ(a.clock, b.clock);
  EXPECT_EQ(a.time, b.time);
  EXPECT_EQ(a.fastest, b.fastest);
  ASSERT_EQ(a.seen.size(), b.seen.size());
  for (std::size_t i = 0; i < a.seen.size(); ++i) {
    EXPECT_EQ(a.seen[i].dot, b.seen[i].dot);
    EXPECT_EQ(a.seen[i].first_counter, b.seen[i].first_counter);
    EXPECT_EQ(a.seen[i].write_id, b.seen[i].write_id);
  }
}

TEST(Context, OfAReadCoversAllThatWasRead) {
  Object object;
  put(object, write(retryable_id(1)), {}, dot(1, 1), kNow);
  put(object, {.id = once_id(2), .time = {50}, .tombstone = true}, {}, dot(2, 1), kNow);
  Context context;
  make_context(object, {9}, context);
  for (const Version& version : object.versions) EXPECT_TRUE(context.covers(version));
  EXPECT_EQ(context.fastest, NodeId{9});
  EXPECT_EQ(context.time, object.latest()->time);
  EXPECT_FALSE(context.covers(Version{.dot = dot(1, 2), .first_counter = 2}));
}

TEST(Context, KnowsARetriedWriteByItsId) {
  Object object;
  put(object, write(retryable_id(1)), {}, dot(1, 1), kNow);
  const Context context = context_of(object);
  EXPECT_TRUE(
      context.covers(Version{.dot = dot(5, 1), .first_counter = 1, .write_id = retryable_id(1)}));
  EXPECT_FALSE(context.covers(Version{.dot = dot(5, 1), .first_counter = 1, .write_id = {}}));
}

TEST(Context, OfPlainWritesIsTheirClockAlone) {
  Object object;
  put_over_all(object, write(once_id(1)), dot(1, 1), kNow);
  EXPECT_TRUE(context_of(object).seen.empty());
}

TEST(Context, AfterAPutHoldsTheOwnWriteAndNotWhatOthersWrote) {
  Object object;
  put(object, write(once_id(1), "other"), {}, dot(1, 1), kNow);
  Context own;
  put(object, write(once_id(2), "mine"), own, dot(1, 2), kNow);
  extend_context(own, *object.find(once_id(2)));
  EXPECT_FALSE(own.covers(*object.find(once_id(1))));
  EXPECT_TRUE(own.covers(*object.find(once_id(2))));
}

TEST(Context, OfAChainOfOwnWritesStaysSmall) {
  Object object;
  Context own;
  for (std::uint64_t i = 1; i <= 100; ++i) {
    put(object, write(retryable_id(i)), own, dot(1 + i % 3, i), kNow);
    extend_context(own, *object.find(retryable_id(i)));
    ASSERT_EQ(object.versions.size(), 1u);
  }
  EXPECT_EQ(own.seen.size(), 3u) << "one per coordinator";
}

TEST(ContextCodec, ReturnsWhatItWasGiven) {
  for (const Context& context : {Context{}, rich_context()}) {
    Context back = rich_context();
    ASSERT_TRUE(decode_context(encoded(context), "bucket", "key", kSecret, back));
    expect_equal(context, back);
    std::string text;
    encode_context_text(context, "bucket", "key", kSecret, text);
    ASSERT_TRUE(decode_context_text(text, "bucket", "key", kSecret, back));
    expect_equal(context, back);
  }
}

// The example of docs/format/context.md.
TEST(ContextCodec, ReadsTheTextOfItsFormatPage) {
  const char* text =
      "AQIREQAAAAAAAAMFIiIAAAAAAACsAqwCAgUFAXDdzLuqmQECAAAAAAAAgAMzMwAAAAAAAAgJCAGA3cy7qpkBAwAAAAAA"
      "AIAAAACIiXJRZgI-F-Un4029DA";
  Context context;
  ASSERT_TRUE(decode_context_text(text, "default", "cart:42", 7, context));
  EXPECT_EQ(context.clock.entries().size(), 2u);
  EXPECT_EQ(context.clock.counter_of(Actor{{0x1111}, 3}), 5u);
  EXPECT_EQ(context.clock.counter_of(Actor{{0x2222}, 300}), 300u);
  ASSERT_EQ(context.seen.size(), 2u);
  EXPECT_EQ(context.seen[0].write_id, (WriteId{0x0199AABBCCDD7001, 0x8000000000000002}));
  EXPECT_EQ(context.seen[1].dot, (Dot{{{0x3333}, 8}, 9}));
  EXPECT_EQ(context.seen[1].first_counter, 8u);
  EXPECT_EQ(context.time, Hlc::from_wall(kNow));
  EXPECT_EQ(context.fastest, NodeId{2});
  std::string again;
  encode_context_text(context, "default", "cart:42", 7, again);
  EXPECT_EQ(again, text);
}

TEST(ContextCodec, RefusesAnotherKeyBucketOrCluster) {
  const std::string bytes = encoded(rich_context());
  Context back;
  const auto code = [&](std::string_view bucket, std::string_view key, std::uint64_t secret) {
    const auto result = decode_context(bytes, bucket, key, secret, back);
    return result ? ErrorCode::kIo : result.error().code;
  };
  EXPECT_EQ(code("bucket", "key2", kSecret), ErrorCode::kBadContext);
  EXPECT_EQ(code("bucke", "tkey", kSecret), ErrorCode::kBadContext);
  EXPECT_EQ(code("", "bucketkey", kSecret), ErrorCode::kBadContext);
  EXPECT_EQ(code("bucket", "key", kSecret + 1), ErrorCode::kBadContext);
  EXPECT_TRUE(back.empty());
}

TEST(ContextCodec, RefusesACutOne) {
  const std::string bytes = encoded(rich_context());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const std::string cut = bytes.substr(0, size);
    Context back;
    const auto result = decode_context(cut, "bucket", "key", kSecret, back);
    ASSERT_FALSE(result) << size;
    EXPECT_EQ(result.error().code, ErrorCode::kBadContext);
  }
}

TEST(ContextCodec, RefusesEveryFlippedBit) {
  const std::string bytes = encoded(rich_context());
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string flipped = bytes;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    Context back;
    ASSERT_FALSE(decode_context(flipped, "bucket", "key", kSecret, back)) << bit;
  }
}

TEST(ContextCodec, RefusesRandomOnes) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 10'000; ++round) {
    std::string bytes(random() % 200, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    Context back;
    ASSERT_FALSE(decode_context(bytes, "bucket", "key", kSecret, back));
    ASSERT_FALSE(decode_context_text(bytes, "bucket", "key", kSecret, back));
  }
}

TEST(ContextCodec, RefusesALaterFormatAndAnOversizedOne) {
  Context back;
  std::string later = encoded(rich_context());
  later.resize(later.size() - 8);
  later[0] = 2;
  append_u64(later, hash64("key", hash64("bucket", hash64(later, kSecret))));
  EXPECT_EQ(decode_context(later, "bucket", "key", kSecret, back).error().code,
            ErrorCode::kNotSupported);
  const std::string huge(kContextBytesMax + 1, 'A');
  EXPECT_EQ(decode_context(huge, "b", "k", 1, back).error().code, ErrorCode::kTooLarge);
  const std::string text(kContextBytesMax * 2, 'A');
  EXPECT_EQ(decode_context_text(text, "b", "k", 1, back).error().code, ErrorCode::kTooLarge);
  EXPECT_EQ(decode_context_text("", "b", "k", 1, back).error().code, ErrorCode::kBadContext);
}

}  // namespace
}  // namespace stator

#include "wire/frame.h"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>

#include "base/bytes.h"
#include "wire/samples.h"

namespace stator::wire {
namespace {

using samples::frame_of;

/// Decodes from a block of exactly the size given, so that one byte too many is seen.
bool accepted(std::string_view bytes) {
  const auto exact = std::make_unique<char[]>(bytes.size());
  std::memcpy(exact.get(), bytes.data(), bytes.size());
  return decode_frame({exact.get(), bytes.size()}).has_value();
}

TEST(Frame, HeaderComesBackAsItWasSent) {
  std::string bytes = "earlier frame";
  ASSERT_TRUE(encode_frame(samples::header(), HistoryFetch{.have = {5}}, bytes));
  const std::string_view frame_bytes = std::string_view(bytes).substr(13);
  EXPECT_EQ(frame_size(frame_bytes), frame_bytes.size());
  const auto frame = decode_frame(frame_bytes);
  ASSERT_TRUE(frame);
  FrameHeader expected = samples::header();
  expected.type = MessageType::kHistoryFetch;
  EXPECT_EQ(frame->header, expected);
  EXPECT_EQ(frame->body.size(), frame_bytes.size() - kHeaderBytes);
}

TEST(Frame, SizeIsKnownFromThePrefixAloneAndNotBefore) {
  const std::string bytes = frame_of(samples::sample(std::type_identity<ReplicaPut>{}));
  for (std::size_t n = 0; n < kPrefixBytes; ++n) {
    EXPECT_EQ(frame_size(std::string_view(bytes).substr(0, n)), std::size_t{0});
  }
  EXPECT_EQ(frame_size(std::string_view(bytes).substr(0, kPrefixBytes)), bytes.size());
}

TEST(Frame, EveryCutIsRefused) {
  samples::for_each([](const auto& message) {
    const std::string bytes = frame_of(message);
    for (std::size_t n = 0; n < bytes.size(); ++n) {
      EXPECT_FALSE(accepted(std::string_view(bytes).substr(0, n))) << n;
    }
    EXPECT_FALSE(accepted(bytes + '\0'));
    EXPECT_TRUE(accepted(bytes));
  });
}

TEST(Frame, EveryFlippedBitIsRefused) {
  samples::for_each([](const auto& message) {
    std::string bytes = frame_of(message);
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      const auto flip = [&] {
        bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
      };
      flip();
      EXPECT_FALSE(accepted(bytes)) << "bit " << bit;
      flip();
    }
    EXPECT_TRUE(accepted(bytes));
  });
}

TEST(Frame, BoastedLengthsAreRefusedFromThePrefix) {
  std::string bytes = frame_of(HistoryFetch{});
  const auto with_length = [&](std::uint32_t length) {
    overwrite_integer(bytes, 12, length);
    return frame_size(bytes);
  };
  EXPECT_EQ(with_length(kBodyBytesMax), kHeaderBytes + kBodyBytesMax);
  EXPECT_EQ(with_length(kBodyBytesMax + 1).error().code, ErrorCode::kTooLarge);
  EXPECT_EQ(with_length(0xFFFFFFFF).error().code, ErrorCode::kTooLarge);
}

TEST(Frame, ForeignBytesAndNewerVersionsAreToldApart) {
  std::string bytes = frame_of(HistoryFetch{});
  EXPECT_EQ(frame_size("GET / HTTP/1.1\r\nHost: a\r\n").error().code, ErrorCode::kCorrupt);
  bytes[10] = 2;
  EXPECT_EQ(frame_size(bytes).error().code, ErrorCode::kNotSupported);
}

TEST(Frame, AnUnknownTypeIsAWholeFrameThatCanBeRefusedPolitely) {
  std::string bytes;
  const std::size_t at = internal::begin_frame(bytes);
  ASSERT_TRUE(internal::end_frame(bytes, at, samples::header(), static_cast<MessageType>(200)));
  const auto frame = decode_frame(bytes);
  ASSERT_TRUE(frame);
  EXPECT_EQ(message_info(frame->header.type), nullptr);
  EXPECT_EQ(frame->header.request_id, samples::header().request_id);
}

TEST(Frame, ABodyOverTheLimitIsNotSentAndLeavesTheBufferAsItWas) {
  const std::string huge(kBodyBytesMax, 'x');
  std::string out = "before";
  EXPECT_FALSE(encode_frame(samples::header(), ReplicaPut{.object = huge}, out));
  EXPECT_EQ(out, "before");
  const std::string_view fits = std::string_view(huge).substr(8);
  ASSERT_TRUE(encode_frame(samples::header(), ReplicaPut{.object = fits}, out));
  EXPECT_TRUE(decode_frame(std::string_view(out).substr(6)));
}

TEST(Frame, RemainingTimeIsNeverZeroAndNeverWraps) {
  const MonoTime now{1'000'000'000};
  EXPECT_EQ(remaining_us(now, now + milliseconds(3)), 3'000U);
  EXPECT_EQ(remaining_us(now, now), 1U);
  EXPECT_EQ(remaining_us(now, now - seconds(5)), 1U);
  EXPECT_EQ(remaining_us(now, now + seconds(10'000)), 0xFFFFFFFFU);
}

}  // namespace
}  // namespace stator::wire

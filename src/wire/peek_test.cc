#include "wire/peek.h"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <string>
#include <type_traits>

#include "wire/samples.h"

namespace stator::wire {
namespace {

using samples::frame_of;

template <typename Message>
inline constexpr bool kAboutARecord =
    std::is_same_v<Message, ReplicaPut> || std::is_same_v<Message, ReplicaGet>;

TEST(Peek, FindsThePlaceOfARecordInTheMessagesThatAreAboutOne) {
  samples::for_each([](const auto& message) {
    using Message = std::remove_cvref_t<decltype(message)>;
    const std::string frame = frame_of(message);
    const auto place = peek_record(frame);
    ASSERT_EQ(place.has_value(), kAboutARecord<Message>);
    if constexpr (kAboutARecord<Message>) {
      if (!place) return;
      EXPECT_EQ(place->partition, PartitionId{samples::header().partition});
      EXPECT_EQ(place->bucket, message.bucket);
      EXPECT_EQ(place->key, message.key);
    }
  });
}

TEST(Peek, FindsTheRequestThatAReplyAnswers) {
  samples::for_each([](const auto& message) {
    using Message = std::remove_cvref_t<decltype(message)>;
    const auto answered = peek_answered(frame_of(message));
    const bool reply = message_info(Message::kType)->direction == Direction::kReply;
    ASSERT_EQ(answered.has_value(), reply);
    if (answered) {
      EXPECT_EQ(*answered, samples::header().request_id);
    }
  });
}

// It is done before the checksum is looked at.
TEST(Peek, StaysInsideWhatIsCutOrDamaged) {
  const std::string frame = frame_of(ReplicaPut{.bucket = "default", .key = "key", .object = "o"});
  const auto peek = [](std::string_view bytes) {
    const auto exact = std::make_unique<char[]>(bytes.size());
    std::memcpy(exact.get(), bytes.data(), bytes.size());
    const std::string_view seen(exact.get(), bytes.size());
    const auto place = peek_record(seen);
    static_cast<void>(peek_answered(seen));
    if (!place) return;
    EXPECT_FALSE(place->bucket.empty());
    EXPECT_LE(place->bucket.size() + place->key.size(), bytes.size());
  };
  for (std::size_t n = 0; n < frame.size(); ++n) peek(std::string_view(frame).substr(0, n));
  EXPECT_FALSE(peek_record(std::string_view(frame).substr(0, kHeaderBytes)));
  for (std::size_t bit = 0; bit < frame.size() * 8; ++bit) {
    std::string flipped = frame;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    peek(flipped);
  }
}

}  // namespace
}  // namespace stator::wire

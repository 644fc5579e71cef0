#include "wire/messages.h"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <set>

#include "base/bytes.h"
#include "wire/codes.h"
#include "wire/counting_new.h"
#include "wire/fields.h"
#include "wire/samples.h"

namespace stator::wire {
namespace {

template <typename Message>
std::string body_of(const Message& message) {
  std::string out;
  encode_body(message, out);
  return out;
}

template <typename Message>
ErrorCode refusal_of(std::string_view body) {
  Message message;
  const auto decoded = decode_body(body, message);
  EXPECT_FALSE(decoded);
  return decoded ? ErrorCode::kIo : decoded.error().code;
}

TEST(MessageTable, NamesAreDistinctAndRepliesAreReplies) {
  std::set<std::string_view> names;
  for (const MessageInfo& row : kMessages) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_EQ(message_info(row.type), &row);
    const MessageInfo* reply = message_info(row.reply);
    ASSERT_NE(reply, nullptr);
    EXPECT_EQ(reply->direction, Direction::kReply);
    EXPECT_EQ(row.direction == Direction::kReply, row.reply == row.type);
  }
  EXPECT_EQ(message_info(static_cast<MessageType>(0)), nullptr);
  EXPECT_EQ(message_info(static_cast<MessageType>(kMessages.size() + 1)), nullptr);
}

TEST(Messages, ComeBackAsTheyWereSent) {
  samples::for_each([](const auto& message) {
    auto decoded = std::remove_cvref_t<decltype(message)>{};
    const std::string body = body_of(message);
    ASSERT_TRUE(decode_body(body, decoded));
    EXPECT_EQ(decoded, message);
    EXPECT_EQ(body_of(decoded), body);
  });
}

TEST(Messages, WithAllDefaultsHaveAnEmptyBody) {
  samples::for_each([](const auto& message) {
    auto fresh = std::remove_cvref_t<decltype(message)>{};
    EXPECT_EQ(body_of(fresh), "");
    auto decoded = message;  // decoding forgets what was there
    ASSERT_TRUE(decode_body("", decoded));
    EXPECT_EQ(decoded, fresh);
  });
}

// Every field counts: leaving out any one of a full sample must change what is read.
TEST(Messages, SamplesSetEveryField) {
  samples::for_each([](const auto& message) {
    const std::string body = body_of(message);
    std::size_t at = 0;
    while (at < body.size()) {
      ByteReader reader(std::string_view(body).substr(at));
      reader.u8();
      reader.sized();
      ASSERT_TRUE(reader.ok());
      const std::size_t next = body.size() - reader.rest().size();
      auto decoded = std::remove_cvref_t<decltype(message)>{};
      const std::string without = body.substr(0, at) + body.substr(next);
      ASSERT_TRUE(decode_body(without, decoded));
      EXPECT_NE(decoded, message);
      at = next;
    }
  });
}

TEST(Messages, UnknownFieldsAreSkippedWhereverTheyStand) {
  std::string body;
  append_u8(body, 1);
  append_sized(body, "b");
  append_u8(body, 2);
  append_sized(body, "k");
  append_u8(body, 3);
  append_sized(body, std::string_view("\x01", 1));
  append_u8(body, 200);
  append_sized(body, "of a later version");
  append_u8(body, 200);
  append_sized(body, "repeated");
  ReplicaGet get;
  ASSERT_TRUE(decode_body(body, get));
  EXPECT_EQ(get, (ReplicaGet{.bucket = "b", .key = "k", .value = true}));

  // Between and before known ones: a Ping has tags 1, 2 and 16 and up.
  std::string ping_body;
  append_u8(ping_body, 9);
  append_sized(ping_body, "later");
  append_u8(ping_body, 16);
  append_sized(ping_body, "ada");
  Ping ping;
  ASSERT_TRUE(decode_body(ping_body, ping));
  EXPECT_EQ(ping.info.name, "ada");
}

TEST(Messages, OtherFormsOfTheSameMessageAreRefused) {
  using namespace std::literals;
  const auto refuse = [](std::string_view body) { return refusal_of<ReplicaGet>(body); };
  EXPECT_EQ(refuse("\x02\x01k\x01\x01"sv
                   "b"),
            ErrorCode::kCorrupt)
      << "tags descend";
  EXPECT_EQ(refuse("\x01\x01"sv
                   "a"
                   "\x01\x01"sv
                   "b"),
            ErrorCode::kCorrupt)
      << "a field twice";
  EXPECT_EQ(refuse("\x01\x00"sv), ErrorCode::kCorrupt) << "a default that is sent";
  EXPECT_EQ(refuse("\x03\x01\x00"sv), ErrorCode::kCorrupt) << "a default that is sent";
  EXPECT_EQ(refuse("\x03\x01\x02"sv), ErrorCode::kCorrupt) << "a bool of 2";
  EXPECT_EQ(refuse("\x03\x02\x01\x00"sv), ErrorCode::kCorrupt) << "another width";
  EXPECT_EQ(refuse("\x01\x81\x00"sv
                   "b"),
            ErrorCode::kCorrupt)
      << "a length in a longer form";
  EXPECT_EQ(refuse("\x00\x00"sv), ErrorCode::kCorrupt) << "tag 0";
  EXPECT_EQ(refuse("\x01\x05"sv
                   "b"),
            ErrorCode::kCorrupt)
      << "cut";
  EXPECT_EQ(refuse("\x01"sv), ErrorCode::kCorrupt) << "cut";
  EXPECT_EQ(refuse("\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"sv), ErrorCode::kCorrupt)
      << "a boast of 2^64-1 bytes";
}

TEST(Messages, EnumeratorsOfALaterVersionAreNotGuessed) {
  using namespace std::literals;
  EXPECT_EQ(refusal_of<ReplicaPut>("\x04\x01\x02"sv), ErrorCode::kNotSupported);
  EXPECT_EQ(refusal_of<ForwardWrite>("\x03\x01\x09"sv), ErrorCode::kNotSupported);
  EXPECT_EQ(refusal_of<ReplicaGetReply>("\x01\x01\x03"sv), ErrorCode::kNotSupported);
  EXPECT_EQ(refusal_of<ForwardWriteReply>("\x01\x01\x03"sv), ErrorCode::kNotSupported);
}

TEST(Messages, AnErrorCodeOfALaterVersionIsStillAFailure) {
  using namespace std::literals;
  ReplicaGetReply reply;
  ASSERT_TRUE(decode_body("\x01\x01\x02\x02\x01\xC8"sv, reply));
  EXPECT_EQ(reply.status, ReplyStatus::kFailed);
  EXPECT_EQ(reply.code, ErrorCode::kIo);
}

TEST(Codes, NumbersAreDistinctAndComeBack) {
  std::set<int> numbers;
  for (int i = 0; i <= static_cast<int>(ErrorCode::kWriteIdExpired); ++i) {
    const auto code = static_cast<ErrorCode>(i);
    EXPECT_TRUE(numbers.insert(to_wire(code)).second);
    EXPECT_EQ(error_code_from_wire(to_wire(code)), code);
  }
  EXPECT_FALSE(numbers.contains(0));
}

TEST(Messages, ListsAreBounded) {
  std::string body;
  for (std::size_t i = 0; i < kListMax; ++i) {
    append_u8(body, 2);
    append_u8(body, 0);
  }
  HistoryReply reply;
  ASSERT_TRUE(decode_body(body, reply));
  EXPECT_EQ(reply.entries.size(), kListMax);
  append_u8(body, 2);
  append_u8(body, 0);
  EXPECT_EQ(refusal_of<HistoryReply>(body), ErrorCode::kTooLarge);

  std::string keys;
  for (std::size_t i = 0; i <= kListMax; ++i) {
    append_u8(keys, 1);
    append_sized(keys, std::string(internal::kScannedKeyHead + 1, '\0'));
  }
  EXPECT_EQ(refusal_of<ScanReply>(keys), ErrorCode::kTooLarge);
}

TEST(Messages, AScannedKeyMustContainItsBucket) {
  const auto refuse = [](std::string_view tail) {
    std::string body, entry(internal::kScannedKeyHead - 1, '\0');
    entry += tail;
    append_u8(body, 1);
    append_sized(body, entry);
    ScanReply reply;
    return !decode_body(body, reply);
  };
  using namespace std::literals;
  EXPECT_FALSE(
      refuse("\0\x01"
             "bk"sv));
  EXPECT_TRUE(
      refuse("\0\x05"
             "bk"sv))
      << "the bucket runs over the end";
  EXPECT_TRUE(
      refuse("\0\x81\0"
             "bk"sv))
      << "a length in a longer form";
  EXPECT_TRUE(
      refuse("\x02\x01"
             "bk"sv))
      << "a bool of 2";
  EXPECT_TRUE(refuse("")) << "cut";
}

// Without a checksum in front: whatever a body has become, decoding stays inside it, and what it
// accepts has a form that comes back.
TEST(Messages, CutAndFlippedBodiesAreReadInBounds) {
  samples::for_each([](const auto& message) {
    using Message = std::remove_cvref_t<decltype(message)>;
    const std::string body = body_of(message);
    const auto check = [](std::string_view bytes) {
      const auto exact = std::make_unique<char[]>(bytes.size());
      std::memcpy(exact.get(), bytes.data(), bytes.size());
      Message decoded;
      if (!decode_body({exact.get(), bytes.size()}, decoded)) return;
      Message again;
      const std::string canonical = body_of(decoded);
      ASSERT_TRUE(decode_body(canonical, again));
      EXPECT_EQ(again, decoded);
    };
    for (std::size_t n = 0; n < body.size(); ++n) check(std::string_view(body).substr(0, n));
    for (std::size_t bit = 0; bit < body.size() * 8; ++bit) {
      std::string flipped = body;
      flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
      check(flipped);
    }
  });
}

template <typename Message>
std::size_t allocations_of_a_round_trip(const Message& message, std::string& out) {
  out.clear();
  const std::size_t before = allocations();
  EXPECT_TRUE(encode_frame(samples::header(), message, out));
  const auto frame = decode_frame(out);
  Message decoded;
  EXPECT_TRUE(frame && decode_body(frame->body, decoded));
  return allocations() - before;
}

TEST(Messages, OfTheRequestPathNeedNoMemoryButTheOutputBuffer) {
  std::string out;
  out.reserve(4096);
  const std::string object(1024, 'x');
  EXPECT_EQ(allocations_of_a_round_trip(ReplicaPut{"default", "key", object}, out), 0U);
  EXPECT_EQ(allocations_of_a_round_trip(ReplicaPutReply{.durable = true, .digest = 9}, out), 0U);
  EXPECT_EQ(allocations_of_a_round_trip(ReplicaGet{"default", "key", true}, out), 0U);
  EXPECT_EQ(allocations_of_a_round_trip(ReplicaGetReply{.digest = 9, .object = object}, out), 0U);
  EXPECT_EQ(
      allocations_of_a_round_trip(ForwardWrite{.bucket = "b", .key = "k", .value = object}, out),
      0U);
  EXPECT_EQ(allocations_of_a_round_trip(ForwardWriteReply{.context = object}, out), 0U);
  EXPECT_EQ(allocations_of_a_round_trip(Refusal{.code = ErrorCode::kOverloaded}, out), 0U);
}

}  // namespace
}  // namespace stator::wire

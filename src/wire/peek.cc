#include "wire/peek.h"

#include "wire/fields.h"
#include "wire/frame.h"
#include "wire/messages.h"

namespace stator::wire {
namespace {

// The record's place stands in the first two fields of both messages about one record (a test holds
// them to it). What follows is left alone: it lies in memory that nobody has touched yet.
constexpr std::uint8_t kBucketTag = 1;
constexpr std::uint8_t kKeyTag = 2;

bool is_about_a_record(MessageType type) {
  return type == MessageType::kReplicaPut || type == MessageType::kReplicaGet;
}

}  // namespace

std::optional<RecordPlace> peek_record(std::string_view bytes) {
  if (bytes.size() < kHeaderBytes || !is_about_a_record(internal::read_type(bytes))) {
    return std::nullopt;
  }
  internal::FieldReader fields(bytes.substr(kHeaderBytes));
  RecordPlace place{.partition = PartitionId{internal::read_partition(bytes)}};
  fields.field(kBucketTag, place.bucket, std::string_view());
  fields.field(kKeyTag, place.key, std::string_view());
  if (place.bucket.empty()) return std::nullopt;
  return place;
}

std::optional<std::uint64_t> peek_answered(std::string_view bytes) {
  if (bytes.size() < kHeaderBytes) return std::nullopt;
  const MessageInfo* info = message_info(internal::read_type(bytes));
  if (info == nullptr || info->direction != Direction::kReply) return std::nullopt;
  return internal::read_request_id(bytes);
}

}  // namespace stator::wire

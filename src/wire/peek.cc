#include "wire/peek.h"

#include "wire/frame.h"
#include "wire/messages.h"

namespace stator::wire {
namespace {

template <typename Message>
std::optional<RecordPlace> place_of(const FrameHeader& header, std::string_view body) {
  Message message;
  if (!decode_body(body, message)) return std::nullopt;
  return RecordPlace{PartitionId{header.partition}, message.bucket, message.key};
}

}  // namespace

std::optional<RecordPlace> peek_record(std::string_view bytes) {
  if (bytes.size() < kHeaderBytes) return std::nullopt;
  const Frame frame = internal::read_frame(bytes);
  switch (frame.header.type) {
    case MessageType::kReplicaPut: return place_of<ReplicaPut>(frame.header, frame.body);
    case MessageType::kReplicaGet: return place_of<ReplicaGet>(frame.header, frame.body);
    default: return std::nullopt;
  }
}

std::optional<std::uint64_t> peek_answered(std::string_view bytes) {
  if (bytes.size() < kHeaderBytes) return std::nullopt;
  const Frame frame = internal::read_frame(bytes);
  const MessageInfo* info = message_info(frame.header.type);
  if (info == nullptr || info->direction != Direction::kReply) return std::nullopt;
  return frame.header.request_id;
}

}  // namespace stator::wire

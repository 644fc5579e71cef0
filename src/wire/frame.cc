#include "wire/frame.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/hash.h"

namespace stator::wire {
namespace {

// Offsets. The checksum stands first, so that what it covers is one contiguous run.
constexpr std::size_t kAtChecksum = 0;
constexpr std::size_t kAtMagic = 8;
constexpr std::size_t kAtVersion = 10;
constexpr std::size_t kAtType = 11;
constexpr std::size_t kAtBodyBytes = 12;
constexpr std::size_t kAtRequest = 16;
constexpr std::size_t kAtHistory = 24;
constexpr std::size_t kAtSender = 32;
constexpr std::size_t kAtReceiver = 40;
constexpr std::size_t kAtCluster = 48;
constexpr std::size_t kAtIncarnation = 56;
constexpr std::size_t kAtDeadline = 64;
constexpr std::size_t kAtPartition = 68;
constexpr std::size_t kAtFlags = 70;
static_assert(kAtFlags + sizeof(std::uint16_t) == kHeaderBytes);
static_assert(kAtRequest == kPrefixBytes);

template <typename Integer>
Integer load(std::string_view bytes, std::size_t at) {
  Integer value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

template <typename Integer>
void store(char* frame, std::size_t at, Integer value) {
  std::memcpy(frame + at, &value, sizeof value);
}

std::uint64_t checksum(std::string_view frame) {
  return hash64(frame.substr(kAtMagic));
}

}  // namespace

Result<std::size_t> frame_size(std::string_view bytes) {
  if (bytes.size() < kPrefixBytes) return std::size_t{0};
  if (load<std::uint16_t>(bytes, kAtMagic) != kMagic) {
    return std::unexpected(Error{.code = ErrorCode::kCorrupt});
  }
  if (load<std::uint8_t>(bytes, kAtVersion) != kVersion) {
    return std::unexpected(Error{.code = ErrorCode::kNotSupported});
  }
  const std::size_t body = load<std::uint32_t>(bytes, kAtBodyBytes);
  if (body > kBodyBytesMax) return std::unexpected(Error{.code = ErrorCode::kTooLarge});
  return kHeaderBytes + body;
}

Result<Frame> decode_frame(std::string_view bytes) {
  const auto size = frame_size(bytes);
  if (!size) return std::unexpected(size.error());
  if (*size == 0 || *size != bytes.size()) {
    return std::unexpected(Error{.code = ErrorCode::kCorrupt});
  }
  if (load<std::uint64_t>(bytes, kAtChecksum) != checksum(bytes)) {
    return std::unexpected(Error{.code = ErrorCode::kCorrupt});
  }
  return internal::read_frame(bytes);
}

std::uint32_t remaining_us(MonoTime now, MonoTime deadline) {
  const std::int64_t us = (deadline - now).us();
  return static_cast<std::uint32_t>(
      std::clamp<std::int64_t>(us, 1, std::numeric_limits<std::uint32_t>::max()));
}

namespace internal {

MessageType read_type(std::string_view bytes) {
  return static_cast<MessageType>(load<std::uint8_t>(bytes, kAtType));
}

std::uint64_t read_request_id(std::string_view bytes) {
  return load<std::uint64_t>(bytes, kAtRequest);
}

std::uint16_t read_partition(std::string_view bytes) {
  return load<std::uint16_t>(bytes, kAtPartition);
}

Frame read_frame(std::string_view bytes) {
  Frame frame;
  FrameHeader& header = frame.header;
  header.type = read_type(bytes);
  header.flags = load<std::uint16_t>(bytes, kAtFlags);
  header.request_id = read_request_id(bytes);
  header.history = {load<std::uint64_t>(bytes, kAtHistory)};
  header.sender = {load<std::uint64_t>(bytes, kAtSender)};
  header.receiver = {load<std::uint64_t>(bytes, kAtReceiver)};
  header.cluster_tag = load<std::uint64_t>(bytes, kAtCluster);
  header.incarnation = {load<std::uint64_t>(bytes, kAtIncarnation)};
  header.deadline_us = load<std::uint32_t>(bytes, kAtDeadline);
  header.partition = read_partition(bytes);
  frame.body = bytes.substr(kHeaderBytes);
  return frame;
}

std::size_t begin_frame(std::string& out) {
  const std::size_t at = out.size();
  out.append(kHeaderBytes, '\0');
  return at;
}

bool end_frame(std::string& out, std::size_t at, const FrameHeader& header, MessageType type) {
  STATOR_ASSERT(out.size() >= at + kHeaderBytes);
  const std::size_t body = out.size() - at - kHeaderBytes;
  if (body > kBodyBytesMax) {
    out.resize(at);
    return false;
  }
  char* frame = out.data() + at;
  store(frame, kAtMagic, kMagic);
  store(frame, kAtVersion, kVersion);
  store(frame, kAtType, static_cast<std::uint8_t>(type));
  store(frame, kAtBodyBytes, static_cast<std::uint32_t>(body));
  store(frame, kAtRequest, header.request_id);
  store(frame, kAtHistory, header.history.value);
  store(frame, kAtSender, header.sender.value);
  store(frame, kAtReceiver, header.receiver.value);
  store(frame, kAtCluster, header.cluster_tag);
  store(frame, kAtIncarnation, header.incarnation.value);
  store(frame, kAtDeadline, header.deadline_us);
  store(frame, kAtPartition, header.partition);
  store(frame, kAtFlags, header.flags);
  store(frame, kAtChecksum, checksum(std::string_view(frame, kHeaderBytes + body)));
  return true;
}

}  // namespace internal
}  // namespace stator::wire

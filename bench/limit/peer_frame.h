#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "limit/buffer.h"

// What nodes say to each other: a fixed 32-byte header, then the key, then the value.

namespace stator::limit {

enum class FrameType : std::uint8_t {
  kHello = 1,  // first frame of the dialler; `slot` is its node number
  kPut,        // key, value, version
  kPutAck,     // the put is stored (and durable, where the node logs)
  kGetDigest,  // key: which version have you?
  kDigest,     // version
  kGetFull,    // key
  kFull,       // version, value
};

struct FrameHeader {
  FrameType type = FrameType::kHello;
  std::uint8_t flags = 0;
  std::uint16_t key_size = 0;
  std::uint32_t value_size = 0;
  std::uint32_t slot = 0;  // of the asker's operation table; answers carry both unchanged
  std::uint32_t generation = 0;
  std::uint64_t version = 0;   // 0 means "I have none"
  std::uint64_t reserved = 0;  // the size of what a product would need here (deadline, history)

  [[nodiscard]] std::size_t frame_size() const {
    return sizeof(FrameHeader) + key_size + value_size;
  }
};
static_assert(sizeof(FrameHeader) == 32);

/// Fills in the sizes and appends the whole frame.
inline void append_frame(Buffer& out, FrameHeader header, std::string_view key = {},
                         std::string_view value = {}) {
  header.key_size = static_cast<std::uint16_t>(key.size());
  header.value_size = static_cast<std::uint32_t>(value.size());
  char* area = out.write_area(header.frame_size());
  std::memcpy(area, &header, sizeof header);
  if (!key.empty()) std::memcpy(area + sizeof header, key.data(), key.size());
  if (!value.empty()) std::memcpy(area + sizeof header + key.size(), value.data(), value.size());
  out.wrote(header.frame_size());
}

struct Frame {
  FrameHeader header;
  std::string_view key;
  std::string_view value;
};

/// False while `input` does not hold the whole frame yet.
[[nodiscard]] inline bool parse_frame(std::string_view input, Frame& frame) {
  if (input.size() < sizeof(FrameHeader)) return false;
  std::memcpy(&frame.header, input.data(), sizeof(FrameHeader));
  if (input.size() < frame.header.frame_size()) return false;
  frame.key = input.substr(sizeof(FrameHeader), frame.header.key_size);
  frame.value = input.substr(sizeof(FrameHeader) + frame.header.key_size, frame.header.value_size);
  return true;
}

}  // namespace stator::limit

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

// The one table of messages between peers. A number, once released, is never reused. messages.h
// asserts at compile time that every row has its struct and every struct its row.

namespace stator::wire {

enum class MessageType : std::uint8_t {
  kRefusal = 1,
  kPing = 2,
  kPong = 3,
  kReplicaPut = 4,
  kReplicaPutReply = 5,
  kReplicaGet = 6,
  kReplicaGetReply = 7,
  kForwardWrite = 8,
  kForwardWriteReply = 9,
  kHistoryFetch = 10,
  kHistoryReply = 11,
  kScan = 12,
  kScanReply = 13,
};

enum class Direction : std::uint8_t { kRequest, kReply };

struct MessageInfo {
  MessageType type;
  std::string_view name;  // in logs, metrics and golden files
  Direction direction;
  MessageType reply;  // of a request: what answers it, besides Refusal; of a reply: itself
};

inline constexpr std::array kMessages = {
    MessageInfo{MessageType::kRefusal, "refusal", Direction::kReply, MessageType::kRefusal},
    MessageInfo{MessageType::kPing, "ping", Direction::kRequest, MessageType::kPong},
    MessageInfo{MessageType::kPong, "pong", Direction::kReply, MessageType::kPong},
    MessageInfo{MessageType::kReplicaPut, "replica_put", Direction::kRequest,
                MessageType::kReplicaPutReply},
    MessageInfo{MessageType::kReplicaPutReply, "replica_put_reply", Direction::kReply,
                MessageType::kReplicaPutReply},
    MessageInfo{MessageType::kReplicaGet, "replica_get", Direction::kRequest,
                MessageType::kReplicaGetReply},
    MessageInfo{MessageType::kReplicaGetReply, "replica_get_reply", Direction::kReply,
                MessageType::kReplicaGetReply},
    MessageInfo{MessageType::kForwardWrite, "forward_write", Direction::kRequest,
                MessageType::kForwardWriteReply},
    MessageInfo{MessageType::kForwardWriteReply, "forward_write_reply", Direction::kReply,
                MessageType::kForwardWriteReply},
    MessageInfo{MessageType::kHistoryFetch, "history_fetch", Direction::kRequest,
                MessageType::kHistoryReply},
    MessageInfo{MessageType::kHistoryReply, "history_reply", Direction::kReply,
                MessageType::kHistoryReply},
    MessageInfo{MessageType::kScan, "scan", Direction::kRequest, MessageType::kScanReply},
    MessageInfo{MessageType::kScanReply, "scan_reply", Direction::kReply, MessageType::kScanReply},
};

/// The row of a type; nullptr for one that this version does not know.
[[nodiscard]] constexpr const MessageInfo* message_info(MessageType type) {
  const auto row = static_cast<std::size_t>(type) - 1;  // types count from 1 without gaps
  return row < kMessages.size() ? &kMessages[row] : nullptr;
}

}  // namespace stator::wire

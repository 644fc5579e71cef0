#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/ids.h"
#include "base/time.h"
#include "wire/message_type.h"

// The frame around every message between peers (docs/format/frames.md; design 4.3 rule 4). A fixed
// header, then a body of tagged fields. Everything is little endian. One checksum covers the header
// and the body, so that no bit of a frame is believed unchecked; the length is bounded before
// anything is allocated. Pure functions; any thread.

namespace stator::wire {

inline constexpr std::size_t kHeaderBytes = 72;
/// What frame_size() must see: these bytes have one meaning in all versions of the format.
inline constexpr std::size_t kPrefixBytes = 16;
/// Four values of 16 MiB, the most that one may be set to, in one object: what four sides of a cut
/// accepted can still be merged and read. It costs memory only where it is used: a reader's grows
/// with what arrives, not with what is announced.
inline constexpr std::size_t kBodyBytesMax = std::size_t{65} << 20;
inline constexpr std::uint16_t kMagic = 0x7453;  // "St"
inline constexpr std::uint8_t kVersion = 1;
inline constexpr std::uint16_t kNoPartition = 0xFFFF;

/// Of the frame, in host terms. The sender fills everything but `type`, which follows from the
/// message.
struct FrameHeader {
  MessageType type = MessageType::kRefusal;
  std::uint16_t flags = 0;       // none defined yet: sent as 0, ignored when read
  std::uint64_t request_id = 0;  // the asker's business; echoed in the reply
  HistoryVersion history{};      // of the sender, as far as it matters to this request
  NodeId sender{};
  NodeId receiver{};                       // 0: not known yet (first contact by address)
  std::uint64_t cluster_tag = 0;           // hash64 of the cluster id
  Incarnation incarnation{};               // of the sender
  std::uint32_t deadline_us = 0;           // time left when sent; 0: none
  std::uint16_t partition = kNoPartition;  // that the request is about
  bool operator==(const FrameHeader&) const = default;
};

/// A frame taken apart: `body` is a view into the bytes given.
struct Frame {
  FrameHeader header{};
  std::string_view body{};
};

/// Size of the frame that begins with `bytes`, header included; 0: fewer than kPrefixBytes, need
/// more. kCorrupt: no frame begins here. kNotSupported: of another version of the format.
/// kTooLarge: a body over kBodyBytesMax. After an error the stream cannot be resynchronised.
[[nodiscard]] Result<std::size_t> frame_size(std::string_view bytes);

/// Takes apart exactly one frame. kCorrupt: cut, too long, or the checksum does not hold. The type
/// may be one that this version does not know (message_info): answer it with a Refusal.
[[nodiscard]] Result<Frame> decode_frame(std::string_view bytes);

/// What stands in deadline_us when the time was over already.
inline constexpr std::uint32_t kDeadlineOver = 1;

/// Remaining time to a deadline, for the header: rounded down, at least 1 us while it is not over,
/// clamped to about 71 minutes; 0 stands for "none", so a passed deadline gives 1.
[[nodiscard]] std::uint32_t remaining_us(MonoTime now, MonoTime deadline);

namespace internal {
/// Of at least kHeaderBytes, unchecked.
[[nodiscard]] Frame read_frame(std::string_view bytes);
/// The same of one field alone: for whoever looks at many frames that will be read later.
[[nodiscard]] MessageType read_type(std::string_view bytes);
[[nodiscard]] std::uint64_t read_request_id(std::string_view bytes);
[[nodiscard]] std::uint16_t read_partition(std::string_view bytes);
/// Appends room for a header; returns its offset.
std::size_t begin_frame(std::string& out);
/// Fills in the header in front of the body appended since. False, and `out` as it was before
/// begin_frame(), when the body is over kBodyBytesMax.
[[nodiscard]] bool end_frame(std::string& out, std::size_t at, const FrameHeader& header,
                             MessageType type);
}  // namespace internal

}  // namespace stator::wire

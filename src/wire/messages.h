#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "base/time.h"
#include "core/quorum/candidates.h"
#include "core/version/clock.h"
#include "core/version/hlc.h"
#include "wire/frame.h"

// What peers say to each other: one plain struct per message, one encoding each (docs/format/
// frames.md). Byte strings are views: when encoding into the caller's bytes, when decoded into the
// frame. Fields that have their default value are not sent; unknown fields are skipped, so that a
// later version may add some. Only the three messages with lists touch the heap.

namespace stator::wire {

enum class ReplyStatus : std::uint8_t {
  kOk = 0,
  kMissing = 1,  // the replica holds nothing of this key: not an error
  kFailed = 2,   // see `code`
};

/// What a replica is asked to have done before it answers.
enum class Durability : std::uint8_t {
  kMemory = 0,  // handed to the engine
  kDurable = 1  // on disk
};

/// The request cannot be answered at all; any request may get this instead of its reply.
struct Refusal {
  static constexpr MessageType kType = MessageType::kRefusal;
  ErrorCode code = ErrorCode::kIo;
  std::uint8_t needed = 0;
  std::uint8_t got = 0;
  std::string_view detail{};  // for operators; may be empty
  HistoryVersion history{};   // kHistoryMismatch: the refuser's
  bool operator==(const Refusal&) const = default;
};

/// What a node tells about itself.
struct NodeInfo {
  std::string_view name{};
  std::string_view zone{};
  std::string_view redis_address{};  // host:port, as advertised
  std::string_view http_address{};
  std::string_view peer_address{};
  std::string_view engine{};
  std::string_view version{};  // of the program
  Incarnation incarnation{};
  WallTime started_at{};
  std::uint32_t weight_milli = 0;  // 1000: one ordinary share
  bool stopping = false;           // takes no new work
  bool no_write = false;  // takes no writes: coordinates none, and has no place for their copies
  // Reserved: no node fills these yet.
  std::uint32_t requests_per_second = 0;  // coordinated here, over the last seconds
  std::uint32_t requests_in_flight = 0;
  std::uint32_t storage_p99_us = 0;  // over the last 60 s
  std::uint64_t bytes_stored = 0;
  std::uint64_t keys_stored = 0;  // an estimate
  bool overloaded = false;        // refuses at the door, accuses nobody
  bool operator==(const NodeInfo&) const = default;
};

struct Ping {
  static constexpr MessageType kType = MessageType::kPing;
  WallTime wall{};         // the sender's clock, unguarded
  std::uint64_t sent = 0;  // the sender's monotonic time, echoed; means nothing to the receiver
  NodeId about{};          // tell when you heard this one, which is silent here; and ping it
  /// Drawn anew whenever the sender's link to the receiver comes up. What one process sends on one
  /// lies before all that it sends on the next: else two processes are one incarnation (D2).
  std::uint64_t link = 0;
  NodeInfo info{};
  bool operator==(const Ping&) const = default;
};

struct Pong {
  static constexpr MessageType kType = MessageType::kPong;
  std::uint64_t echoed = 0;  // Ping::sent
  WallTime wall{};           // the answerer's clock when it answered
  NodeId about{};            // Ping::about
  std::uint32_t heard_ms =
      0;  // so long ago `about` was heard, plus 1; 0: not for an hour, or never
  /// The process whose ping this answers, and which is refused, since another one runs under the
  /// name of its node, too (D2, D3); 0: it is not.
  Incarnation fenced{};
  NodeInfo info{};
  bool operator==(const Pong&) const = default;
};

/// Merge this object into yours (replication, read repair). Always the whole object.
struct ReplicaPut {
  static constexpr MessageType kType = MessageType::kReplicaPut;
  std::string_view bucket{};
  std::string_view key{};
  std::string_view object{};  // encode_object
  Durability durability = Durability::kMemory;
  bool repair = false;  // background work: counts for nobody's quorum
  /// The owner for whom the receiver is to keep this, as a hint (paper 4.6); 0: the receiver is an
  /// owner itself.
  NodeId intended{};
  // Merged from so many of the other owners that it may take the place of a record which cannot be
  // read (D30).
  bool restores = false;
  /// With kDurable: answer when the engine has it, and once more when it is on disk, or cannot come
  /// there (paper 6.1). A receiver that does not know this answers once, when it is on disk.
  bool early = false;
  /// Of a hint that is delivered: at so many bytes per second, as the budget for background work
  /// counts them, its sender ends in time (G22). 0: it does not say.
  std::uint32_t pace = 0;
  bool operator==(const ReplicaPut&) const = default;
};

struct ReplicaPutReply {
  static constexpr MessageType kType = MessageType::kReplicaPutReply;
  ReplyStatus status = ReplyStatus::kOk;  // kOk or kFailed
  ErrorCode code = ErrorCode::kIo;        // of kFailed
  bool durable = false;                   // what was sent is on this replica's disk
  std::uint64_t digest = 0;               // of the object after the merge
  std::string_view object{};              // the merged object, only if it is not what was sent
  std::uint32_t pause_us = 0;  // of background work: send no more of it for so long (D15)
  bool operator==(const ReplicaPutReply&) const = default;
};

struct ReplicaGet {
  static constexpr MessageType kType = MessageType::kReplicaGet;
  std::string_view bucket{};
  std::string_view key{};
  bool value = false;  // false: the digest is enough
  bool operator==(const ReplicaGet&) const = default;
};

struct ReplicaGetReply {
  static constexpr MessageType kType = MessageType::kReplicaGetReply;
  ReplyStatus status = ReplyStatus::kOk;
  ErrorCode code = ErrorCode::kIo;  // of kFailed; kUnreadable is never kMissing
  std::uint64_t digest = 0;
  std::string_view object{};  // if the value was asked for and status is kOk
  bool operator==(const ReplicaGetReply&) const = default;
};

enum class WriteKind : std::uint8_t {
  kPut = 0,       // with what the writer saw; an empty context saw nothing
  kPlainPut = 1,  // supersedes all that the minting node holds (Redis, design 2.4)
};

/// A write for a node that may mint it.
struct ForwardWrite {
  static constexpr MessageType kType = MessageType::kForwardWrite;
  std::string_view bucket{};
  std::string_view key{};
  WriteKind kind = WriteKind::kPut;
  WriteId write_id{};
  std::string_view value{};
  std::string_view content_type{};
  bool tombstone = false;
  WallTime expires_at{};       // 0: never
  std::string_view context{};  // encode_context; empty: none
  std::uint8_t w = 0;          // 0: the bucket's default
  std::uint8_t pw = 0;
  std::uint8_t dw = 0;
  Hlc floor{};              // the latest time that the client's connection has seen
  std::uint32_t flags = 0;  // kConfirmOnly, kFirst, kStandIn
  /// Of the receiver as the sender knows it: a frame that outlived that process is refused, since
  /// its memory of what was forwarded to it is gone.
  Incarnation receiver_incarnation{};
  static constexpr std::uint32_t kConfirmOnly =
      1;  // the id is of a client and minted once: only tell
  /// The sender made the id for this write and has sent it to nobody else.
  static constexpr std::uint32_t kFirst = 2;
  /// The sender reaches no owner: the receiver, which is none, coordinates in the name of one.
  static constexpr std::uint32_t kStandIn = 4;
  bool operator==(const ForwardWrite&) const = default;
};

struct ForwardWriteReply {
  static constexpr MessageType kType = MessageType::kForwardWriteReply;
  Outcome outcome = Outcome::kOk;
  ErrorCode code = ErrorCode::kIo;  // unless kOk
  std::uint8_t needed = 0;
  std::uint8_t got = 0;
  QuorumEvidence evidence{};
  std::string_view context{};  // the writer's own plus this write
  Hlc time{};                  // of the write
  WriteId write_id{};
  bool operator==(const ForwardWriteReply&) const = default;
};

/// Asks for the membership history, unless `have` is what the other has too.
struct HistoryFetch {
  static constexpr MessageType kType = MessageType::kHistoryFetch;
  HistoryVersion have{};
  bool operator==(const HistoryFetch&) const = default;
};

struct HistoryReply {
  static constexpr MessageType kType = MessageType::kHistoryReply;
  HistoryVersion version{};
  std::vector<std::string_view> entries;  // opaque here (core/membership)
  bool operator==(const HistoryReply&) const = default;
};

/// Asks for the keys of a partition that lie at `from` or behind it on the ring, in ring order.
/// Places are the top 53 bits of positions, so that every client can hold one as a number; keys of
/// one place are never split over two answers.
struct Scan {
  static constexpr MessageType kType = MessageType::kScan;
  std::uint32_t partition = 0;
  std::uint64_t from = 0;
  std::uint32_t keys_max = 0;
  bool operator==(const Scan&) const = default;
};

/// A key, and of the version that a plain read there returns what the asker needs to tell the
/// latest of several replicas' versions and to judge whether that one is alive: expiry is judged by
/// the coordinator alone (design 4.2).
struct ScannedKey {
  std::string_view bucket{};
  std::string_view key{};
  Hlc time{};
  Dot event{};  // Version::event(): decides between equal times
  WallTime expires_at{};
  bool tombstone = false;
  bool operator==(const ScannedKey&) const = default;
};

struct ScanReply {
  static constexpr MessageType kType = MessageType::kScanReply;
  std::vector<ScannedKey> keys;
  bool done = false;  // nothing lies behind these in the partition
  bool operator==(const ScanReply&) const = default;
};

/// The most entries that a list of a message may have: bounds what a hostile frame can make us
/// allocate.
inline constexpr std::size_t kListMax = 65536;

/// Every message, in the order of its number.
using Messages =
    std::tuple<Refusal, Ping, Pong, ReplicaPut, ReplicaPutReply, ReplicaGet, ReplicaGetReply,
               ForwardWrite, ForwardWriteReply, HistoryFetch, HistoryReply, Scan, ScanReply>;

/// Appends the fields of `message`; without the frame (tests, nesting).
template <typename Message>
void encode_body(const Message& message, std::string& out);

/// The fields of a body; views into `body`. kCorrupt: cut, out of order, or not in the one form
/// that encode_body() gives; kNotSupported: an enumerator that this version does not know (an
/// unknown error code is read as kIo instead); kTooLarge: a list over kListMax.
template <typename Message>
[[nodiscard]] Result<void> decode_body(std::string_view body, Message& out);
/// A string that is about to die: the views would outlive the bytes.
template <std::same_as<std::string> Temporary, typename Message>
Result<void> decode_body(Temporary&& body, Message& out) = delete;

/// Appends one whole frame: the link's output buffer is the only memory touched. `header.type` is
/// ignored. False, with nothing appended, when the body is over kBodyBytesMax (an object of many
/// large siblings can be).
template <typename Message>
[[nodiscard]] bool encode_frame(const FrameHeader& header, const Message& message,
                                std::string& out) {
  const std::size_t at = internal::begin_frame(out);
  encode_body(message, out);
  return internal::end_frame(out, at, header, Message::kType);
}

namespace internal {
template <std::size_t... I>
constexpr bool rows_match(std::index_sequence<I...>) {
  return ((std::tuple_element_t<I, Messages>::kType == kMessages[I].type &&
           static_cast<std::size_t>(kMessages[I].type) == I + 1) &&
          ...);
}
}  // namespace internal
static_assert(std::tuple_size_v<Messages> == kMessages.size(), "a message without row or struct");
static_assert(internal::rows_match(std::make_index_sequence<kMessages.size()>{}),
              "rows and structs must be in the order of their numbers");

}  // namespace stator::wire

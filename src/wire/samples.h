#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <type_traits>

#include "wire/messages.h"

// For tests: one message of each kind with every field set to something that is not its default. A
// new message without a sample does not compile.

namespace stator::wire::samples {

inline FrameHeader header() {
  FrameHeader h;
  h.flags = 0;
  h.request_id = 0x0000000500000042;
  h.history = {0xA1A2A3A4A5A6A7A8};
  h.sender = {0xB1B2B3B4B5B6B7B8};
  h.receiver = {0xC1C2C3C4C5C6C7C8};
  h.cluster_tag = 0xD1D2D3D4D5D6D7D8;
  h.incarnation = {0xE1E2E3E4E5E6E7E8};
  h.deadline_us = 1'500'000;
  h.partition = 777;
  return h;
}

template <typename Message>
std::string frame_of(const Message& message) {
  std::string out;
  EXPECT_TRUE(encode_frame(header(), message, out));
  return out;
}

inline NodeInfo info() {
  NodeInfo i;
  i.name = "ada";
  i.zone = "north";
  i.redis_address = "10.0.0.1:7379";
  i.http_address = "10.0.0.1:7380";
  i.peer_address = "10.0.0.1:7381";
  i.engine = "rocksdb";
  i.version = "0.1.0";
  i.incarnation = {0x1122334455667788};
  i.started_at = {1'700'000'000'000'000};
  i.weight_milli = 1500;
  i.requests_per_second = 25'000;
  i.requests_in_flight = 31;
  i.storage_p99_us = 870;
  i.bytes_stored = 123'456'789'012;
  i.keys_stored = 98'765'432;
  i.overloaded = true;
  i.stopping = true;
  i.no_write = true;
  return i;
}

inline constexpr WriteId kWriteId{0x018BCFE568007ABC, 0x8123456789ABCDEF};
inline constexpr std::string_view kObject("\x01\x02object\xFF\0bytes", 15);

inline Refusal sample(std::type_identity<Refusal>) {
  return {.code = ErrorCode::kHistoryMismatch,
          .needed = 2,
          .got = 1,
          .detail = "a newer history is known here",
          .history = {0x0102030405060708}};
}
inline Ping sample(std::type_identity<Ping>) {
  return {.wall = {1'700'000'000'123'456},
          .sent = 9'876'543'210,
          .about = {0x3132333435363738},
          .link = 0x4142434445464748,
          .info = info()};
}
inline Pong sample(std::type_identity<Pong>) {
  return {.echoed = 9'876'543'210,
          .wall = {1'700'000'000'123'999},
          .about = {0x3132333435363738},
          .heard_ms = 251,
          .fenced = {0x5152535455565758},
          .info = info()};
}
inline ReplicaPut sample(std::type_identity<ReplicaPut>) {
  return {.bucket = "default",
          .key = "cart:42",
          .object = kObject,
          .durability = Durability::kDurable,
          .repair = true,
          .intended = {0x0123456789ABCDEF},
          .restores = true,
          .early = true,
          .pace = 1'250'000};
}
inline ReplicaPutReply sample(std::type_identity<ReplicaPutReply>) {
  return {.status = ReplyStatus::kFailed,
          .code = ErrorCode::kDiskFull,
          .durable = true,
          .digest = 0xFEEDFACECAFEBEEF,
          .object = kObject,
          .pause_us = 2'500};
}
inline ReplicaGet sample(std::type_identity<ReplicaGet>) {
  return {.bucket = "default", .key = "cart:42", .value = true};
}
inline ReplicaGetReply sample(std::type_identity<ReplicaGetReply>) {
  return {.status = ReplyStatus::kFailed,
          .code = ErrorCode::kUnreadable,
          .digest = 0xFEEDFACECAFEBEEF,
          .object = kObject};
}
inline ForwardWrite sample(std::type_identity<ForwardWrite>) {
  return {.bucket = "carts",
          .key = "alice",
          .kind = WriteKind::kPlainPut,
          .write_id = kWriteId,
          .value = "two books",
          .content_type = "text/plain",
          .tombstone = true,
          .expires_at = {1'800'000'000'000'000},
          .context = "context",
          .w = 2,
          .pw = 1,
          .dw = 3,
          .floor = {0x6543210FEDCBA987},
          .flags = 1,
          .receiver_incarnation = {0x8877665544332211}};
}
inline ForwardWriteReply sample(std::type_identity<ForwardWriteReply>) {
  return {.outcome = Outcome::kUnknown,
          .code = ErrorCode::kTimeout,
          .needed = 3,
          .got = 2,
          .evidence = {.primaries = 2, .fallbacks = 1, .nodes = 3, .zones = 2},
          .context = "context",
          .time = {0x6543210FEDCBA988},
          .write_id = kWriteId};
}
inline HistoryFetch sample(std::type_identity<HistoryFetch>) {
  return {.have = {0x0102030405060708}};
}
inline HistoryReply sample(std::type_identity<HistoryReply>) {
  return {.version = {0x0102030405060709}, .entries = {"first", "", "third"}};
}
inline Scan sample(std::type_identity<Scan>) {
  return {.partition = 1023, .from = 0x001F'FFFF'FFFF'FFF0, .keys_max = 100};
}
inline ScanReply sample(std::type_identity<ScanReply>) {
  return {.keys = {{.bucket = "default",
                    .key = "k1",
                    .time = {0x6543210FEDCBA987},
                    .event = {{{0x1122334455667788}, 7}, 9},
                    .expires_at = {1'800'000'000'000'000}},
                   {.bucket = "carts", .key = "alice", .time = {1}, .tombstone = true},
                   {}},
          .done = true};
}

/// Calls `f(Message)` with the sample of every message, in the order of their numbers.
template <typename F>
void for_each(F&& f) {
  [&]<typename... M>(std::type_identity<std::tuple<M...>>) {
    (f(sample(std::type_identity<M>{})), ...);
  }(std::type_identity<Messages>{});
}

}  // namespace stator::wire::samples

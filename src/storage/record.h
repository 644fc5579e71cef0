#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/ids.h"

// What stands in an engine under one key: a sealed record (docs/format/record.md). The checksum
// covers the record and its place, so that a rotten record and a record that landed under another
// key are both found (D30). Pure functions, on any thread.

namespace stator::storage {

/// What a node keeps beside an object for itself; never sent to another node.
struct RecordHeader {
  Incarnation own_incarnation;
  std::uint64_t own_life = 0;  // of own_incarnation on this key; 0 when it has none (design 4.2)
  bool operator==(const RecordHeader&) const = default;
};

/// Bytes of a sealed record in front of its payload.
inline constexpr std::size_t kRecordOverhead = 1 + 8 + 8 + 8;

/// A record is made in two steps, so that the payload is encoded in place: begin_record() reserves
/// the front of one at the end of `out`, the caller appends the payload, finish_record() seals what
/// stands from `offset` to the end of `out`.
[[nodiscard]] std::size_t begin_record(std::string& out);
void finish_record(std::string& out, std::size_t offset, PartitionId partition,
                   std::string_view key, const RecordHeader& header);

/// Checks that `bytes` is a whole record written for this place. `payload` is a view into `bytes`.
/// kUnreadable (without text: it may happen at any rate) when it is not; then the outputs are
/// untouched.
[[nodiscard]] Result<void> open_record(PartitionId partition, std::string_view key,
                                       std::string_view bytes, RecordHeader& header,
                                       std::string_view& payload);

/// The engine's key of (bucket, key): the length of the bucket name as one byte, the name, the key.
/// Never empty; keys of one bucket stand together where the engine keeps an order.
inline constexpr std::size_t kBucketSizeMax = 255;
void append_storage_key(std::string_view bucket, std::string_view key, std::string& out);

struct StorageKey {
  std::string_view bucket;
  std::string_view key;
};
/// Views into `bytes`. kUnreadable when it is no storage key.
[[nodiscard]] Result<StorageKey> parse_storage_key(std::string_view bytes);

}  // namespace stator::storage

#include "storage/record.h"

#include <cstring>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/hash.h"

namespace stator::storage {
namespace {

constexpr std::uint8_t kRecordVersion = 1;
constexpr std::size_t kChecksumOffset = 1;
constexpr std::size_t kHeaderOffset = kChecksumOffset + 8;

/// The place enters as the seed, so that nothing has to be put together in memory to be hashed.
std::uint64_t checksum_of(PartitionId partition, std::string_view key, std::string_view covered) {
  const std::uint64_t where = (std::uint64_t{kRecordVersion} << 32) | partition.value;
  return hash64(covered, hash64(key, mix64(where)));
}

}  // namespace

std::size_t begin_record(std::string& out) {
  const std::size_t offset = out.size();
  out.append(kRecordOverhead, '\0');
  return offset;
}

void finish_record(std::string& out, std::size_t offset, PartitionId partition,
                   std::string_view key, const RecordHeader& header) {
  STATOR_ASSERT(offset + kRecordOverhead <= out.size());
  overwrite_integer(out, offset, kRecordVersion);
  overwrite_integer(out, offset + kHeaderOffset, header.own_incarnation.value);
  overwrite_integer(out, offset + kHeaderOffset + 8, header.own_life);
  const std::string_view covered = std::string_view(out).substr(offset + kHeaderOffset);
  overwrite_integer(out, offset + kChecksumOffset, checksum_of(partition, key, covered));
}

Result<void> open_record(PartitionId partition, std::string_view key, std::string_view bytes,
                         RecordHeader& header, std::string_view& payload) {
  ByteReader reader(bytes);
  const std::uint8_t version = reader.u8();
  const std::uint64_t checksum = reader.u64();
  const std::string_view covered = reader.rest();
  const RecordHeader found{Incarnation{reader.u64()}, reader.u64()};
  if (!reader.ok() || version != kRecordVersion ||
      checksum != checksum_of(partition, key, covered)) {
    return std::unexpected(Error{.code = ErrorCode::kUnreadable});
  }
  header = found;
  payload = reader.rest();
  return {};
}

void append_storage_key(std::string_view bucket, std::string_view key, std::string& out) {
  STATOR_ASSERT(bucket.size() <= kBucketSizeMax);
  append_u8(out, static_cast<std::uint8_t>(bucket.size()));
  out.append(bucket).append(key);
}

Result<StorageKey> parse_storage_key(std::string_view bytes) {
  ByteReader reader(bytes);
  const std::string_view bucket = reader.bytes(reader.u8());
  if (!reader.ok()) return std::unexpected(Error{.code = ErrorCode::kUnreadable});
  return StorageKey{bucket, reader.rest()};
}

}  // namespace stator::storage

#include "storage/memory/journal_format.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/hash.h"

namespace stator::storage::memory {
namespace {

constexpr std::string_view kFileMagic = "STATRJNL";
constexpr std::uint32_t kVersion = 1;
constexpr std::string_view kFrameMagic = "jFr\xA5";
constexpr std::size_t kSizeOffset = 4;
constexpr std::size_t kDurableOffset = 8;
constexpr std::size_t kChecksumOffset = 16;
constexpr std::size_t kFrameHeaderSize = 24;

enum class Change : std::uint8_t { kPut = 1, kErase = 2, kDrop = 3 };

struct Frame {
  std::uint64_t durable = 0;
  std::string_view body;
};

std::uint64_t frame_checksum(const JournalHeader& header, std::uint64_t position,
                             std::uint64_t durable, std::string_view body) {
  const std::uint64_t place = mix64(header.seed ^ mix64(header.generation)) + position;
  return hash64(body, mix64(mix64(place) ^ durable));
}

std::optional<Frame> frame_at(std::string_view file, std::uint64_t position,
                              const JournalHeader& header) {
  ByteReader reader(file.substr(position));
  const std::string_view magic = reader.bytes(kFrameMagic.size());
  const std::uint32_t size = reader.u32();
  Frame frame;
  frame.durable = reader.u64();
  const std::uint64_t checksum = reader.u64();
  frame.body = reader.bytes(size);
  if (!reader.ok() || magic != kFrameMagic ||
      checksum != frame_checksum(header, position, frame.durable, frame.body)) {
    return std::nullopt;
  }
  return frame;
}

bool replay_frame(std::string_view body, ChangeSink& sink) {
  ByteReader reader(body);
  while (!reader.finished()) {
    const auto change = static_cast<Change>(reader.u8());
    const std::uint64_t partition = reader.varint();
    if (!reader.ok() || partition >= kPartitionsMax) return false;
    const PartitionId place{static_cast<std::uint32_t>(partition)};
    if (change == Change::kDrop) {
      sink.drop(place);
      continue;
    }
    const std::string_view key = reader.sized();
    const std::string_view value = change == Change::kPut ? reader.sized() : std::string_view();
    if (!reader.ok()) return false;
    if (change == Change::kPut) {
      sink.put(place, key, value);
    } else if (change == Change::kErase) {
      sink.erase(place, key);
    } else {
      return false;
    }
  }
  return true;
}

Error corrupt(std::string detail) {
  return Error{.code = ErrorCode::kCorrupt, .detail = std::move(detail)};
}

}  // namespace

void append_journal_header(const JournalHeader& header, std::string& out) {
  const std::size_t begin = out.size();
  out.append(kFileMagic);
  append_u32(out, kVersion);
  append_u64(out, header.generation);
  append_u64(out, header.seed);
  append_u64(out, hash64(std::string_view(out).substr(begin)));
  STATOR_ASSERT(out.size() - begin == kJournalHeaderSize);
}

Result<JournalHeader> read_journal_header(std::string_view bytes) {
  ByteReader reader(bytes);
  const std::string_view covered = bytes.substr(0, kJournalHeaderSize - 8);
  const std::string_view magic = reader.bytes(kFileMagic.size());
  const std::uint32_t version = reader.u32();
  JournalHeader header;
  header.generation = reader.u64();
  header.seed = reader.u64();
  const std::uint64_t checksum = reader.u64();
  if (!reader.ok() || magic != kFileMagic || checksum != hash64(covered)) {
    return std::unexpected(corrupt("its header is damaged"));
  }
  if (version != kVersion) {
    return std::unexpected(
        Error{.code = ErrorCode::kNotSupported, .detail = "it was written in a newer format"});
  }
  return header;
}

std::size_t begin_frame(std::string& out) {
  const std::size_t begin = out.size();
  out.append(kFrameMagic);
  out.append(kFrameHeaderSize - kFrameMagic.size(), '\0');
  return begin;
}

void append_put(PartitionId partition, std::string_view key, std::string_view value,
                std::string& out) {
  append_u8(out, static_cast<std::uint8_t>(Change::kPut));
  append_varint(out, partition.value);
  append_sized(out, key);
  append_sized(out, value);
}

void append_erase(PartitionId partition, std::string_view key, std::string& out) {
  append_u8(out, static_cast<std::uint8_t>(Change::kErase));
  append_varint(out, partition.value);
  append_sized(out, key);
}

void append_drop(PartitionId partition, std::string& out) {
  append_u8(out, static_cast<std::uint8_t>(Change::kDrop));
  append_varint(out, partition.value);
}

void finish_frame(const JournalHeader& header, std::size_t begin, std::uint64_t position,
                  std::uint64_t durable, std::string& out) {
  const std::string_view body = std::string_view(out).substr(begin + kFrameHeaderSize);
  STATOR_ASSERT(body.size() <= std::numeric_limits<std::uint32_t>::max());
  const std::uint64_t checksum = frame_checksum(header, position, durable, body);
  overwrite_integer(out, begin + kSizeOffset, static_cast<std::uint32_t>(body.size()));
  overwrite_integer(out, begin + kDurableOffset, durable);
  overwrite_integer(out, begin + kChecksumOffset, checksum);
}

Result<ReplayedJournal> replay_journal(std::string_view file, const JournalHeader& header,
                                       ChangeSink& sink) {
  std::uint64_t position = kJournalHeaderSize;
  std::uint64_t durable = 0;
  while (position < file.size()) {
    const auto frame = frame_at(file, position, header);
    if (!frame) break;
    if (!replay_frame(frame->body, sink)) {
      return std::unexpected(corrupt("the frame at byte " + std::to_string(position) +
                                     " passes its checksum and makes no sense"));
    }
    position += kFrameHeaderSize + frame->body.size();
    durable = std::max(durable, frame->durable);
  }
  for (std::uint64_t next = position + 1; next < file.size(); ++next) {
    next = file.find(kFrameMagic, next);
    if (next == std::string_view::npos) break;
    const auto frame = frame_at(file, next, header);
    if (frame && frame->durable > position) {
      return std::unexpected(corrupt("it is damaged at byte " + std::to_string(position) +
                                     ", in front of writes that were acknowledged"));
    }
  }
  return ReplayedJournal{.end = position, .durable = durable};
}

}  // namespace stator::storage::memory

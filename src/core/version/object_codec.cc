#include "core/version/object_codec.h"

#include <cstring>
#include <type_traits>

#include "base/assert.h"
#include "base/bytes.h"
#include "core/version/object_edit.h"

// docs/format/object.md describes the bytes.

namespace stator {
namespace {

constexpr std::uint8_t kFormat = 1;

constexpr std::uint8_t kTombstone = 1;
constexpr std::uint8_t kRestamped = 2;
constexpr std::uint8_t kExpires = 4;
constexpr std::uint8_t kHasContentType = 8;
constexpr std::uint8_t kKnownFlags = kTombstone | kRestamped | kExpires | kHasContentType;

// Dots and ids are stored as they lie in memory.
static_assert(sizeof(Dot) == 24 && std::is_trivially_copyable_v<Dot>);
static_assert(sizeof(WriteId) == 16 && std::is_trivially_copyable_v<WriteId>);

template <typename T>
void append_raw(std::string& out, std::span<const T> items) {
  out.append(reinterpret_cast<const char*>(items.data()), items.size_bytes());
}

// Calls `take` with each of `count` items; false when the input is too short or `take` refuses.
template <typename T, typename Take>
bool read_raw(ByteReader& reader, std::uint64_t count, Take take) {
  if (count > reader.rest().size() / sizeof(T)) return false;
  const std::string_view raw = reader.bytes(count * sizeof(T));
  for (std::size_t at = 0; at < raw.size(); at += sizeof(T)) {
    T item;
    std::memcpy(&item, raw.data() + at, sizeof item);
    if (!take(item)) return false;
  }
  return true;
}

// A clock holds the dot of each version beside it.
std::size_t place_in(const Clock& clock, const Actor& actor) {
  const std::span<const Dot> entries = clock.entries();
  std::size_t place = 0;
  while (place < entries.size() && entries[place].actor != actor) ++place;
  STATOR_ASSERT(place < entries.size());
  return place;
}

void append_version(std::string& out, const Clock& clock, const Version& version) {
  std::uint8_t flags = 0;
  if (version.tombstone) flags |= kTombstone;
  if (version.first_counter != version.dot.counter) flags |= kRestamped;
  if (version.expires_at.us != 0) flags |= kExpires;
  if (!version.content_type.empty()) flags |= kHasContentType;
  ShortBytes<1 + 6 * sizeof(std::uint64_t) + 3 * kVarintBytesMax> head;
  head.add_varint(place_in(clock, version.dot.actor));
  head.add(flags);
  head.add(version.dot.counter);
  if ((flags & kRestamped) != 0) head.add(version.first_counter);
  head.add(version.write_id.high);
  head.add(version.write_id.low);
  head.add(version.time.value);
  if ((flags & kExpires) != 0) head.add(version.expires_at.us);
  if ((flags & kHasContentType) != 0) head.add_varint(version.content_type.size());
  head.add_varint(version.value.size());
  out.append(head.view());
}

// The lengths of a version's bytes, which follow after all headers.
struct Sizes {
  std::uint64_t content_type = 0;
  std::uint64_t value = 0;
};

bool read_version(ByteReader& reader, const Clock& clock, Version& version, Sizes& sizes) {
  const std::uint64_t place = reader.varint();
  const std::uint8_t flags = reader.u8();
  if (place >= clock.entries().size() || (flags & ~kKnownFlags) != 0) return false;
  const Dot& seen = clock.entries()[place];
  version.dot = {seen.actor, reader.u64()};
  version.first_counter = (flags & kRestamped) != 0 ? reader.u64() : version.dot.counter;
  version.write_id.high = reader.u64();
  version.write_id.low = reader.u64();
  version.time = {reader.u64()};
  version.expires_at = {(flags & kExpires) != 0 ? static_cast<std::int64_t>(reader.u64()) : 0};
  version.tombstone = (flags & kTombstone) != 0;
  sizes.content_type = (flags & kHasContentType) != 0 ? reader.varint() : 0;
  sizes.value = reader.varint();
  if (!reader.ok() || version.dot.counter > seen.counter || version.first_counter == 0)
    return false;
  // One object has one encoding: no flag without what it announces.
  if ((flags & kRestamped) != 0 && version.first_counter >= version.dot.counter) return false;
  if ((flags & kExpires) != 0 && version.expires_at.us == 0) return false;
  if ((flags & kHasContentType) != 0 && sizes.content_type == 0) return false;
  return !version.tombstone || sizes.value == 0;
}

bool may_follow(const Object& object, const Version& next) {
  return object.versions.empty() || object.versions.back().event() < next.event();
}

bool read_versions(ByteReader& reader, std::uint64_t count, Object& out,
                   SmallVector<Sizes, 4>& sizes) {
  for (std::uint64_t i = 0; i < count; ++i) {
    Version version;
    Sizes size;
    if (!read_version(reader, out.clock, version, size) || !may_follow(out, version)) return false;
    out.versions.push_back(version);
    sizes.push_back(size);
  }
  return true;
}

bool read_clock(ByteReader& reader, std::uint64_t count, Clock& clock) {
  return read_raw<Dot>(reader, count, [&](const Dot& dot) {
    if (dot.counter == 0) return false;
    if (!clock.empty() && dot.actor <= clock.entries().back().actor) return false;
    clock.add(dot);
    return true;
  });
}

bool read_cloud(ByteReader& reader, std::uint64_t count, Object& out) {
  return read_raw<Dot>(reader, count, [&](const Dot& dot) {
    if (out.clock.covers(dot)) return false;
    if (!out.cloud.empty() && dot <= out.cloud.back()) return false;
    out.cloud.push_back(dot);
    return true;
  });
}

bool read_guards(ByteReader& reader, std::uint64_t count, Object& out) {
  return read_raw<WriteId>(reader, count, [&](const WriteId& id) {
    if (!id || !id.retryable()) return false;
    if (!out.guards.empty() && id <= out.guards.back()) return false;
    out.guards.push_back(id);
    return true;
  });
}

bool consistent(const Object& object) {
  for (const Version& version : object.versions) {
    if (object.guards_id(version.write_id)) return false;
  }
  return !has_second_mint(object);
}

bool read_object(ByteReader& reader, Object& out) {
  const std::uint64_t clock_count = reader.varint();
  const std::uint64_t cloud_count = reader.varint();
  const std::uint64_t version_count = reader.varint();
  const std::uint64_t guard_count = reader.varint();
  SmallVector<Sizes, 4> sizes;
  if (!read_clock(reader, clock_count, out.clock)) return false;
  if (!read_cloud(reader, cloud_count, out)) return false;
  if (!read_versions(reader, version_count, out, sizes)) return false;
  if (!read_guards(reader, guard_count, out)) return false;
  for (std::size_t i = 0; i < out.versions.size(); ++i) {
    out.versions[i].content_type = reader.bytes(sizes[i].content_type);
    out.versions[i].value = reader.bytes(sizes[i].value);
  }
  if (!reader.rest().empty()) out.forgotten_until_ms = reader.u64();
  return reader.ok() && consistent(out);
}

}  // namespace

void encode_object(const Object& object, std::string& out) {
  ShortBytes<1 + 4 * kVarintBytesMax> head;
  head.add(kFormat);
  head.add_varint(object.clock.entries().size());
  head.add_varint(object.cloud.size());
  head.add_varint(object.versions.size());
  head.add_varint(object.guards.size());
  out.append(head.view());
  append_raw(out, object.clock.entries());
  append_raw(out, object.cloud.view());
  for (const Version& version : object.versions) append_version(out, object.clock, version);
  append_raw(out, object.guards.view());
  for (const Version& version : object.versions) {
    out.append(version.content_type);
    out.append(version.value);
  }
  if (object.forgotten_until_ms != 0) append_u64(out, object.forgotten_until_ms);
}

Result<void> decode_object(std::string_view bytes, Object& out) {
  out.clear();
  ByteReader reader{bytes};
  const std::uint8_t format = reader.u8();
  if (reader.ok() && format > kFormat) {
    return std::unexpected(Error{.code = ErrorCode::kNotSupported,
                                 .detail = "the object has format " + std::to_string(format) +
                                           ", this build reads up to " + std::to_string(kFormat)});
  }
  if (format != kFormat || !read_object(reader, out)) {
    out.clear();
    return std::unexpected(Error{.code = ErrorCode::kCorrupt});
  }
  return {};
}

}  // namespace stator

#include <utility>

#include "base/base64.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "core/version/context.h"

// docs/format/context.md describes the bytes.

namespace stator {
namespace {

constexpr std::uint8_t kFormat = 1;
constexpr std::size_t kChecksumBytes = 8;
constexpr std::size_t kTextBytesMax = (kContextBytesMax * 4 + 2) / 3;

constexpr std::uint64_t kHasWriteId = 1;
constexpr std::uint64_t kWasRestamped = 2;
constexpr unsigned kSeenFlagBits = 2;

std::uint64_t checksum(std::string_view fields, std::string_view bucket, std::string_view key,
                       std::uint64_t secret) {
  return hash64(key, hash64(bucket, hash64(fields, secret)));
}

std::unexpected<Error> refused(ErrorCode code) {
  return std::unexpected(Error{.code = code});
}

// An actor that the clock names is written as its place there, from 1; else 0 and its name.
std::size_t place_in(const Clock& clock, const Actor& actor) {
  const std::span<const Dot> entries = clock.entries();
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].actor == actor) return i + 1;
  }
  return 0;
}

void append_actor(std::string& out, const Actor& actor) {
  append_u64(out, actor.incarnation.value);
  append_varint(out, actor.life);
}

Actor read_actor(ByteReader& reader) {
  const Incarnation incarnation{reader.u64()};
  return {incarnation, reader.varint()};
}

void append_seen(std::string& out, const Clock& clock, const SeenVersion& seen) {
  const std::size_t place = place_in(clock, seen.dot.actor);
  std::uint64_t head = std::uint64_t{place} << kSeenFlagBits;
  if (seen.write_id) head |= kHasWriteId;
  if (seen.first_counter != seen.dot.counter) head |= kWasRestamped;
  append_varint(out, head);
  if (place == 0) append_actor(out, seen.dot.actor);
  append_varint(out, seen.dot.counter);
  if (seen.first_counter != seen.dot.counter) append_varint(out, seen.first_counter);
  if (seen.write_id) {
    append_u64(out, seen.write_id.high);
    append_u64(out, seen.write_id.low);
  }
}

bool read_seen(ByteReader& reader, const Clock& clock, SeenVersion& seen) {
  const std::uint64_t head = reader.varint();
  const std::uint64_t place = head >> kSeenFlagBits;
  if (place > clock.entries().size()) return false;
  seen.dot.actor = place == 0 ? read_actor(reader) : clock.entries()[place - 1].actor;
  seen.dot.counter = reader.varint();
  seen.first_counter = (head & kWasRestamped) != 0 ? reader.varint() : seen.dot.counter;
  if ((head & kHasWriteId) != 0) {
    const std::uint64_t high = reader.u64();
    seen.write_id = {high, reader.u64()};
  }
  return reader.ok() && seen.first_counter != 0 && seen.first_counter <= seen.dot.counter;
}

bool read_clock(ByteReader& reader, Clock& clock) {
  const std::uint64_t count = reader.varint();
  for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
    const Actor actor = read_actor(reader);
    const Dot dot{actor, reader.varint()};
    if (dot.counter == 0) return false;
    if (!clock.empty() && dot.actor <= clock.entries().back().actor) return false;
    clock.add(dot);
  }
  return reader.ok();
}

bool read_fields(ByteReader& reader, Context& out) {
  if (!read_clock(reader, out.clock)) return false;
  const std::uint64_t count = reader.varint();
  for (std::uint64_t i = 0; i < count; ++i) {
    SeenVersion seen;
    if (!read_seen(reader, out.clock, seen)) return false;
    out.seen.push_back(seen);
  }
  out.time = {reader.u64()};
  out.fastest = {reader.varint()};
  return reader.finished();
}

}  // namespace

void encode_context(const Context& context, std::string_view bucket, std::string_view key,
                    std::uint64_t secret, std::string& out) {
  const std::size_t start = out.size();
  append_u8(out, kFormat);
  append_varint(out, context.clock.entries().size());
  for (const Dot& dot : context.clock.entries()) {
    append_actor(out, dot.actor);
    append_varint(out, dot.counter);
  }
  append_varint(out, context.seen.size());
  for (const SeenVersion& seen : context.seen) append_seen(out, context.clock, seen);
  append_u64(out, context.time.value);
  append_varint(out, context.fastest.value);
  const std::string_view fields = std::string_view{out}.substr(start);
  append_u64(out, checksum(fields, bucket, key, secret));
}

Result<void> decode_context(std::string_view bytes, std::string_view bucket, std::string_view key,
                            std::uint64_t secret, Context& out) {
  out.clear();
  if (bytes.size() > kContextBytesMax) return refused(ErrorCode::kTooLarge);
  if (bytes.size() <= kChecksumBytes) return refused(ErrorCode::kBadContext);
  const std::string_view fields = bytes.substr(0, bytes.size() - kChecksumBytes);
  const std::uint64_t expected = ByteReader{bytes.substr(fields.size())}.u64();
  // The checksum first, so that only a context that some node made is told from a random one.
  if (checksum(fields, bucket, key, secret) != expected) return refused(ErrorCode::kBadContext);
  ByteReader reader{fields};
  if (reader.u8() != kFormat) return refused(ErrorCode::kNotSupported);
  if (!read_fields(reader, out)) {
    out.clear();
    return refused(ErrorCode::kBadContext);
  }
  return {};
}

void encode_context_text(const Context& context, std::string_view bucket, std::string_view key,
                         std::uint64_t secret, std::string& out) {
  thread_local std::string bytes;  // keeps its capacity: no allocation once warm
  bytes.clear();
  encode_context(context, bucket, key, secret, bytes);
  append_base64(out, bytes, Base64::kUrl);
}

Result<void> decode_context_text(std::string_view text, std::string_view bucket,
                                 std::string_view key, std::uint64_t secret, Context& out) {
  thread_local std::string bytes;
  out.clear();
  if (text.size() > kTextBytesMax) return refused(ErrorCode::kTooLarge);
  bytes.clear();
  if (!decode_base64(text, Base64::kUrl, bytes)) return refused(ErrorCode::kBadContext);
  return decode_context(bytes, bucket, key, secret, out);
}

}  // namespace stator

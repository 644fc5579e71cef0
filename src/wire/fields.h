#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "wire/codes.h"
#include "wire/messages.h"

// Tagged fields: tag byte, length as varint, payload (docs/format/frames.md). A message is
// described once, by a function that names its fields to a visitor in ascending order of tags;
// FieldWriter and FieldReader are the two visitors, so that encoder and decoder cannot drift apart.
// Internal to wire.
//
// There is one form for each message: tags ascend, a field with its default value is absent, widths
// are fixed, lengths are minimal. Tags that the reader does not know are skipped.

namespace stator::wire::internal {

constexpr std::size_t varint_bytes(std::uint64_t v) {
  std::size_t n = 1;
  for (; v >= 0x80; v >>= 7) ++n;
  return n;
}

/// How many enumerators, from 0, this version knows.
template <typename Enum>
inline constexpr std::uint8_t kEnumerators = 0;
template <>
inline constexpr std::uint8_t kEnumerators<ReplyStatus> = 3;
template <>
inline constexpr std::uint8_t kEnumerators<Durability> = 2;
template <>
inline constexpr std::uint8_t kEnumerators<WriteKind> = 2;
template <>
inline constexpr std::uint8_t kEnumerators<Outcome> = 3;
static_assert(static_cast<int>(Outcome::kOk) == 0 && static_cast<int>(Outcome::kNotApplied) == 1 &&
              static_cast<int>(Outcome::kUnknown) == 2);

/// Bytes of a scanned key in front of its bucket.
inline constexpr std::size_t kScannedKeyHead = 5 * sizeof(std::uint64_t) + 1;

class FieldWriter {
 public:
  explicit FieldWriter(std::string& out) : out_(out) {}

  void field(std::uint8_t tag, std::string_view value, std::string_view /*absent*/) {
    if (value.empty()) return;
    ShortBytes<1 + kVarintBytesMax> head;
    head.add(tag);
    head.add_varint(value.size());
    out_.append(head.view()).append(value);
  }
  template <typename T>
  void field(std::uint8_t tag, const T& value, const T& absent) {
    if (value == absent) return;
    if constexpr (std::is_same_v<T, ErrorCode>) {
      number(tag, to_wire(value));
    } else if constexpr (std::is_same_v<T, WriteId>) {
      char raw[2 * sizeof(std::uint64_t)];
      std::memcpy(raw, &value.high, sizeof value.high);
      std::memcpy(raw + sizeof value.high, &value.low, sizeof value.low);
      append_u8(out_, tag);
      append_sized(out_, {raw, sizeof raw});
    } else if constexpr (std::is_same_v<T, WallTime>) {
      number(tag, value.us);
    } else if constexpr (std::is_same_v<T, bool>) {
      number(tag, std::uint8_t{1});
    } else if constexpr (std::is_enum_v<T>) {
      number(tag, static_cast<std::uint8_t>(value));
    } else if constexpr (std::is_class_v<T>) {
      number(tag, value.value);  // NodeId, Hlc and their kind
    } else {
      number(tag, value);
    }
  }
  void list(std::uint8_t tag, const std::vector<std::string_view>& entries) {
    for (const std::string_view entry : entries) {
      append_u8(out_, tag);
      append_sized(out_, entry);
    }
  }
  void list(std::uint8_t tag, const std::vector<ScannedKey>& keys) {
    for (const ScannedKey& k : keys) {
      append_u8(out_, tag);
      append_varint(
          out_, kScannedKeyHead + varint_bytes(k.bucket.size()) + k.bucket.size() + k.key.size());
      append_u64(out_, k.time.value);
      append_u64(out_, k.event.actor.incarnation.value);
      append_u64(out_, k.event.actor.life);
      append_u64(out_, k.event.counter);
      append_u64(out_, static_cast<std::uint64_t>(k.expires_at.us));
      append_u8(out_, k.tombstone ? 1 : 0);
      append_sized(out_, k.bucket);
      out_.append(k.key);
    }
  }

 private:
  template <typename Integer>
  void number(std::uint8_t tag, Integer value) {
    char raw[2 + sizeof value];
    raw[0] = static_cast<char>(tag);
    raw[1] = static_cast<char>(sizeof value);
    std::memcpy(raw + 2, &value, sizeof value);
    out_.append(raw, sizeof raw);
  }

  std::string& out_;
};

class FieldReader {
 public:
  explicit FieldReader(std::string_view body) : reader_(body) { step(); }

  /// After the last field: skips what is unknown and tells how it went.
  [[nodiscard]] Result<void> finish() {
    while (tag_ != 0) step();
    if (failed_) return std::unexpected(Error{.code = code_});
    return {};
  }

  void field(std::uint8_t tag, std::string_view& value, std::string_view /*absent*/) {
    if (!reach(tag)) return;
    value = payload_;
    if (value.empty()) return fail(ErrorCode::kCorrupt);
    next_after(tag);
  }
  template <typename T>
  void field(std::uint8_t tag, T& value, const T& absent) {
    if (!reach(tag)) return;
    if constexpr (std::is_same_v<T, ErrorCode>) {
      std::uint8_t raw = 0;
      number(raw);
      value = error_code_from_wire(raw);
      return next_after(tag);  // an unknown code is read as the default
    } else if constexpr (std::is_same_v<T, WriteId>) {
      ByteReader raw(payload_);
      value = {raw.u64(), raw.u64()};
      if (!raw.finished()) return fail(ErrorCode::kCorrupt);
    } else if constexpr (std::is_same_v<T, WallTime>) {
      number(value.us);
    } else if constexpr (std::is_same_v<T, bool>) {
      std::uint8_t raw = 0;
      number(raw);
      if (raw > 1) return fail(ErrorCode::kCorrupt);
      value = raw == 1;
    } else if constexpr (std::is_enum_v<T>) {
      static_assert(kEnumerators<T> > 0, "state how many enumerators are known");
      std::uint8_t raw = 0;
      number(raw);
      if (raw >= kEnumerators<T>) return fail(ErrorCode::kNotSupported);
      value = static_cast<T>(raw);
    } else if constexpr (std::is_class_v<T>) {
      number(value.value);
    } else {
      number(value);
    }
    if (value == absent) return fail(ErrorCode::kCorrupt);
    next_after(tag);
  }
  void list(std::uint8_t tag, std::vector<std::string_view>& entries) {
    for (bool here = reach(tag); here; here = tag_ == tag) {
      if (entries.size() == kListMax) return fail(ErrorCode::kTooLarge);
      entries.push_back(payload_);
      step();
    }
  }
  void list(std::uint8_t tag, std::vector<ScannedKey>& keys) {
    for (bool here = reach(tag); here; here = tag_ == tag) {
      if (keys.size() == kListMax) return fail(ErrorCode::kTooLarge);
      ByteReader raw(payload_);
      ScannedKey k;
      k.time = {raw.u64()};
      k.event.actor.incarnation = {raw.u64()};
      k.event.actor.life = raw.u64();
      k.event.counter = raw.u64();
      k.expires_at = {static_cast<std::int64_t>(raw.u64())};
      const std::uint8_t tombstone = raw.u8();
      k.bucket = sized(raw);
      if (!raw.ok() || tombstone > 1) return fail(ErrorCode::kCorrupt);
      k.tombstone = tombstone == 1;
      k.key = raw.rest();
      keys.push_back(k);
      step();
    }
  }

 private:
  // Length in its shortest form, then so many bytes.
  static std::string_view sized(ByteReader& reader) {
    const std::size_t before = reader.rest().size();
    const std::uint64_t size = reader.varint();
    if (before - reader.rest().size() != varint_bytes(size)) reader.fail();
    return reader.bytes(size);
  }
  // Takes up the next field; tag_ 0 at the end and after a failure.
  void step() {
    if (failed_ || reader_.rest().empty()) {
      tag_ = 0;
      return;
    }
    const std::uint8_t tag = reader_.u8();
    payload_ = sized(reader_);
    if (!reader_.ok() || tag == 0 || tag < tag_) return fail(ErrorCode::kCorrupt);
    tag_ = tag;
  }
  // Skips what an older reader does not know; true when a field of this tag is at hand.
  bool reach(std::uint8_t tag) {
    while (tag_ != 0 && tag_ < tag) step();
    return tag_ == tag;
  }
  // A field that is not a list stands once.
  void next_after(std::uint8_t tag) {
    step();
    if (tag_ == tag) fail(ErrorCode::kCorrupt);
  }
  template <typename Integer>
  void number(Integer& value) {
    if (payload_.size() != sizeof value) return fail(ErrorCode::kCorrupt);
    std::memcpy(&value, payload_.data(), sizeof value);
  }
  void fail(ErrorCode code) {
    if (!failed_) code_ = code;
    failed_ = true;
    tag_ = 0;
  }

  ByteReader reader_;
  std::string_view payload_{};
  std::uint8_t tag_ = 0;
  bool failed_ = false;
  ErrorCode code_ = ErrorCode::kCorrupt;
};

}  // namespace stator::wire::internal

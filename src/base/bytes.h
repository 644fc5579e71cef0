#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

// Little-endian encoding for everything stored or sent (docs/format), and a reader that cannot run
// past its end: after the first short read it stays failed and yields zeros, so that a decoder
// checks once.

namespace stator {

static_assert(std::endian::native == std::endian::little,
              "the formats are written for little endian");

template <typename Integer>
inline void append_integer(std::string& out, Integer value) {
  char raw[sizeof(Integer)];
  std::memcpy(raw, &value, sizeof value);
  out.append(raw, sizeof value);
}
inline void append_u8(std::string& out, std::uint8_t v) {
  append_integer(out, v);
}
inline void append_u16(std::string& out, std::uint16_t v) {
  append_integer(out, v);
}
inline void append_u32(std::string& out, std::uint32_t v) {
  append_integer(out, v);
}
inline void append_u64(std::string& out, std::uint64_t v) {
  append_integer(out, v);
}

inline constexpr std::size_t kVarintBytesMax = 10;

/// Integers that are put together first and appended at once: an append looks for room each time,
/// and is a call. `kBytesMax` is the most that its user puts in.
template <std::size_t kBytesMax>
class ShortBytes {
 public:
  template <typename Integer>
  void add(Integer value) {
    std::memcpy(bytes_ + size_, &value, sizeof value);
    size_ += sizeof value;
  }
  /// LEB128, at most kVarintBytesMax.
  void add_varint(std::uint64_t v) {
    while (v >= 0x80) {
      bytes_[size_++] = static_cast<char>(v | 0x80);
      v >>= 7;
    }
    bytes_[size_++] = static_cast<char>(v);
  }
  [[nodiscard]] std::string_view view() const { return {bytes_, size_}; }

 private:
  char bytes_[kBytesMax];
  std::size_t size_ = 0;
};

inline void append_varint(std::string& out, std::uint64_t v) {
  ShortBytes<kVarintBytesMax> bytes;
  bytes.add_varint(v);
  out.append(bytes.view());
}
/// Length as varint, then the bytes.
inline void append_sized(std::string& out, std::string_view bytes) {
  append_varint(out, bytes.size());
  out.append(bytes);
}
/// Overwrites bytes already in `out`, e.g. a length that is known only at the end.
template <typename Integer>
inline void overwrite_integer(std::string& out, std::size_t offset, Integer value) {
  std::memcpy(out.data() + offset, &value, sizeof value);
}

class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  [[nodiscard]] bool ok() const { return !failed_; }
  /// All consumed and nothing short: what a decoder of a whole message asks at its end.
  [[nodiscard]] bool finished() const { return !failed_ && rest_.empty(); }
  [[nodiscard]] std::string_view rest() const { return rest_; }

  std::uint8_t u8() { return integer<std::uint8_t>(); }
  std::uint16_t u16() { return integer<std::uint16_t>(); }
  std::uint32_t u32() { return integer<std::uint32_t>(); }
  std::uint64_t u64() { return integer<std::uint64_t>(); }

  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const std::uint8_t byte = u8();
      if (failed_) return 0;
      if (shift == 63 && byte > 1) break;  // more than 64 bits
      value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if ((byte & 0x80) == 0) return value;
    }
    fail();
    return 0;
  }
  /// The next `size` bytes, as a view into the input.
  std::string_view bytes(std::uint64_t size) {
    if (failed_ || size > rest_.size()) {
      fail();
      return {};
    }
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  std::string_view sized() { return bytes(varint()); }
  void fail() {
    failed_ = true;
    rest_ = {};
  }

 private:
  template <typename Integer>
  Integer integer() {
    if (failed_ || rest_.size() < sizeof(Integer)) {
      fail();
      return 0;
    }
    Integer value;
    std::memcpy(&value, rest_.data(), sizeof value);
    rest_.remove_prefix(sizeof value);
    return value;
  }

  std::string_view rest_;
  bool failed_ = false;
};

}  // namespace stator

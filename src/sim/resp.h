#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace stator::sim {

/// A reply in RESP2, as a client holds it.
struct Reply {
  enum class Type : std::uint8_t { kStatus, kError, kInteger, kBulk, kNull, kArray };
  Type type = Type::kNull;
  std::string text;  // status, error (with its prefix), bulk
  std::int64_t integer = 0;
  std::vector<Reply> members;

  [[nodiscard]] bool is_error() const { return type == Type::kError; }
  /// "UNKNOWN" of "-UNKNOWN 01ab... why".
  [[nodiscard]] std::string_view error_prefix() const {
    return std::string_view(text).substr(0, text.find(' '));
  }
};

/// Appends a command as an array of bulk strings.
void append_command(std::string& out, std::span<const std::string_view> words);
inline void append_command(std::string& out, std::initializer_list<std::string_view> words) {
  append_command(out, std::span(words.begin(), words.size()));
}

/// The reply at the beginning of `bytes`. Returns the bytes that it takes; 0: it is not complete;
/// nothing: this is no RESP2.
[[nodiscard]] std::optional<std::size_t> parse_reply(std::string_view bytes, Reply& out);

}  // namespace stator::sim

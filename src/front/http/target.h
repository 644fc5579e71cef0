#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stator::http {

/// The parts of a request's target (RFC 9112 3.2). Views into it, still percent-encoded.
struct Target {
  std::string_view authority;  // of an absolute target; empty otherwise
  std::string_view path;
  std::string_view query;  // without the '?'
};
[[nodiscard]] Target split_target(std::string_view target);

/// Appends the bytes that `text` stands for; any byte may be encoded. False on a bad escape.
[[nodiscard]] bool percent_decode(std::string_view text, std::string& out);

/// Takes the next segment off the front of `path`, which begins with '/'; nullopt when there is
/// none.
[[nodiscard]] std::optional<std::string_view> take_segment(std::string_view& path);

/// Walks over `name=value` pairs of a query, still encoded; empty pairs are passed over.
class QueryReader {
 public:
  explicit QueryReader(std::string_view query) : rest_(query) {}
  [[nodiscard]] bool next(std::string_view& name, std::string_view& value);

 private:
  std::string_view rest_;
};

/// Decimal digits only, at most `max`.
[[nodiscard]] std::optional<std::uint64_t> parse_decimal(std::string_view text, std::uint64_t max);

}  // namespace stator::http

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// Commands out of a stream of bytes: RESP arrays of bulk strings, and inline commands (a line of
// words, for people). The bytes come from anybody, so that nothing announced is ever allocated,
// every length is checked before it is used, nothing recurses, and a line of HTTP is recognised
// (design 2.3: no web page may write through a browser).

namespace stator::redis {

using Arguments = std::span<const std::string_view>;

/// Where arguments go; reused from command to command, shared by all connections of a loop.
struct ArgumentList {
  std::vector<std::string_view> views;  // into the input, or into `unquoted`
  std::string unquoted;
  [[nodiscard]] Arguments all() const { return views; }
};

/// A command that exceeds one of these is refused and its connection ends: what follows cannot be
/// told from its rest.
struct ParserLimits {
  std::size_t bulk_bytes_max = (1 << 20) + (64 << 10);
  std::size_t command_bytes_max = 32 << 20;
  std::uint32_t arguments_max = 65'536;
  std::size_t inline_bytes_max = 16 << 10;
};

enum class ParseStatus : std::uint8_t {
  kCommand,     // `consumed` bytes are a command; without arguments: an empty one, to be ignored
  kIncomplete,  // more input is needed; nothing is consumed
  kHttp,        // close at once, without an answer
  kBad,         // `problem` says what; close after saying it
  kTooLarge,    // the same, for something over a limit
};

struct Parsed {
  ParseStatus status = ParseStatus::kIncomplete;
  std::size_t consumed = 0;
  const char* problem = "";
};

/// One per connection. Input always begins at the first byte that is not consumed. What was scanned
/// of an incomplete command is not scanned again, however small the pieces in which it arrives; the
/// whole is gone through once more when it is complete. 32 bytes of state.
class RespParser {
 public:
  /// `out` holds the arguments when the status is kCommand, until the input changes.
  [[nodiscard]] Parsed next(std::string_view input, const ParserLimits& limits, ArgumentList& out);

  /// The name in a command of which `input` is the incomplete beginning; empty when not even that
  /// has arrived.
  [[nodiscard]] static std::string_view name_of(std::string_view input);

 private:
  [[nodiscard]] Parsed next_array(std::string_view input, const ParserLimits& limits,
                                  std::vector<std::string_view>* out);
  [[nodiscard]] Parsed next_inline(std::string_view input, const ParserLimits& limits,
                                   ArgumentList& out);
  void restart() { *this = {}; }

  std::size_t scanned_ = 0;  // whole lines and arguments; 0: nothing yet
  std::uint32_t missing_ = 0;
};

}  // namespace stator::redis

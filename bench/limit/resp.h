#pragma once

#include <array>
#include <cstddef>
#include <string_view>

// The subset of the Redis protocol that load generators speak: commands as arrays of bulk strings.

namespace stator::limit {

struct Command {
  static constexpr std::size_t kArgumentsMax = 8;
  std::array<std::string_view, kArgumentsMax> arguments;  // views into the parsed bytes
  std::size_t argument_count = 0;
  std::size_t bytes = 0;  // what the command took from the input

  /// Whether argument 0 is `upper`, in any case of letters.
  [[nodiscard]] bool is(std::string_view upper) const;
};

enum class ParseResult { kComplete, kIncomplete, kMalformed };

/// Reads one command from the front of `input`. On kIncomplete try again with more bytes; after
/// kMalformed the connection cannot be used any more.
[[nodiscard]] ParseResult parse_command(std::string_view input, Command& command);

}  // namespace stator::limit

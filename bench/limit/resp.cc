#include "limit/resp.h"

namespace stator::limit {

namespace {

constexpr std::size_t kBulkSizeMax = std::size_t{16} << 20;

// `<marker><digits>\r\n` at `position`; advances it behind the line.
ParseResult parse_count(std::string_view input, std::size_t& position, char marker,
                        std::size_t count_max, std::size_t& count) {
  if (position >= input.size()) return ParseResult::kIncomplete;
  if (input[position] != marker) return ParseResult::kMalformed;
  std::size_t value = 0;
  std::size_t at = position + 1;
  for (; at < input.size() && input[at] >= '0' && input[at] <= '9'; ++at) {
    value = value * 10 + static_cast<std::size_t>(input[at] - '0');
    if (value > count_max) return ParseResult::kMalformed;
  }
  if (at + 1 >= input.size()) return ParseResult::kIncomplete;
  if (at == position + 1 || input[at] != '\r' || input[at + 1] != '\n') {
    return ParseResult::kMalformed;
  }
  position = at + 2;
  count = value;
  return ParseResult::kComplete;
}

}  // namespace

bool Command::is(std::string_view upper) const {
  const std::string_view name = arguments[0];
  if (name.size() != upper.size()) return false;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char letter =
        name[i] >= 'a' && name[i] <= 'z' ? static_cast<char>(name[i] - 32) : name[i];
    if (letter != upper[i]) return false;
  }
  return true;
}

ParseResult parse_command(std::string_view input, Command& command) {
  std::size_t position = 0;
  std::size_t count = 0;
  ParseResult result = parse_count(input, position, '*', Command::kArgumentsMax, count);
  if (result != ParseResult::kComplete) return result;
  if (count == 0) return ParseResult::kMalformed;
  for (std::size_t i = 0; i < count; ++i) {
    std::size_t size = 0;
    result = parse_count(input, position, '$', kBulkSizeMax, size);
    if (result != ParseResult::kComplete) return result;
    if (input.size() - position < size + 2) return ParseResult::kIncomplete;
    command.arguments[i] = input.substr(position, size);
    if (input.substr(position + size, 2) != "\r\n") return ParseResult::kMalformed;
    position += size + 2;
  }
  command.argument_count = count;
  command.bytes = position;
  return ParseResult::kComplete;
}

}  // namespace stator::limit

#include "cli/bench/reply.h"

#include <charconv>
#include <cstring>
#include <optional>

namespace stator::bench {

namespace {

enum class Found : std::uint8_t { kPart, kIncomplete, kBad };

struct Part {
  Reply reply;
  std::size_t bytes = 0;
};

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Found read_bulk(std::string_view input, std::int64_t announced, Part& out) {
  if (announced == -1) {
    out.reply = {};
    return Found::kPart;
  }
  if (announced < 0 || announced > ReplyScanner::kBulkMax) return Found::kBad;
  const auto size = static_cast<std::size_t>(announced);
  if (input.size() < out.bytes + size + 2) return Found::kIncomplete;
  if (input[out.bytes + size] != '\r' || input[out.bytes + size + 1] != '\n') return Found::kBad;
  out.reply = {ReplyType::kBulk, input.substr(out.bytes, size)};
  out.bytes += size + 2;
  return Found::kPart;
}

// One line, and the bytes of a bulk string after it. Members of an array are parts of their own.
Found read_part(std::string_view input, Part& out) {
  // The longest line is an error; a line without an end is none.
  constexpr std::size_t kLineMax = 64UL * 1024;
  const auto* newline =
      input.empty() ? nullptr
                    : static_cast<const char*>(std::memchr(input.data(), '\n', input.size()));
  if (newline == nullptr) return input.size() > kLineMax ? Found::kBad : Found::kIncomplete;
  const auto end = static_cast<std::size_t>(newline - input.data());
  if (end < 2 || input[end - 1] != '\r') return Found::kBad;
  const std::string_view line = input.substr(1, end - 2);
  out.bytes = end + 1;
  if (input[0] == '+' || input[0] == '-') {
    out.reply = {input[0] == '+' ? ReplyType::kSimple : ReplyType::kError, line};
    return Found::kPart;
  }
  const auto value = number(line);
  if (!value) return Found::kBad;
  switch (input[0]) {
    case ':': out.reply = {ReplyType::kInteger, {}, *value}; return Found::kPart;
    case '$': return read_bulk(input, *value, out);
    case '*':
      if (*value < -1 || *value > ReplyScanner::kMembersMax) return Found::kBad;
      out.reply = *value == -1 ? Reply{} : Reply{ReplyType::kArray, {}, *value};
      return Found::kPart;
    default: return Found::kBad;
  }
}

}  // namespace

Result<std::size_t> ReplyScanner::next(std::string_view input) {
  while (missing_ > 0) {
    Part part;
    switch (read_part(input.substr(scanned_), part)) {
      case Found::kIncomplete: return 0;
      case Found::kBad:
        return std::unexpected(
            Error{.code = ErrorCode::kCorrupt, .detail = "the answer is not the Redis protocol"});
      case Found::kPart: break;
    }
    scanned_ += part.bytes;
    --missing_;
    if (part.reply.is(ReplyType::kArray))
      missing_ += static_cast<std::uint64_t>(part.reply.integer);
  }
  const std::size_t size = scanned_;
  *this = {};
  return size;
}

Reply ReplyReader::next() {
  Part part;
  if (read_part(rest_, part) != Found::kPart) {
    rest_ = {};
    return {};
  }
  rest_.remove_prefix(part.bytes);
  return part.reply;
}

void ReplyReader::skip() {
  for (std::int64_t missing = 1; missing > 0 && !rest_.empty(); --missing) {
    const Reply part = next();
    if (part.is(ReplyType::kArray)) missing += part.integer;
  }
}

}  // namespace stator::bench

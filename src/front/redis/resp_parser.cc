#include "front/redis/resp_parser.h"

#include <algorithm>

#include "front/redis/inline_command.h"

namespace stator::redis {
namespace {

enum class Line : std::uint8_t { kWhole, kCut, kBad };

// "<type><decimal>\r\n" at `at`, which is moved behind it. 18 digits are more than any limit, and
// fit into 63 bits.
constexpr std::size_t kDigitsMax = 18;

Line read_number(std::string_view input, char type, std::size_t& at, std::int64_t& value) {
  std::size_t i = at;
  if (i == input.size()) return Line::kCut;
  if (input[i++] != type) return Line::kBad;
  const bool negative = i < input.size() && input[i] == '-';
  if (negative) ++i;
  const std::size_t first = i;
  std::int64_t number = 0;
  while (i < input.size() && input[i] >= '0' && input[i] <= '9') {
    if (i - first == kDigitsMax) return Line::kBad;
    number = number * 10 + (input[i] - '0');
    ++i;
  }
  if (i == input.size()) return Line::kCut;
  if (i == first || input[i] != '\r') return Line::kBad;
  if (i + 1 == input.size()) return Line::kCut;
  if (input[i + 1] != '\n') return Line::kBad;
  value = negative ? -number : number;
  at = i + 2;
  return Line::kWhole;
}

Parsed bad(const char* problem) {
  return {.status = ParseStatus::kBad, .problem = problem};
}
Parsed too_large(const char* problem) {
  return {.status = ParseStatus::kTooLarge, .problem = problem};
}

}  // namespace

Parsed RespParser::next(std::string_view input, const ParserLimits& limits, ArgumentList& out) {
  out.views.clear();
  if (input.empty()) return {};
  if (input.front() != '*') return next_inline(input, limits, out);
  const bool resumed = scanned_ > 0;
  Parsed parsed = next_array(input, limits, resumed ? nullptr : &out.views);
  if (parsed.status == ParseStatus::kIncomplete) return parsed;
  restart();
  if (parsed.status == ParseStatus::kCommand && resumed) {
    parsed = next_array(input, limits, &out.views);
    restart();
  }
  return parsed;
}

Parsed RespParser::next_array(std::string_view input, const ParserLimits& limits,
                              std::vector<std::string_view>* out) {
  if (scanned_ == 0) {
    std::size_t at = 0;
    std::int64_t count = 0;
    switch (read_number(input, '*', at, count)) {
      case Line::kCut: return {};
      case Line::kBad: return bad("invalid multibulk length");
      case Line::kWhole: break;
    }
    if (count > limits.arguments_max) return too_large("too many arguments in one command");
    scanned_ = at;
    missing_ = static_cast<std::uint32_t>(std::max<std::int64_t>(count, 0));
  }
  while (missing_ > 0) {
    std::size_t at = scanned_;
    std::int64_t announced = 0;
    switch (read_number(input, '$', at, announced)) {
      case Line::kCut: return {};
      case Line::kBad: return bad("expected '$' and the length of an argument");
      case Line::kWhole: break;
    }
    if (announced < 0) return bad("invalid bulk length");
    const auto size = static_cast<std::size_t>(announced);
    if (size > limits.bulk_bytes_max) return too_large("an argument is over the value limit");
    if (at + size > limits.command_bytes_max)
      return too_large("the command as a whole is too large");
    if (input.size() - at < size + 2) return {};
    if (input[at + size] != '\r' || input[at + size + 1] != '\n') {
      return bad("an argument does not end where its length says");
    }
    if (out != nullptr) out->push_back(input.substr(at, size));
    scanned_ = at + size + 2;
    --missing_;
  }
  return {.status = ParseStatus::kCommand, .consumed = scanned_};
}

Parsed RespParser::next_inline(std::string_view input, const ParserLimits& limits,
                               ArgumentList& out) {
  const std::string_view window = input.substr(0, limits.inline_bytes_max);
  const std::size_t from = std::min(scanned_, window.size());
  const std::size_t end = window.find('\n', from);
  if (end == std::string_view::npos) {
    if (window.size() == limits.inline_bytes_max) {
      restart();
      return too_large("an inline command is too long");
    }
    scanned_ = window.size();
    return {};
  }
  restart();
  std::string_view line = window.substr(0, end);
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (is_http(line)) return {.status = ParseStatus::kHttp};
  if (const char* problem = split_inline(line, out); problem != nullptr) return bad(problem);
  return {.status = ParseStatus::kCommand, .consumed = end + 1};
}

std::string_view RespParser::name_of(std::string_view input) {
  std::size_t at = 0;
  std::int64_t number = 0;
  if (read_number(input, '*', at, number) != Line::kWhole) return {};
  if (read_number(input, '$', at, number) != Line::kWhole || number < 0) return {};
  const auto size = static_cast<std::size_t>(number);
  return input.size() - at < size ? std::string_view{} : input.substr(at, size);
}

}  // namespace stator::redis

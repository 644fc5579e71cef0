#include "front/redis/inline_command.h"

#include <algorithm>
#include <array>

#include "front/redis/text.h"

namespace stator::redis {
namespace {

constexpr std::array<std::string_view, 10> kVerbs = {
    "get", "post", "put", "head", "delete", "options", "patch", "connect", "trace", "pri"};

bool is_space(char c) {
  return c == ' ' || c == '\t';
}

int hex_value(char c) {
  const char lower = to_lower(c);
  if (lower >= '0' && lower <= '9') return lower - '0';
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// What stands behind a backslash in double quotes; `at` is moved behind it.
char unescape(std::string_view line, std::size_t& at) {
  const char c = line[at++];
  switch (c) {
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'b': return '\b';
    case 'a': return '\a';
    case 'x':
      if (at + 1 < line.size() && hex_value(line[at]) >= 0 && hex_value(line[at + 1]) >= 0) {
        const int value = hex_value(line[at]) * 16 + hex_value(line[at + 1]);
        at += 2;
        return static_cast<char>(value);
      }
      return c;
    default: return c;
  }
}

// The quoted word at `at`, which is moved behind its closing quote; false when that is missing.
bool read_quoted(std::string_view line, std::size_t& at, std::string& out) {
  const char quote = line[at++];
  while (at < line.size()) {
    const char c = line[at++];
    if (c == quote) return true;
    if (c == '\\' && at < line.size()) {
      if (quote == '"') {
        out.push_back(unescape(line, at));
        continue;
      }
      if (line[at] == '\'') {
        out.push_back(line[at++]);
        continue;
      }
    }
    out.push_back(c);
  }
  return false;
}

}  // namespace

bool is_http(std::string_view line) {
  const std::size_t end = std::min(line.find_first_of(" \t"), line.size());
  const std::string_view first = line.substr(0, end);
  if (equal_ignoring_case(first, "host:")) return true;
  if (std::ranges::none_of(kVerbs, [&](auto verb) { return equal_ignoring_case(first, verb); })) {
    return false;
  }
  const std::size_t target = std::min(line.find_first_not_of(" \t", end), line.size());
  const std::string_view rest = line.substr(target);
  return rest.starts_with('/') || rest.find(" HTTP/") != std::string_view::npos ||
         rest.starts_with("http://") || rest.starts_with("https://") ||
         equal_ignoring_case(first, "post");
}

const char* split_inline(std::string_view line, ArgumentList& out) {
  out.unquoted.clear();
  out.unquoted.reserve(line.size());  // so that views into it stay valid
  std::size_t at = 0;
  for (;;) {
    while (at < line.size() && is_space(line[at])) ++at;
    if (at == line.size()) return nullptr;
    if (line[at] == '"' || line[at] == '\'') {
      const std::size_t first = out.unquoted.size();
      if (!read_quoted(line, at, out.unquoted)) return "unbalanced quotes in request";
      if (at < line.size() && !is_space(line[at])) return "unbalanced quotes in request";
      out.views.push_back(std::string_view(out.unquoted).substr(first));
      continue;
    }
    const std::size_t first = at;
    while (at < line.size() && !is_space(line[at])) {
      const auto c = static_cast<unsigned char>(line[at]);
      if (c < 0x20 || c == 0x7F) return "this is neither RESP nor a line of text";
      ++at;
    }
    out.views.push_back(line.substr(first, at - first));
  }
}

}  // namespace stator::redis

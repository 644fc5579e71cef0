#include "sim/resp.h"

#include <charconv>

namespace stator::sim {
namespace {

constexpr int kDepthMax = 8;
constexpr std::int64_t kMembersMax = 1 << 20;

void append_length(std::string& out, char type, std::size_t size) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, size).ptr;
  out.push_back(type);
  out.append(digits, end).append("\r\n");
}

// Consumes from `rest`; false: incomplete, or not RESP2 (then `bad`).
struct Parser {
  std::string_view rest;
  bool bad = false;

  bool fail() {
    bad = true;
    return false;
  }
  bool line(std::string_view& out) {
    const std::size_t end = rest.find("\r\n");
    if (end == std::string_view::npos) return false;
    out = rest.substr(0, end);
    rest.remove_prefix(end + 2);
    return true;
  }
  bool number(std::string_view text, std::int64_t& out) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return (error == std::errc() && end == text.data() + text.size()) || fail();
  }
  bool bulk(std::int64_t size, Reply& out) {
    if (size == -1) {
      out.type = Reply::Type::kNull;
      return true;
    }
    if (size < 0) return fail();
    const auto bytes = static_cast<std::size_t>(size);
    if (rest.size() < bytes + 2) return false;
    if (rest.substr(bytes, 2) != "\r\n") return fail();
    out.type = Reply::Type::kBulk;
    out.text = rest.substr(0, bytes);
    rest.remove_prefix(bytes + 2);
    return true;
  }
  bool array(std::int64_t size, Reply& out, int depth) {
    if (size == -1) {
      out.type = Reply::Type::kNull;
      return true;
    }
    if (size < 0 || size > kMembersMax) return fail();
    out.type = Reply::Type::kArray;
    for (std::int64_t i = 0; i < size; ++i) {
      if (!reply(out.members.emplace_back(), depth + 1)) return false;
    }
    return true;
  }
  bool reply(Reply& out, int depth) {
    if (depth > kDepthMax) return fail();
    if (rest.empty()) return false;
    const char type = rest.front();
    if (std::string_view("+-:$*").find(type) == std::string_view::npos) return fail();
    std::string_view text;
    if (!line(text)) return false;
    text.remove_prefix(1);
    if (type == '+' || type == '-') {
      out.type = type == '+' ? Reply::Type::kStatus : Reply::Type::kError;
      out.text = text;
      return true;
    }
    std::int64_t value = 0;
    if (!number(text, value)) return false;
    if (type == '$') return bulk(value, out);
    if (type == '*') return array(value, out, depth);
    out.type = Reply::Type::kInteger;
    out.integer = value;
    return true;
  }
};

}  // namespace

void append_command(std::string& out, std::span<const std::string_view> words) {
  append_length(out, '*', words.size());
  for (const std::string_view word : words) {
    append_length(out, '$', word.size());
    out.append(word).append("\r\n");
  }
}

std::optional<std::size_t> parse_reply(std::string_view bytes, Reply& out) {
  out = Reply();
  Parser parser{bytes};
  if (parser.reply(out, 0)) return bytes.size() - parser.rest.size();
  if (parser.bad) return std::nullopt;
  return 0;
}

}  // namespace stator::sim

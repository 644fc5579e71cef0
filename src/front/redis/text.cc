#include "front/redis/text.h"

#include <algorithm>
#include <charconv>

namespace stator::redis {
namespace {

template <typename Integer>
std::optional<Integer> parse(std::string_view text) {
  Integer value{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end) return std::nullopt;
  const std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
  if (digits.size() > 1 && digits.front() == '0') return std::nullopt;
  return value;
}

template <typename Integer>
void append_decimal(std::string& out, Integer value) {
  char digits[20];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, value);
  static_cast<void>(error);  // twenty digits hold any 64 bits
  out.append(digits, static_cast<std::size_t>(end - digits));
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = to_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace

char to_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool equal_ignoring_case(std::string_view a, std::string_view lower_case_b) {
  return std::ranges::equal(a, lower_case_b, {}, to_lower);
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), to_lower);
  return out;
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  return parse<std::int64_t>(text);
}
std::optional<std::uint64_t> parse_unsigned(std::string_view text) {
  return parse<std::uint64_t>(text);
}

void append_number(std::string& out, std::int64_t value) {
  append_decimal(out, value);
}
void append_number(std::string& out, std::uint64_t value) {
  append_decimal(out, value);
}

void append_hex(std::string& out, std::uint64_t value, int digits) {
  for (int shift = (digits - 1) * 4; shift >= 0; shift -= 4) {
    out.push_back(shift < 64 ? "0123456789abcdef"[(value >> shift) & 0xF] : '0');
  }
}

void append_line(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ':';
  out += value;
  out += "\r\n";
}

void append_line(std::string& out, std::string_view name, std::uint64_t value) {
  out += name;
  out += ':';
  append_number(out, value);
  out += "\r\n";
}

void append_write_id(std::string& out, const WriteId& id) {
  append_hex(out, id.high);
  append_hex(out, id.low);
}

std::optional<WriteId> parse_write_id(std::string_view text) {
  const bool uuid = text.size() == 36;
  if (!uuid && text.size() != 32) return std::nullopt;
  std::uint64_t halves[2] = {0, 0};
  int digits = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (uuid && (i == 8 || i == 13 || i == 18 || i == 23)) {
      if (text[i] != '-') return std::nullopt;
      continue;
    }
    const int value = hex_value(text[i]);
    if (value < 0) return std::nullopt;
    std::uint64_t& half = halves[digits++ / 16];
    half = half << 4 | static_cast<std::uint64_t>(value);
  }
  return WriteId{halves[0], halves[1]};
}

void append_dot(std::string& out, const Dot& dot) {
  append_hex(out, dot.actor.incarnation.value);
  out.push_back('.');
  append_number(out, dot.actor.life);
  out.push_back(':');
  append_number(out, dot.counter);
}

void append_node_name(std::string& out, NodeId node) {
  append_hex(out, node.value, 40);
}

}  // namespace stator::redis

#include "front/http/text.h"

#include <algorithm>
#include <charconv>
#include <chrono>

namespace stator::http {
namespace {

constexpr char kHexDigits[] = "0123456789abcdef";

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

void append_padded(std::string& out, std::uint64_t value, int width) {
  char digits[20];
  for (int i = width; i-- > 0; value /= 10) digits[i] = static_cast<char>('0' + value % 10);
  out.append(digits, static_cast<std::size_t>(width));
}

struct Calendar {
  std::chrono::year_month_day date;
  unsigned weekday = 0;  // 0: Sunday
  std::uint64_t second_of_day = 0;
  std::uint64_t microsecond = 0;
};

Calendar calendar_of(WallTime time) {
  using std::chrono::days;
  using std::chrono::sys_days;
  constexpr std::int64_t kDay = 86'400'000'000;
  const std::int64_t us = std::max<std::int64_t>(time.us, 0);
  const sys_days day{days{static_cast<int>(us / kDay)}};
  return {.date = day,
          .weekday = std::chrono::weekday(day).c_encoding(),
          .second_of_day = static_cast<std::uint64_t>(us % kDay / 1'000'000),
          .microsecond = static_cast<std::uint64_t>(us % 1'000'000)};
}

void append_clock(std::string& out, std::uint64_t second_of_day) {
  append_padded(out, second_of_day / 3600, 2);
  out.push_back(':');
  append_padded(out, second_of_day / 60 % 60, 2);
  out.push_back(':');
  append_padded(out, second_of_day % 60, 2);
}

std::uint64_t year_of(const Calendar& calendar) {
  return static_cast<std::uint64_t>(static_cast<int>(calendar.date.year()));
}

}  // namespace

void append_decimal(std::string& out, std::uint64_t value) {
  char digits[20];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, value);
  static_cast<void>(error);  // 20 digits hold every value
  out.append(digits, end);
}

void append_hex64(std::string& out, std::uint64_t value) {
  char digits[16];
  for (int i = 16; i-- > 0; value >>= 4) digits[i] = kHexDigits[value & 0xF];
  out.append(digits, sizeof digits);
}

std::string hex64(std::uint64_t value) {
  std::string out;
  append_hex64(out, value);
  return out;
}

std::string write_id_text(const WriteId& id) {
  std::string out = hex64(id.high) + hex64(id.low);
  for (const std::size_t hyphen : {20U, 16U, 12U, 8U}) out.insert(hyphen, 1, '-');
  return out;
}

std::optional<WriteId> parse_write_id(std::string_view text) {
  const bool hyphens = text.size() == 36;
  if (!hyphens && text.size() != 32) return std::nullopt;
  std::uint64_t halves[2] = {0, 0};
  int digits = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (hyphens && (i == 8 || i == 13 || i == 18 || i == 23)) {
      if (text[i] != '-') return std::nullopt;
      continue;
    }
    const std::size_t digit = std::string_view(kHexDigits).find(lower(text[i]));
    if (digit == std::string_view::npos) return std::nullopt;
    std::uint64_t& half = halves[digits++ / 16];
    half = half << 4 | digit;
  }
  const WriteId id{halves[0], halves[1]};
  if (!id) return std::nullopt;
  return id;
}

std::string dot_text(const Dot& dot) {
  std::string out = hex64(dot.actor.incarnation.value);
  out.push_back('.');
  append_decimal(out, dot.actor.life);
  out.push_back(':');
  append_decimal(out, dot.counter);
  return out;
}

std::string time_text(WallTime time) {
  const Calendar calendar = calendar_of(time);
  std::string out;
  append_padded(out, year_of(calendar), 4);
  out.push_back('-');
  append_padded(out, static_cast<unsigned>(calendar.date.month()), 2);
  out.push_back('-');
  append_padded(out, static_cast<unsigned>(calendar.date.day()), 2);
  out.push_back('T');
  append_clock(out, calendar.second_of_day);
  out.push_back('.');
  append_padded(out, calendar.microsecond, 6);
  out.push_back('Z');
  return out;
}

void append_http_date(std::string& out, WallTime time) {
  constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const Calendar calendar = calendar_of(time);
  out += kDays[calendar.weekday];
  out += ", ";
  append_padded(out, static_cast<unsigned>(calendar.date.day()), 2);
  out.push_back(' ');
  out += kMonths[static_cast<unsigned>(calendar.date.month()) - 1];
  out.push_back(' ');
  append_padded(out, year_of(calendar), 4);
  out.push_back(' ');
  append_clock(out, calendar.second_of_day);
  out += " GMT";
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace stator::http

#include "cli/setting_values.h"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <span>

namespace stator::cli {

namespace {

struct Unit {
  std::string_view name;
  std::uint64_t size;
};
constexpr std::array kTimes = {
    Unit{"h", 3'600'000'000'000}, Unit{"m", 60'000'000'000}, Unit{"s", 1'000'000'000},
    Unit{"ms", 1'000'000},        Unit{"us", 1'000},         Unit{"ns", 1}};
constexpr std::array kSizes = {Unit{"GiB", 1ULL << 30}, Unit{"MiB", 1ULL << 20},
                               Unit{"KiB", 1ULL << 10}, Unit{"", 1}};

std::unexpected<Error> bad(std::string_view text, const char* why) {
  return std::unexpected(
      Error{.code = ErrorCode::kBadRequest, .detail = "'" + std::string(text) + "' " + why});
}

// A whole number and one of `units`; `why` says what is right.
Result<std::uint64_t> parse_unit(std::string_view text, std::span<const Unit> units,
                                 const char* why) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return bad(text, why);
  std::string_view rest = text.substr(static_cast<std::size_t>(end - text.data()));
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  for (const Unit& unit : units) {
    if (rest != unit.name) continue;
    // As a duration it must fit into a signed number.
    constexpr std::uint64_t kMax = std::numeric_limits<std::int64_t>::max();
    if (number > kMax / unit.size) return bad(text, "is too large");
    return number * unit.size;
  }
  return bad(text, why);
}

std::string show_unit(std::uint64_t value, std::span<const Unit> units) {
  for (const Unit& unit : units) {
    if (value >= unit.size && value % unit.size == 0) {
      return std::to_string(value / unit.size).append(unit.name);
    }
  }
  return "0" + std::string(units.back().name);
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  const auto ns = parse_unit(text, kTimes, "is no time: write a number and ms, s, m or h (500ms)");
  if (!ns) return std::unexpected(ns.error());
  return nanoseconds(static_cast<std::int64_t>(*ns));
}

Result<std::uint64_t> parse_bytes(std::string_view text) {
  return parse_unit(text, kSizes, "is no size: write bytes, or a number and KiB, MiB, GiB (64MiB)");
}

Result<std::uint64_t> parse_count(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    return bad(text, "is no whole number");
  }
  return number;
}

Result<double> parse_number(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(number)) {
    return bad(text, "is no number");
  }
  return number;
}

std::string show_duration(Duration value) {
  return value.ns == 0 ? "0s" : show_unit(static_cast<std::uint64_t>(value.ns), kTimes);
}

std::string show_bytes(std::uint64_t value) {
  return show_unit(value, kSizes);
}

std::string show_number(double value) {
  std::array<char, 64> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return {text.data(), end};
}

}  // namespace stator::cli

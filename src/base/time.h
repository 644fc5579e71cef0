#pragma once

#include <compare>
#include <cstdint>

// Two clocks that must not be mixed: monotonic for waiting, wall for naming and expiry. Both come
// from env::Clock only; nothing here reads a clock.

namespace stator {

/// A span of time in nanoseconds; may be negative.
struct Duration {
  std::int64_t ns = 0;
  auto operator<=>(const Duration&) const = default;
  [[nodiscard]] constexpr std::int64_t ms() const { return ns / 1'000'000; }
  [[nodiscard]] constexpr std::int64_t us() const { return ns / 1'000; }
};

constexpr Duration nanoseconds(std::int64_t n) {
  return {n};
}
constexpr Duration microseconds(std::int64_t n) {
  return {n * 1'000};
}
constexpr Duration milliseconds(std::int64_t n) {
  return {n * 1'000'000};
}
constexpr Duration seconds(std::int64_t n) {
  return {n * 1'000'000'000};
}
constexpr Duration operator+(Duration a, Duration b) {
  return {a.ns + b.ns};
}
constexpr Duration operator-(Duration a, Duration b) {
  return {a.ns - b.ns};
}
constexpr Duration operator*(Duration a, std::int64_t factor) {
  return {a.ns * factor};
}
constexpr Duration operator/(Duration a, std::int64_t divisor) {
  return {a.ns / divisor};
}

/// A point on the monotonic clock of one process. Never sent to another machine.
struct MonoTime {
  std::int64_t ns = 0;
  auto operator<=>(const MonoTime&) const = default;
};
constexpr MonoTime operator+(MonoTime t, Duration d) {
  return {t.ns + d.ns};
}
constexpr MonoTime operator-(MonoTime t, Duration d) {
  return {t.ns - d.ns};
}
constexpr Duration operator-(MonoTime a, MonoTime b) {
  return {a.ns - b.ns};
}

/// A point on a wall clock: microseconds since 1970. May jump; decides nothing but names and
/// expiry.
struct WallTime {
  std::int64_t us = 0;
  auto operator<=>(const WallTime&) const = default;
  [[nodiscard]] constexpr std::int64_t ms() const { return us / 1'000; }
};
constexpr WallTime operator+(WallTime t, Duration d) {
  return {t.us + d.us()};
}
constexpr Duration operator-(WallTime a, WallTime b) {
  return microseconds(a.us - b.us);
}

}  // namespace stator

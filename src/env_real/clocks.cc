#include "env_real/clocks.h"

#include <cstdint>
#include <ctime>

namespace stator::env {

namespace {

std::int64_t read_ns(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

MonoTime read_monotonic_clock() {
  return {read_ns(CLOCK_MONOTONIC)};
}

WallTime read_wall_clock() {
  return {read_ns(CLOCK_REALTIME) / 1'000};
}

}  // namespace stator::env

#include "env_real/turn_share.h"

#include <cstdint>
#include <ctime>

namespace stator::env {

void TurnShare::look() {
  since_look_ = 0;
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  const MonoTime now{static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec};
  if (first_look_ == MonoTime{}) {
    first_look_ = now;
  } else {
    spent_ = now - first_look_ >= kTime;
  }
}

}  // namespace stator::env

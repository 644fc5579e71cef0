#include "env_real/turn_share.h"

#include "env_real/clocks.h"

namespace stator::env {

void TurnShare::look() {
  since_look_ = 0;
  const MonoTime now = read_monotonic_clock();
  if (first_look_ == MonoTime{}) {
    first_look_ = now;
  } else {
    spent_ = now - first_look_ >= kTime;
  }
}

}  // namespace stator::env

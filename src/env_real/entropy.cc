#include "env_real/entropy.h"

#include <sys/random.h>
#include <sys/types.h>

#include <cerrno>

#include "base/assert.h"

namespace stator::env {

void Entropy::refill() {
  auto* at = reinterpret_cast<char*>(block_.data());
  std::size_t missing = sizeof block_;
  while (missing > 0) {
    const ssize_t got = ::getrandom(at, missing, 0);
    STATOR_ASSERT(got > 0 || errno == EINTR);  // nothing else can fail with a valid buffer
    if (got <= 0) continue;
    at += got;
    missing -= static_cast<std::size_t>(got);
  }
  used_ = 0;
}

}  // namespace stator::env

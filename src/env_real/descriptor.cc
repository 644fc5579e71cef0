#include "env_real/descriptor.h"

#include <unistd.h>

namespace stator::env {

void Descriptor::reset() {
  // Not again on EINTR: Linux has freed the number by then, and another thread may own it.
  if (value_ >= 0) ::close(std::exchange(value_, -1));
}

}  // namespace stator::env

#include "env_real/scheduling.h"

#include <sched.h>

#include <cerrno>

#include "env_real/system_error.h"

namespace stator::env {

Result<void> prefer_batches() {
  const sched_param no_priority{};
  if (::sched_setscheduler(0, SCHED_BATCH, &no_priority) != 0) {
    return std::unexpected(system_error("cannot ask for batch scheduling", errno));
  }
  return {};
}

}  // namespace stator::env

#include "env_real/system_error.h"

#include <cerrno>
#include <system_error>

namespace stator::env {

Error system_error(const std::string& what_failed, int error_number) {
  const bool full = error_number == ENOSPC || error_number == EDQUOT;
  return {.code = full ? ErrorCode::kDiskFull : ErrorCode::kIo,
          .detail = what_failed + ": " + std::generic_category().message(error_number)};
}

}  // namespace stator::env

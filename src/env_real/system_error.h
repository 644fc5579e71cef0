#pragma once

#include <string>

#include "base/error.h"

namespace stator::env {

/// What a failed system call means to an operator: "cannot open data/LOCK: Permission denied".
/// A full disk or quota is kDiskFull, everything else kIo.
[[nodiscard]] Error system_error(const std::string& what_failed, int error_number);

}  // namespace stator::env

#pragma once

#include <string>

#include "base/error.h"

namespace stator::storage {

/// For an operator whose node does not start: `error` of the disk under `path`, with what to do
/// behind what failed. kDiskFull and kIo alone; what else is wrong with a directory has a remedy of
/// its own, which stands in its detail.
[[nodiscard]] Error with_disk_remedy(Error error, const std::string& path);

}  // namespace stator::storage

#pragma once

#include <string>

#include "env/disk.h"

namespace stator::storage {

/// Creates what is missing of `path` and makes the new names durable, each in its parent (D31).
/// Blocks: for start-up.
[[nodiscard]] Result<void> create_durable_directories(env::Disk& disk, const std::string& path);

/// "a/b/c" -> "a/b"; "." for a bare name.
[[nodiscard]] std::string parent_directory(const std::string& path);

}  // namespace stator::storage

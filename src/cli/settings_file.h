#pragma once

#include <string>

#include "cli/settings.h"

namespace stator::cli {

/// Reads a TOML file over `loaded`. Errors name the file and the line: unreadable, no TOML, a key
/// that there is not (with the nearest that there is), a value of the wrong kind or out of range.
/// Of the last two all are told, in the order of their lines, each on a line of the detail.
[[nodiscard]] Result<void> read_settings_file(const std::string& file, Loaded& loaded);

}  // namespace stator::cli

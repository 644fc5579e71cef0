#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "cli/command.h"

namespace stator::cli {

/// "stator put BUCKET KEY [VALUE] [options]"
[[nodiscard]] std::string usage_line(const Command& command, const std::string& path);
/// The help of one command; `path` is how it was called ("stator config show").
void print_help(const Command& command, const std::string& path, std::ostream& out);

}  // namespace stator::cli

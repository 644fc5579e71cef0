#pragma once

#include <string>
#include <vector>

#include "cli/command.h"

namespace stator::cli {

/// Reads `arguments` (without the program's name) by the tree `program` and runs the command that
/// they name. Help goes to `out`; what is wrong, to `err`, with the nearest valid name and the next
/// command to type, and the result is kUsage. `help [COMMAND]` is `[COMMAND] --help`, and
/// `--version` or `-v` is the command `version`, where the tree has no such names itself.
[[nodiscard]] Exit run_command_line(const Command& program,
                                    const std::vector<std::string>& arguments, Console& console);

}  // namespace stator::cli

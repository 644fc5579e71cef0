#pragma once

#include <string_view>

namespace stator::cli {

/// Of the whole program; the CMakeLists.txt at the top has it.
[[nodiscard]] std::string_view program_version();

}  // namespace stator::cli

#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace stator::crash {

/// One line for a shell that runs the present test again, at the same size (G34): what a failure of
/// it says after "reproduce: ". `seed`, where the test has one, is that of the life that failed,
/// and comes first then. Inside a test only.
[[nodiscard]] std::string repeat_command(std::optional<std::uint64_t> seed = {});

}  // namespace stator::crash

#pragma once

#include <cstdint>

#include "base/error.h"

// Numbers of enumerators on the wire. They never change, whatever order the enums have in memory.

namespace stator::wire {

/// From 1.
[[nodiscard]] std::uint8_t to_wire(ErrorCode code);
/// A number that this version does not know is a failure all the same: kIo.
[[nodiscard]] ErrorCode error_code_from_wire(std::uint8_t number);

}  // namespace stator::wire

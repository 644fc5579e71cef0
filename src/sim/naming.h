#pragma once

#include <string>

#include "base/ids.h"
#include "base/time.h"

namespace stator::sim {

// How verdicts name what they speak of.

/// The halves of its id: "000001935c4f8a1b-8000000000000001".
[[nodiscard]] std::string name_of(const WriteId& id);
/// "12.345678 s".
[[nodiscard]] std::string at_time(MonoTime when);

}  // namespace stator::sim

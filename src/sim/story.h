#pragma once

#include <cstdio>

#include "sim/operation_log.h"

namespace stator::sim {

/// Everything that befell one key, in the order of time, for whoever must find out why a checker
/// complained: calls with what their contexts saw, mints with what they dropped, reads with what
/// they returned, the end. Writes are named by their number in order of first appearance.
void tell_story(const KeyLog& log, std::FILE* out);

}  // namespace stator::sim

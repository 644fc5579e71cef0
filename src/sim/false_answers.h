#pragma once

#include <string>
#include <vector>

#include "sim/client.h"
#include "sim/operation_log.h"

namespace stator::sim {

/// What clients were told of their writes and the store had not said, or the other way round: front
/// doors decide nothing (P7). The log knows the store's own answers; a key that nobody named there
/// is added. Pure.
[[nodiscard]] std::vector<std::string> false_answers(const ClientRecord& clients,
                                                     OperationLog& log);

}  // namespace stator::sim

#pragma once

#include <cstdint>
#include <vector>

#include "sim/checker.h"
#include "sim/operation_log.h"
#include "sim/workload.h"

namespace stator::sim {

/// The numbers of those operations of clients that are on keys which break an invariant: with them
/// a failed run is made small (sim/shrink.h). `keys`: of each operation by its number. Pure.
[[nodiscard]] std::vector<std::uint64_t> suspects(const Verdict& verdict, const OperationLog& log,
                                                  const Workload& workload,
                                                  const std::vector<std::uint32_t>& keys);

}  // namespace stator::sim

#pragma once

#include <cstdint>

namespace stator::http {

/// What the kernel says of this process; -1 where it does not say.
struct ProcessFacts {
  std::int64_t resident_bytes = -1;
  std::int64_t cpu_us = -1;  // user and system
  std::int64_t open_fds = -1;
};

/// Reads /proc of this process: some tens of microseconds, at a scrape only. The simulator, where
/// many nodes share one process, is given no such function.
[[nodiscard]] ProcessFacts read_process_facts();

}  // namespace stator::http

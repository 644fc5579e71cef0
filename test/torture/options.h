#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "env/network.h"
#include "sim/workload.h"

namespace stator::torture {

/// What `stator_torture` is told on its command line, as `name=value`.
struct Options {
  std::vector<env::Address> nodes;  // nodes=127.0.0.1:7001,...: their Redis doors
  std::uint16_t control = 0;        // control=7000: where it takes orders, on loopback
  std::uint64_t seed = 1;
  std::string cluster_id = "test";
  std::uint8_t n = 3;
  std::uint8_t r = 2;
  std::uint8_t w = 2;
  std::uint32_t partitions = 1024;
  // rate= keys= sessions= hot= large= patience_ms= persistence_ms= kinds=
  sim::Workload workload;
};

/// The workload is drawn from the seed as in the simulator, then made as large as the flags say.
/// kinds=any: all that the history can tell; kinds=named: only reads and writes that may be
/// repeated, for clients that repeat until they are done.
[[nodiscard]] Result<Options> parse_options(std::span<char* const> arguments);

}  // namespace stator::torture

#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "base/error.h"
#include "limit/append_log.h"

namespace stator::limit {

/// An address of this machine's loopback; a bare quorum serves nobody else.
struct Port {
  std::uint16_t value = 0;
};

/// N of the quorum; W and R are 2.
constexpr std::uint32_t kNodes = 3;

struct Options {
  std::uint32_t node = 0;  // 0 .. kNodes-1
  std::array<Port, kNodes> peers{};
  Port clients;
  std::uint32_t read_fan = 1;  // peers asked by a get: 1 or 2
  bool read_digest = true;  // a get asks for the version only, and for the value where it differs
  Durability durability = Durability::kMemory;
  std::string log_path;  // where durability is not kMemory
};

extern const char* const kUsage;

/// `detail` of the error is one line for the user.
[[nodiscard]] Result<Options> parse_options(int argc, const char* const* argv);

}  // namespace stator::limit

#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "core/ring/position.h"
#include "env/network.h"

namespace stator::bench {

/// Who is published for each slot: what a Redis Cluster client knows (paper 6.4: the client routes
/// by itself). Pure.
struct SlotMap {
  static constexpr std::uint16_t kNobody = 0xFFFF;

  std::vector<env::Address> nodes;            // each once
  std::array<std::uint16_t, kSlots> owner{};  // index of `nodes`, or kNobody
};

/// The answer to CLUSTER SLOTS. `asked` is the node that answered: an endpoint without a host means
/// it. kCorrupt when it is no such answer, kNotSupported with the node's words when it is an error.
[[nodiscard]] Result<SlotMap> parse_slots(std::string_view reply, const env::Address& asked);

}  // namespace stator::bench

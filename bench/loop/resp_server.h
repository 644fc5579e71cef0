#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "env/env.h"

namespace stator::bench {

/// As little of a Redis server as redis-benchmark needs: SET and GET on a hash map. What is left of
/// an operation's cost is the loop's.
class RespServer final : public env::StreamAcceptor {
 public:
  std::unique_ptr<env::StreamHandler> on_accept(env::Stream& stream) override;

  std::unordered_map<std::string, std::string> values;
  std::uint64_t operations = 0;
};

}  // namespace stator::bench

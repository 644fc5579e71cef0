#pragma once

#include <span>
#include <string_view>

#include "base/ids.h"
#include "core/version/object.h"

namespace stator::node {

/// What the simulator's checker is told and could not see from outside. Not used in production.
class Observer {
 public:
  virtual ~Observer() = default;
  /// This node stored `object` right after minting, or covering again, the write `id` in it;
  /// `superseded` are the ids of the versions that the write dropped here.
  virtual void on_mint(std::string_view bucket, std::string_view key, const WriteId& id,
                       const Dot& dot, std::span<const WriteId> superseded) = 0;
};

}  // namespace stator::node

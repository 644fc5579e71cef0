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
  /// This node, which coordinates, is about to answer `ok` to the write `id`. Each acknowledgement
  /// that it counted is that of a copy for one of `owners`, at the owner itself or at who stands in
  /// for it; so an owner may be named twice.
  virtual void on_acknowledged(std::string_view bucket, std::string_view key, const WriteId& id,
                               std::span<const NodeId> owners) = 0;
  /// `keeper`, this node, is about to delete `object`, which is all that it keeps of the key for
  /// `owner`.
  virtual void on_hint_gone(NodeId keeper, NodeId owner, std::string_view bucket,
                            std::string_view key, const Object& object) = 0;
};

}  // namespace stator::node

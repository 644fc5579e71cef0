#pragma once

#include <cstddef>
#include <memory>

#include "env/network.h"

namespace stator::env {

/// Takes connections of peers and hands their frames to a sink. The sink outlives the loop's
/// connections.
class FrameAcceptor final : public StreamAcceptor {
 public:
  /// `inbound` counts the connections of the whole loop and outlives them.
  FrameAcceptor(FrameSink& sink, std::size_t& inbound) : sink_(sink), inbound_(inbound) {}
  std::unique_ptr<StreamHandler> on_accept(Stream& stream) override;

 private:
  FrameSink& sink_;
  std::size_t& inbound_;
};

}  // namespace stator::env

#pragma once

#include <cstddef>
#include <memory>

#include "env/network.h"
#include "env_real/loop.h"

namespace stator::env {

/// Takes connections of peers, hands their frames to a sink, and closes those that bring none
/// (kFirstFrameWait, kNextFrameWait). The sink and the loop outlive the connections.
class FrameAcceptor final : public StreamAcceptor {
 public:
  /// `inbound` counts the connections of the whole loop and outlives them.
  FrameAcceptor(Loop& loop, FrameSink& sink, std::size_t& inbound)
      : loop_(loop), sink_(sink), inbound_(inbound) {}
  std::unique_ptr<StreamHandler> on_accept(Stream& stream) override;

 private:
  Loop& loop_;
  FrameSink& sink_;
  std::size_t& inbound_;
};

}  // namespace stator::env

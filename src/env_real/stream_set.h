#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "env_real/tcp_stream.h"

namespace stator::env {

/// All streams of one loop.
class StreamSet final : public StreamOwner {
 public:
  explicit StreamSet(Loop& loop) : loop_(loop) {}

  /// Makes a stream of a connected socket, unless the acceptor refuses. An error when the socket
  /// cannot be watched; the acceptor is not asked then.
  Result<void> adopt(Descriptor socket, StreamAcceptor& acceptor, Part part);
  /// After the last turn: every stream ends and its handler is told.
  void end_all();
  void retire(TcpStream& stream) override;

 private:
  Loop& loop_;
  StreamBuffers buffers_;
  std::vector<std::unique_ptr<TcpStream>> streams_;
  std::vector<std::unique_ptr<TcpStream>> retired_;  // until the loop's lists have forgotten them
};

}  // namespace stator::env

#include "env_real/stream_set.h"

#include <utility>

#include "base/assert.h"
#include "env_real/endpoint.h"
#include "env_real/sockets.h"

namespace stator::env {

Result<void> StreamSet::adopt(Descriptor socket, StreamAcceptor& acceptor, Part part) {
  prepare_connection(socket.get());
  auto stream = std::make_unique<TcpStream>(loop_, buffers_, *this, remote_address(socket.get()));
  if (auto opened = stream->open(std::move(socket), part); !opened) return opened;
  if (!stream->accept(acceptor)) return {};
  stream->index = streams_.size();
  streams_.push_back(std::move(stream));
  return {};
}

void StreamSet::end_all() {
  while (!streams_.empty()) streams_.back()->end_now();
}

void StreamSet::retire(TcpStream& stream) {
  const std::size_t index = stream.index;
  STATOR_ASSERT(index < streams_.size() && streams_[index].get() == &stream);
  retired_.push_back(std::move(streams_[index]));
  if (index + 1 < streams_.size()) {
    streams_[index] = std::move(streams_.back());
    streams_[index]->index = index;
  }
  streams_.pop_back();
  if (retired_.size() == 1) {
    loop_.post([this] { retired_.clear(); });
  }
}

}  // namespace stator::env

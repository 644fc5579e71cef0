#include "env_real/accept_port.h"

#include <sys/socket.h>

#include <cerrno>
#include <utility>

namespace stator::env {

namespace {

constexpr int kAcceptsPerTurn = 64;
// The process or the machine has no descriptors or memory left: the connection stays in the
// kernel's queue, and asking again at once would only burn the processor.
constexpr Duration kExhaustedPause = milliseconds(100);

bool exhausted(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

}  // namespace

Result<void> AcceptPort::start(Descriptor listening) {
  auto opened = watch_.open(loop_.reactor(), std::move(listening), *this);
  if (opened) watch_.await_readable();
  return opened;
}

void AcceptPort::on_readable() {
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    Descriptor connection(
        ::accept4(watch_.descriptor(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (connection) {
      take_(std::move(connection));
      if (!watch_.is_open()) return;
      continue;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) break;
    if (exhausted(errno)) {
      pause_ = loop_.after(kExhaustedPause, [this] { watch_.await_readable(); });
      return;
    }
    // Anything else concerns the one connection, which ended before it was taken.
  }
  watch_.await_readable();
}

}  // namespace stator::env

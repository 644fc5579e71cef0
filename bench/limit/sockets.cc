#include "limit/sockets.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <string>
#include <thread>

#include "limit/peer_frame.h"

namespace stator::limit {

namespace {

constexpr int kMeshWaitMs = 10'000;
constexpr int kDialPauseMs = 20;
constexpr int kBacklog = 512;

Error failed(const std::string& what, Port port) {
  return {
      .code = ErrorCode::kIo,
      .detail = what + " 127.0.0.1:" + std::to_string(port.value) + ": " + std::strerror(errno)};
}

sockaddr_in loopback(Port port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port.value);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

Result<Descriptor> dial(Port port, std::uint32_t own_node) {
  const sockaddr_in address = loopback(port);
  for (int waited_ms = 0; waited_ms < kMeshWaitMs; waited_ms += kDialPauseMs) {
    Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
      FrameHeader hello;
      hello.type = FrameType::kHello;
      hello.slot = own_node;
      if (send(socket.get(), &hello, sizeof hello, MSG_NOSIGNAL) == sizeof hello) return socket;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(kDialPauseMs));
  }
  return std::unexpected(failed("cannot reach the peer at", port));
}

// The next peer that says who it is.
Result<Descriptor> accept_peer(const Descriptor& listener, Port port, std::uint32_t& node) {
  pollfd waiting{listener.get(), POLLIN, 0};
  if (poll(&waiting, 1, kMeshWaitMs) == 0) errno = ETIMEDOUT;
  if ((waiting.revents & POLLIN) == 0) return std::unexpected(failed("no peer came to", port));
  Descriptor socket(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  FrameHeader hello;
  if (recv(socket.get(), &hello, sizeof hello, MSG_WAITALL) != sizeof hello ||
      hello.type != FrameType::kHello || hello.slot >= kNodes) {
    errno = EPROTO;
    return std::unexpected(failed("something that is no peer came to", port));
  }
  node = hello.slot;
  return socket;
}

}  // namespace

void Descriptor::reset(int value) {
  if (value_ >= 0) close(value_);
  value_ = value;
}

Result<Descriptor> listen_on(Port port) {
  Descriptor listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const sockaddr_in address = loopback(port);
  if (bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      listen(listener.get(), kBacklog) != 0) {
    return std::unexpected(failed("cannot listen on", port));
  }
  return listener;
}

Result<std::array<Descriptor, kNodes>> connect_mesh(const Options& options) {
  const Port own_port = options.peers[options.node];
  auto listener = listen_on(own_port);
  if (!listener) return std::unexpected(std::move(listener.error()));
  std::array<Descriptor, kNodes> peers;
  for (std::uint32_t lower = 0; lower < options.node; ++lower) {
    auto socket = dial(options.peers[lower], options.node);
    if (!socket) return std::unexpected(std::move(socket.error()));
    peers[lower] = std::move(*socket);
  }
  for (std::uint32_t missing = kNodes - 1 - options.node; missing > 0; --missing) {
    std::uint32_t node = 0;
    auto socket = accept_peer(*listener, own_port, node);
    if (!socket) return std::unexpected(std::move(socket.error()));
    if (node <= options.node || peers[node].get() >= 0) {
      errno = EPROTO;
      return std::unexpected(failed("the same peer came twice to", own_port));
    }
    peers[node] = std::move(*socket);
  }
  return peers;
}

void make_ready_for_loop(int socket) {
  const int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  fcntl(socket, F_SETFL, fcntl(socket, F_GETFL) | O_NONBLOCK);
}

}  // namespace stator::limit

#include "env_real/sockets.h"

#include <netinet/tcp.h>
#include <poll.h>

#include <cerrno>

#include "env_real/system_error.h"

namespace stator::env {

namespace {

constexpr int kBacklog = 1024;
// A silent host is given up after about 30 s + 3 * 10 s.
constexpr int kKeepAliveIdleSeconds = 30;
constexpr int kKeepAliveEverySeconds = 10;
constexpr int kKeepAliveCount = 3;

// Options only tune a connection, so a failure is no reason to refuse it.
void set(int socket, int level, int option, int value) {
  static_cast<void>(::setsockopt(socket, level, option, &value, sizeof value));
}

}  // namespace

Result<Descriptor> listen_on(const Endpoint& endpoint, const Address& asked) {
  Descriptor socket(
      ::socket(endpoint.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const std::string what = "cannot listen on " + to_string(asked);
  if (!socket) return std::unexpected(system_error(what, errno));
  set(socket.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (endpoint.any.sa_family == AF_INET6) set(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
  if (::bind(socket.get(), &endpoint.any, endpoint.size()) != 0 ||
      ::listen(socket.get(), kBacklog) != 0) {
    const int number = errno;
    Error error = system_error(what, number);
    if (number == EADDRINUSE) error.code = ErrorCode::kConflict;
    return std::unexpected(std::move(error));
  }
  return socket;
}

void prepare_connection(int socket) {
  set(socket, IPPROTO_TCP, TCP_NODELAY, 1);
  set(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
  set(socket, IPPROTO_TCP, TCP_KEEPIDLE, kKeepAliveIdleSeconds);
  set(socket, IPPROTO_TCP, TCP_KEEPINTVL, kKeepAliveEverySeconds);
  set(socket, IPPROTO_TCP, TCP_KEEPCNT, kKeepAliveCount);
}

void limit_unacknowledged(int socket, Duration limit) {
  set(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(limit.ms()));
}

bool is_broken(int socket) {
  pollfd asked{.fd = socket, .events = 0, .revents = 0};
  return ::poll(&asked, 1, 0) > 0 && (asked.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0;
}

Result<Descriptor> start_connect(const Endpoint& endpoint) {
  Descriptor socket(
      ::socket(endpoint.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const auto failed = [&](int number) {
    return std::unexpected(
        system_error("cannot connect to " + to_string(to_address(endpoint)), number));
  };
  if (!socket) return failed(errno);
  if (::connect(socket.get(), &endpoint.any, endpoint.size()) != 0 && errno != EINPROGRESS) {
    return failed(errno);
  }
  return socket;
}

int connect_result(int socket) {
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
  if (error != 0) return error;
  return local_address(socket) == remote_address(socket) ? ECONNREFUSED : 0;
}

}  // namespace stator::env

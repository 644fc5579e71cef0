#include "cli/socket.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <utility>

namespace stator::cli {

namespace {

std::unexpected<Error> failed(ErrorCode code, const std::string& what) {
  return std::unexpected(Error{.code = code, .detail = what});
}

using Found = std::unique_ptr<addrinfo, void (*)(addrinfo*)>;

Found look_up(const env::Address& address, std::string& why) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int code =
      ::getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &found);
  if (code != 0) why = ::gai_strerror(code);
  return {code == 0 ? found : nullptr, ::freeaddrinfo};
}

}  // namespace

MonoTime steady_now() {
  return {std::chrono::duration_cast<std::chrono::nanoseconds>(
              std::chrono::steady_clock::now().time_since_epoch())
              .count()};
}

Result<Socket> Socket::connect(const env::Address& address, Duration timeout) {
  std::string why;
  const Found found = look_up(address, why);
  const MonoTime deadline = steady_now() + timeout;
  for (const addrinfo* one = found.get(); one != nullptr; one = one->ai_next) {
    Socket socket(::socket(one->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
                  deadline);
    if (socket.descriptor_ < 0) return failed(ErrorCode::kIo, std::strerror(errno));
    int error = ::connect(socket.descriptor_, one->ai_addr, one->ai_addrlen) == 0 ? 0 : errno;
    if (error == EINPROGRESS) {
      if (!socket.wait_for(POLLOUT)) {
        why = "no answer in time";
        continue;
      }
      socklen_t size = sizeof error;
      ::getsockopt(socket.descriptor_, SOL_SOCKET, SO_ERROR, &error, &size);
    }
    if (error == 0) return socket;
    why = std::strerror(error);
  }
  return failed(ErrorCode::kClosed, why);
}

Socket::Socket(Socket&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), deadline_(other.deadline_) {}

Socket::~Socket() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<void> Socket::wait_for(short events) const {
  for (;;) {
    pollfd wanted{.fd = descriptor_, .events = events, .revents = 0};
    const std::int64_t left = (deadline_ - steady_now()).ms();
    const int ready =
        left <= 0 ? 0 : ::poll(&wanted, 1, static_cast<int>(std::min<std::int64_t>(left, 1 << 30)));
    if (ready > 0) return {};
    if (ready == 0) return failed(ErrorCode::kTimeout, "no answer in time");
    if (errno != EINTR) return failed(ErrorCode::kIo, std::strerror(errno));
  }
}

Result<void> Socket::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      if (auto ready = wait_for(POLLOUT); !ready) return ready;
    } else if (errno != EINTR) {
      return failed(ErrorCode::kIo, std::strerror(errno));
    }
  }
  return {};
}

Result<std::size_t> Socket::receive(std::string& into) {
  std::array<char, 65536> buffer;
  for (;;) {
    const ssize_t got = ::recv(descriptor_, buffer.data(), buffer.size(), 0);
    if (got >= 0) {
      into.append(buffer.data(), static_cast<std::size_t>(got));
      return static_cast<std::size_t>(got);
    }
    if (errno == EAGAIN) {
      if (auto ready = wait_for(POLLIN); !ready) return std::unexpected(ready.error());
    } else if (errno != EINTR) {
      return failed(ErrorCode::kIo, std::strerror(errno));
    }
  }
}

Result<void> can_resolve(const env::Address& address) {
  std::string why;
  if (look_up(address, why)) return {};
  return failed(ErrorCode::kIo, why);
}

Result<void> can_bind(const env::Address& address) {
  std::string why;
  const Found found = look_up(address, why);
  if (!found) return failed(ErrorCode::kIo, why);
  const int probe = ::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (probe < 0) return failed(ErrorCode::kIo, std::strerror(errno));
  // As the servers do, so that a port that rests after its last connection counts as free.
  const int yes = 1;
  ::setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  const bool bound = ::bind(probe, found->ai_addr, found->ai_addrlen) == 0;
  const int error = errno;
  ::close(probe);
  if (bound) return {};
  return failed(error == EADDRINUSE ? ErrorCode::kConflict : ErrorCode::kIo, std::strerror(error));
}

}  // namespace stator::cli

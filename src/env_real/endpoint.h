#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <vector>

#include "base/error.h"
#include "env/network.h"

// From an env::Address to what the kernel takes, and back.

namespace stator::env {

union Endpoint {
  sockaddr any{};
  sockaddr_in v4;
  sockaddr_in6 v6;

  [[nodiscard]] socklen_t size() const { return any.sa_family == AF_INET6 ? sizeof v6 : sizeof v4; }
};

/// True when resolve() will not ask anybody: a number, or "localhost", which is 127.0.0.1 here
/// whatever a resolver says, so that is_loopback() can be trusted.
[[nodiscard]] bool resolves_at_once(const Address& address);
/// All endpoints of an address, at least one. Looks a name up if it must, which blocks.
[[nodiscard]] Result<std::vector<Endpoint>> resolve(const Address& address);
[[nodiscard]] Address to_address(const Endpoint& endpoint);

/// The other end, and the own end, of a connected socket; an empty address if it has none (any
/// more).
[[nodiscard]] Address remote_address(int socket);
[[nodiscard]] Address local_address(int socket);

}  // namespace stator::env

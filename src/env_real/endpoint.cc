#include "env_real/endpoint.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>

#include "env_real/system_error.h"

namespace stator::env {

namespace {

Error unknown_host(const Address& address, int code) {
  const std::string what = "cannot find the host '" + address.host + "'";
  if (code == EAI_SYSTEM) return system_error(what, errno);
  return {.code = ErrorCode::kIo, .detail = what + ": " + ::gai_strerror(code)};
}

Result<std::vector<Endpoint>> look_up(const Address& address, int flags) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  const std::string host = address.host == "localhost" ? "127.0.0.1" : address.host;
  addrinfo* list = nullptr;
  const int code = ::getaddrinfo(host.c_str(), std::to_string(address.port).c_str(), &hints, &list);
  if (code != 0) return std::unexpected(unknown_host(address, code));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(list, &::freeaddrinfo);
  std::vector<Endpoint> found;
  for (const addrinfo* item = list; item != nullptr; item = item->ai_next) {
    if (item->ai_addrlen > sizeof(Endpoint)) continue;
    std::memcpy(static_cast<void*>(&found.emplace_back()), item->ai_addr, item->ai_addrlen);
  }
  if (found.empty()) return std::unexpected(unknown_host(address, EAI_NONAME));
  return found;
}

Address address_by(int (*ask)(int, sockaddr*, socklen_t*), int socket) {
  Endpoint endpoint;
  socklen_t size = sizeof endpoint;
  if (ask(socket, &endpoint.any, &size) != 0) return {};
  return to_address(endpoint);
}

}  // namespace

bool resolves_at_once(const Address& address) {
  return address.host == "localhost" || look_up(address, AI_NUMERICHOST).has_value();
}

Result<std::vector<Endpoint>> resolve(const Address& address) {
  return look_up(address, 0);
}

Address to_address(const Endpoint& endpoint) {
  std::array<char, INET6_ADDRSTRLEN + IF_NAMESIZE + 1> text{};
  if (::getnameinfo(&endpoint.any, endpoint.size(), text.data(), text.size(), nullptr, 0,
                    NI_NUMERICHOST) != 0) {
    return {};
  }
  const bool v6 = endpoint.any.sa_family == AF_INET6;
  return {.host = text.data(), .port = ntohs(v6 ? endpoint.v6.sin6_port : endpoint.v4.sin_port)};
}

Address remote_address(int socket) {
  return address_by(&::getpeername, socket);
}

Address local_address(int socket) {
  return address_by(&::getsockname, socket);
}

}  // namespace stator::env

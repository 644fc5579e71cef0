#pragma once

#include <cstdint>

namespace stator::torture {

/// The number (inode) by which the kernel knows the socket at `port` of a TCP connection over
/// 127.0.0.1 whose other end is at `other`; 0: there is none. Asks for this one alone (sock_diag):
/// a table of all sockets is long where thousands of connections have ended within a minute, and
/// takes the proxy so long to read that what it carries comes late.
[[nodiscard]] std::uint32_t socket_between(std::uint16_t port, std::uint16_t other);

/// Whether the process has that socket: who dialed a connection, without a word of it being read.
/// As /proc knows it now.
[[nodiscard]] bool owns_socket(int pid, std::uint32_t socket);

}  // namespace stator::torture

#pragma once

#include <cstdint>

namespace stator::torture {

/// Whether the process has a TCP socket (IPv4) whose own port is `port`: who dialed a connection
/// over loopback, without a word of it being read. As /proc knows it now.
[[nodiscard]] bool owns_socket(int pid, std::uint16_t port);

}  // namespace stator::torture

#pragma once

#include "base/error.h"
#include "base/time.h"
#include "env_real/descriptor.h"
#include "env_real/endpoint.h"

// Sockets as this environment wants them: never blocking, not inherited by children, without
// Nagle's delay.

namespace stator::env {

/// Bound and listening. kConflict when somebody listens there already; the detail names `asked`.
/// SO_REUSEADDR so that a restart does not wait for old connections; never SO_REUSEPORT, which
/// would let a second process take half of the connections.
[[nodiscard]] Result<Descriptor> listen_on(const Endpoint& endpoint, const Address& asked);

/// What both ends of every connection get; keep-alive finds hosts that vanished.
void prepare_connection(int socket);
/// Breaks a connection on which sent bytes stay unacknowledged for so long, though the peer's host
/// may be silent for ever.
void limit_unacknowledged(int socket, Duration limit);
/// The other side has reset the connection, or the system gave it up. After the end of the input,
/// reading no longer tells.
[[nodiscard]] bool is_broken(int socket);

/// A socket that begins to connect; writable when that has ended, and then connect_result tells.
[[nodiscard]] Result<Descriptor> start_connect(const Endpoint& endpoint);
/// The error number of an ended connect, 0 when connected. Connecting to a port of this machine on
/// which nobody listens can, by chance, connect a socket to itself: that counts as refused.
[[nodiscard]] int connect_result(int socket);

}  // namespace stator::env

#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "base/time.h"
#include "env/network.h"

namespace stator::cli {

/// A blocking connection with a deadline, for commands that ask one thing.
class Socket {
 public:
  /// kClosed when nobody listens there or the host is not known or not reached in time.
  [[nodiscard]] static Result<Socket> connect(const env::Address& address, Duration timeout);
  Socket(Socket&& other) noexcept;
  Socket& operator=(Socket&&) = delete;
  ~Socket();

  [[nodiscard]] Result<void> send(std::string_view bytes);
  /// Appends what has come, at least one byte; 0 at the end of the stream.
  [[nodiscard]] Result<std::size_t> receive(std::string& into);

 private:
  Socket(int descriptor, MonoTime deadline) : descriptor_(descriptor), deadline_(deadline) {}
  [[nodiscard]] Result<void> wait_for(short events) const;

  int descriptor_;
  MonoTime deadline_;
};

/// Monotonic time of this process.
[[nodiscard]] MonoTime steady_now();

/// kIo with the reason when no name server and no file of this machine knows the host. Blocks.
[[nodiscard]] Result<void> can_resolve(const env::Address& address);

/// Whether the address can be bound now; kConflict or kIo with the reason if not.
[[nodiscard]] Result<void> can_bind(const env::Address& address);

}  // namespace stator::cli

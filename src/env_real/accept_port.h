#pragma once

#include "base/callback.h"
#include "env_real/descriptor.h"
#include "env_real/loop.h"
#include "env_real/reactor.h"

namespace stator::env {

/// A listening socket on the loop that bound it.
class AcceptPort final : private Watcher {
 public:
  /// `take` gets every connection.
  AcceptPort(Loop& loop, Callback<void(Descriptor)> take) : loop_(loop), take_(std::move(take)) {}
  ~AcceptPort() override { stop(); }
  AcceptPort(const AcceptPort&) = delete;
  AcceptPort& operator=(const AcceptPort&) = delete;

  [[nodiscard]] Result<void> start(Descriptor listening);
  /// Closes the socket; also from within `take`.
  void stop() {
    loop_.cancel(pause_);
    watch_.close();
  }

 private:
  void on_readable() override;

  Loop& loop_;
  Callback<void(Descriptor)> take_;
  Watch watch_;
  TimerId pause_;
};

}  // namespace stator::env

#pragma once

#include "base/error.h"
#include "env_real/descriptor.h"

namespace stator::env {

/// The SIGINT and SIGTERM of this process as bytes of a pipe, so that a loop can wait for them as
/// for anything else. One at a time in a process; its end gives the signals their default meaning
/// back.
class SignalPipe {
 public:
  SignalPipe() = default;
  ~SignalPipe();
  SignalPipe(const SignalPipe&) = delete;
  SignalPipe& operator=(const SignalPipe&) = delete;

  [[nodiscard]] Result<void> open();
  /// Becomes readable with a signal; -1 before open().
  [[nodiscard]] int descriptor() const { return reader_.get(); }
  /// The number of a signal that came and was not taken yet; 0 when there is none.
  [[nodiscard]] int take();

 private:
  Descriptor reader_;
  Descriptor writer_;
};

}  // namespace stator::env

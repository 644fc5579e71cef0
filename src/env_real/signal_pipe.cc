#include "env_real/signal_pipe.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>

#include "base/assert.h"
#include "env_real/system_error.h"

namespace stator::env {

namespace {

constexpr int kSignals[] = {SIGINT, SIGTERM};

std::atomic<int> signal_writer = -1;

extern "C" void write_signal(int number) {
  const int kept = errno;
  const auto byte = static_cast<unsigned char>(number);
  // A full pipe holds enough of them.
  static_cast<void>(!::write(signal_writer.load(std::memory_order_relaxed), &byte, 1));
  errno = kept;
}

void handle_with(void (*handler)(int)) {
  struct sigaction action{};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  for (const int number : kSignals) static_cast<void>(::sigaction(number, &action, nullptr));
}

}  // namespace

SignalPipe::~SignalPipe() {
  if (!writer_) return;
  handle_with(SIG_DFL);
  signal_writer.store(-1, std::memory_order_relaxed);
}

Result<void> SignalPipe::open() {
  STATOR_ASSERT(signal_writer.load(std::memory_order_relaxed) < 0);
  int ends[2];
  if (::pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0) {
    return std::unexpected(system_error("cannot watch for signals", errno));
  }
  reader_ = Descriptor(ends[0]);
  writer_ = Descriptor(ends[1]);
  signal_writer.store(writer_.get(), std::memory_order_relaxed);
  handle_with(write_signal);
  return {};
}

int SignalPipe::take() {
  unsigned char byte = 0;
  return ::read(reader_.get(), &byte, 1) == 1 ? byte : 0;
}

}  // namespace stator::env

#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "base/error.h"
#include "limit/options.h"

namespace stator::limit {

/// Owns a file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int value = -1) : value_(value) {}
  Descriptor(Descriptor&& other) noexcept : value_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) reset(other.release());
    return *this;
  }
  ~Descriptor() { reset(-1); }

  [[nodiscard]] int get() const { return value_; }
  [[nodiscard]] int release() {
    const int value = value_;
    value_ = -1;
    return value;
  }
  void reset(int value);

 private:
  int value_;
};

/// A listening socket on 127.0.0.1, blocking.
[[nodiscard]] Result<Descriptor> listen_on(Port port);

/// Connects this node with both others: dials those of lower number (trying for 10 s, since they
/// may be starting too) and waits for those of higher number. Index = node; the own place is empty.
[[nodiscard]] Result<std::array<Descriptor, kNodes>> connect_mesh(const Options& options);

/// Non-blocking, and without Nagle's delay.
void make_ready_for_loop(int socket);

}  // namespace stator::limit

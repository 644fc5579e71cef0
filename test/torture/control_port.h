#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "env/network.h"

namespace stator::torture {

/// How a test tells one of its tools what to do: lines over loopback, each answered by one line, in
/// order. The answer may come later. On the loop.
class ControlPort final : public env::StreamAcceptor {
 public:
  using Answer = std::function<void(std::string line)>;
  using Handle = std::function<void(std::string_view line, Answer answer)>;

  /// `left` is called when whoever gave the orders has gone.
  ControlPort(Handle handle, std::function<void()> left)
      : handle_(std::move(handle)), left_(std::move(left)) {}

  [[nodiscard]] Result<void> open(env::Network& network, const env::Address& address);

  std::unique_ptr<env::StreamHandler> on_accept(env::Stream& stream) override;

 private:
  class Connection;
  Handle handle_;
  std::function<void()> left_;
  std::unique_ptr<env::Listener> listener_;
};

}  // namespace stator::torture

#include "control_port.h"

#include <utility>

namespace stator::torture {

/// Answers may come when the connection is gone, so they hold on to what tells them so.
class ControlPort::Connection final : public env::StreamHandler {
 public:
  Connection(ControlPort& port, env::Stream& stream)
      : port_(port), stream_(std::make_shared<env::Stream*>(&stream)) {}

  std::size_t on_data(std::string_view bytes) override {
    std::size_t used = 0;
    for (std::size_t end = bytes.find('\n'); end != std::string_view::npos;
         end = bytes.find('\n', used)) {
      port_.handle_(bytes.substr(used, end - used), [stream = stream_](std::string line) {
        if (*stream != nullptr) (*stream)->output().append(line).push_back('\n');
      });
      used = end + 1;
    }
    return used;
  }
  void on_closed() override {
    *stream_ = nullptr;
    port_.left_();
  }

 private:
  ControlPort& port_;
  std::shared_ptr<env::Stream*> stream_;
};

Result<void> ControlPort::open(env::Network& network, const env::Address& address) {
  auto listener = network.listen_streams(address, *this);
  if (!listener) return std::unexpected(std::move(listener.error()));
  listener_ = std::move(*listener);
  return {};
}

std::unique_ptr<env::StreamHandler> ControlPort::on_accept(env::Stream& stream) {
  return std::make_unique<Connection>(*this, stream);
}

}  // namespace stator::torture

#include "env_real/frame_receiver.h"

#include <cstring>

#include "env_real/frames.h"

namespace stator::env {

namespace {

class FrameReceiver final : public StreamHandler {
 public:
  FrameReceiver(Stream& stream, FrameSink& sink, std::size_t& inbound)
      : stream_(stream), sink_(sink), inbound_(inbound) {
    ++inbound_;
  }
  ~FrameReceiver() override { --inbound_; }
  FrameReceiver(const FrameReceiver&) = delete;
  FrameReceiver& operator=(const FrameReceiver&) = delete;

  std::size_t on_data(std::string_view bytes) override {
    std::size_t used = 0;
    while (bytes.size() - used >= kFrameHeaderBytes) {
      std::uint32_t size = 0;
      std::memcpy(&size, bytes.data() + used, sizeof size);
      if (size > FrameLink::kFrameMax) {  // not a peer of ours
        stream_.close_now();
        return bytes.size();
      }
      if (bytes.size() - used - kFrameHeaderBytes < size) break;
      sink_.on_frame(bytes.substr(used + kFrameHeaderBytes, size));
      used += kFrameHeaderBytes + size;
    }
    return used;
  }
  void on_closed() override {}

 private:
  Stream& stream_;
  FrameSink& sink_;
  std::size_t& inbound_;
};

}  // namespace

std::unique_ptr<StreamHandler> FrameAcceptor::on_accept(Stream& stream) {
  if (inbound_ >= kInboundMax) return nullptr;
  return std::make_unique<FrameReceiver>(stream, sink_, inbound_);
}

}  // namespace stator::env

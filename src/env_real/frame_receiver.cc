#include "env_real/frame_receiver.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "env_real/frames.h"

namespace stator::env {

namespace {

// So many records fit into the cache while they wait.
constexpr std::size_t kTogether = 16;

std::uint32_t announced_size(std::string_view bytes) {
  std::uint32_t size = 0;
  std::memcpy(&size, bytes.data(), sizeof size);
  return size;
}

bool announces_too_much(std::string_view bytes) {
  return bytes.size() >= kFrameHeaderBytes && announced_size(bytes) > FrameLink::kFrameMax;
}

class FrameReceiver final : public StreamHandler {
 public:
  FrameReceiver(Loop& loop, Stream& stream, FrameSink& sink, std::size_t& inbound)
      : loop_(loop), stream_(stream), sink_(sink), inbound_(inbound) {
    ++inbound_;
    look_again_after(kFirstFrameWait);
  }
  ~FrameReceiver() override {
    loop_.cancel(look_);
    --inbound_;
  }
  FrameReceiver(const FrameReceiver&) = delete;
  FrameReceiver& operator=(const FrameReceiver&) = delete;

  std::size_t on_data(std::string_view bytes) override {
    std::size_t used = 0;
    for (;;) {
      std::array<std::string_view, kTogether> frames;
      std::size_t count = 0;
      while (count < kTogether && bytes.size() - used >= kFrameHeaderBytes) {
        const std::size_t size = announced_size(bytes.substr(used));
        if (size > FrameLink::kFrameMax) break;
        if (bytes.size() - used - kFrameHeaderBytes < size) break;
        frames[count++] = bytes.substr(used + kFrameHeaderBytes, size);
        used += kFrameHeaderBytes + size;
      }
      if (count > 1) sink_.on_frames_ahead({frames.data(), count});
      for (std::size_t i = 0; i < count; ++i) sink_.on_frame(frames[i]);
      if (count < kTogether) break;
    }
    if (used > 0) {
      spoke_ = true;
      last_frame_ = loop_.now();
    }
    incoming_ = bytes.size() - used;
    if (announces_too_much(bytes.substr(used))) {  // not a peer of ours
      stream_.close_now();
      return bytes.size();
    }
    return used;
  }
  void on_closed() override {}

 private:
  void look_again_after(Duration wait) {
    look_ = loop_.after(wait, [this] { look(); });
  }
  void look() {
    look_ = {};
    const bool speaks = incoming_ >= incoming_before_ + kFirstFrameProgress;
    incoming_before_ = incoming_;
    const Duration left = last_frame_ + kNextFrameWait - loop_.now();
    if (left <= Duration{} || (!spoke_ && !speaks)) {
      stream_.close_now();
    } else {
      look_again_after(spoke_ ? left : std::min(left, kFirstFrameWait));
    }
  }

  Loop& loop_;
  Stream& stream_;
  FrameSink& sink_;
  std::size_t& inbound_;
  bool spoke_ = false;                 // a whole frame came
  MonoTime last_frame_ = loop_.now();  // or when it connected
  std::size_t incoming_ = 0;           // bytes of a frame that is not whole
  std::size_t incoming_before_ = 0;    // at the last look
  TimerId look_{};
};

}  // namespace

std::unique_ptr<StreamHandler> FrameAcceptor::on_accept(Stream& stream) {
  if (inbound_ >= kInboundMax) return nullptr;
  return std::make_unique<FrameReceiver>(loop_, stream, sink_, inbound_);
}

}  // namespace stator::env

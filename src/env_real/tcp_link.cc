#include "env_real/tcp_link.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/bytes.h"
#include "env_real/buffer_pool.h"
#include "env_real/frames.h"
#include "env_real/sockets.h"

namespace stator::env {

// Sees the end of the connection; may outlive the link by some turns.
class TcpLink::Guard final : public StreamHandler {
 public:
  Guard(TcpLink& link, Stream& stream) : link_(&link), stream_(stream) {}
  void leave() { link_ = nullptr; }

  std::size_t on_data(std::string_view bytes) override {
    stream_.close_now();  // whoever answers frames is no peer
    return bytes.size();
  }
  bool on_end_of_input() override {
    stream_.close_now();  // whoever reads frames does not end its output before it goes
    return true;
  }
  void on_closed() override {
    if (link_ != nullptr) link_->lost();
  }

 private:
  TcpLink* link_;
  Stream& stream_;
};

TcpLink::TcpLink(Loop& loop, StreamSet& streams, Address address, LinkEvents& events)
    : loop_(loop),
      streams_(streams),
      address_(std::move(address)),
      events_(events),
      pause_(kRedialMin) {
  dial();
}

TcpLink::~TcpLink() {
  loop_.cancel(redial_);
  if (stream_ == nullptr) return;
  guard_->leave();
  stream_->close_after_flush();
}

std::string& TcpLink::begin_frame() {
  STATOR_ASSERT(frame_ == nullptr);
  const bool leaves = stream_ != nullptr && stream_->unsent() <= kLinkUnsentMax;
  frame_ = leaves ? &stream_->output() : &dropped_;
  frame_start_ = frame_->size();
  append_u32(*frame_, 0);
  return *frame_;
}

void TcpLink::end_frame() {
  STATOR_ASSERT(frame_ != nullptr);
  std::string& frame = *std::exchange(frame_, nullptr);
  const std::size_t size = frame.size() - frame_start_ - kFrameHeaderBytes;
  if (&frame == &dropped_) {
    dropped_.clear();
    if (dropped_.capacity() > BufferPool::kKeptMax) std::string().swap(dropped_);
  } else if (size > kFrameMax) {
    frame.resize(frame_start_);
  } else {
    overwrite_integer(frame, frame_start_, static_cast<std::uint32_t>(size));
  }
}

std::size_t TcpLink::unsent() const {
  return stream_ != nullptr ? stream_->unsent() : 0;
}

void TcpLink::dial() {
  dialled_at_ = loop_.now();
  dial_ = std::make_unique<Dial>(loop_, address_,
                                 [this](Result<Descriptor> result) { dialled(std::move(result)); });
  await_answer(kDialDoubtful);
}

// A name that is being looked up is waited for: asking again would only queue up behind it. And
// that takes nothing from the time in which the peer may answer.
void TcpLink::await_answer(Duration time) {
  redial_ = loop_.after(time, [this] {
    const Duration rest = dial_->connecting()
                              ? dial_->connecting_since() + kDialDoubtful - loop_.now()
                              : kDialDoubtful;
    rest > Duration{} ? await_answer(rest) : dial();
  });
}

void TcpLink::dialled(Result<Descriptor> result) {
  dial_.reset();
  loop_.cancel(redial_);
  redial_ = {};
  if (result) {
    limit_unacknowledged(result->get(), kLinkSilenceMax);
    static_cast<void>(streams_.adopt(std::move(*result), *this, Part::kPeers));
  }
  if (stream_ == nullptr) {
    dial_later();
    return;
  }
  up_since_ = loop_.now();
  events_.on_link_up();
}

std::unique_ptr<StreamHandler> TcpLink::on_accept(Stream& stream) {
  auto guard = std::make_unique<Guard>(*this, stream);
  stream_ = &stream;
  guard_ = guard.get();
  return guard;
}

void TcpLink::lost() {
  stream_ = nullptr;
  guard_ = nullptr;
  // One that takes connections and drops them at once is dialled as rarely as one that is gone.
  if (loop_.now() - up_since_ >= kRedialMax) pause_ = kRedialMin;
  dial_later();
  events_.on_link_down();
}

void TcpLink::dial_later() {
  const auto half = static_cast<std::uint64_t>(pause_.ns / 2);
  const Duration drawn{static_cast<std::int64_t>(half + loop_.random() % half)};
  dial_at(loop_.now() + drawn);
  pause_ = std::min(pause_ * 2, kRedialMax);
}

void TcpLink::dial_at(MonoTime time) {
  loop_.cancel(redial_);
  redial_at_ = time;
  redial_ = loop_.after(std::max(time - loop_.now(), Duration{}), [this] { dial(); });
}

void TcpLink::hurry() {
  if (dial_ != nullptr || !redial_) return;
  // A peer may be heard that cannot be dialled: it is not dialled with every frame of it.
  const MonoTime soon = std::max(dialled_at_ + kRedialMin, loop_.now());
  if (soon < redial_at_) dial_at(soon);
}

}  // namespace stator::env

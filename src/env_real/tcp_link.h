#pragma once

#include <memory>
#include <string>

#include "env/network.h"
#include "env_real/dial.h"
#include "env_real/loop.h"
#include "env_real/stream_set.h"

namespace stator::env {

/// env::FrameLink over one TCP connection at a time. The peer sends nothing on it, so that its end
/// is seen at once by reading.
class TcpLink final : public FrameLink, private StreamAcceptor {
 public:
  TcpLink(Loop& loop, StreamSet& streams, Address address, LinkEvents& events);
  ~TcpLink() override;
  TcpLink(const TcpLink&) = delete;
  TcpLink& operator=(const TcpLink&) = delete;

  std::string& begin_frame() override;
  void end_frame() override;
  [[nodiscard]] bool up() const override { return stream_ != nullptr; }
  [[nodiscard]] std::size_t unsent() const override;
  void hurry() override;

 private:
  class Guard;

  std::unique_ptr<StreamHandler> on_accept(Stream& stream) override;
  void dial();
  void await_answer(Duration time);
  void dialled(Result<Descriptor> result);
  void lost();
  void dial_later();
  void dial_at(MonoTime time);

  Loop& loop_;
  StreamSet& streams_;
  const Address address_;
  LinkEvents& events_;

  std::unique_ptr<Dial> dial_;
  Stream* stream_ = nullptr;  // while up
  Guard* guard_ = nullptr;    // the stream's handler
  MonoTime up_since_;
  MonoTime dialled_at_;
  Duration pause_;
  TimerId redial_;      // until it dials again, or begins an attempt anew
  MonoTime redial_at_;  // when, while it waits to dial again

  std::string* frame_ = nullptr;  // between begin_frame and end_frame
  std::size_t frame_start_ = 0;
  std::string dropped_;
};

}  // namespace stator::env

#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "env/network.h"
#include "env_sim/packet.h"
#include "env_sim/scheduler.h"

namespace stator::sim {

class Process;
class ShardLoop;
class ShardNetwork;

/// One end of a frame link (env/network.h): dials by itself, again and again; sends the frames of a
/// turn as one packet into the faulty network; learns late, or by a reset, that its peer is gone.
class SimLink final : public env::FrameLink {
 public:
  SimLink(ShardNetwork& network, std::uint32_t far, std::uint16_t port, env::LinkEvents& events);
  ~SimLink() override;
  SimLink(const SimLink&) = delete;
  SimLink& operator=(const SimLink&) = delete;

  std::string& begin_frame() override;
  void end_frame() override;
  [[nodiscard]] bool up() const override { return peer_ != nullptr || stale_; }
  [[nodiscard]] std::size_t unsent() const override;
  void hurry() override;

  [[nodiscard]] std::uint32_t far() const { return far_; }
  /// At least unsent(), which itself forgets what has arrived: this one changes nothing.
  [[nodiscard]] std::size_t unsent_at_most() const;
  void flush();
  void path_changed(bool cut);
  void peer_gone(const Process* peer, bool reset);
  void reset();

 private:
  struct Sent {
    MonoTime arrives{};
    std::size_t bytes = 0;
  };
  void dial();
  void on_dialled();
  void retry_after(Duration delay);
  void dial_at(MonoTime time);
  void go_down();
  void go_down_after(Duration delay);
  void forget_arrived() const;

  ShardNetwork& network_;
  std::uint32_t far_;
  std::uint16_t port_;
  env::LinkEvents& events_;

  ShardLoop* peer_ = nullptr;  // nullptr: not connected, or to a process that is gone (stale_)
  bool stale_ = false;         // up as far as this end knows
  EventRef dialling_{};
  MonoTime dialled_at_{};
  MonoTime redial_at_{};  // 0: nothing to hurry
  bool silent_ = false;   // what it has dialled does not answer
  EventRef ending_{};
  Duration back_off_;

  PacketRef building_;  // frames of this turn
  std::size_t frame_begin_ = 0;
  bool dirty_ = false;
  MonoTime in_order_{};
  // What was sent and has not arrived. Swept only when it is asked for, hence mutable.
  mutable std::deque<Sent> sent_;
  mutable std::size_t sent_bytes_ = 0;
};

}  // namespace stator::sim

#include "env_sim/link.h"

#include <algorithm>
#include <utility>

#include "env_sim/network.h"
#include "env_sim/world.h"

namespace stator::sim {

SimLink::SimLink(ShardNetwork& network, std::uint32_t far, std::uint16_t port,
                 env::LinkEvents& events)
    : network_(network),
      far_(far),
      port_(port),
      events_(events),
      back_off_(network.wire().limits.reconnect_min),
      building_(network.wire().packets()) {
  dial();
}

SimLink::~SimLink() {
  Scheduler& scheduler = network_.loop().scheduler();
  scheduler.cancel(dialling_);
  scheduler.cancel(ending_);
  network_.remove(this);
}

void SimLink::dial() {
  redial_at_ = {};
  silent_ = false;
  dialled_at_ = network_.wire().world().now();
  Duration trip = microseconds(10);  // an unknown name fails soon
  if (far_ != Wire::kNowhere) {
    trip =
        network_.wire().delay(network_.host(), far_) + network_.wire().delay(far_, network_.host());
  }
  dialling_ = network_.loop().schedule(network_.wire().world().now() + trip, EventKind::kLink,
                                       [this] { on_dialled(); });
}

void SimLink::on_dialled() {
  using Answer = ShardNetwork::Dialled::Answer;
  const auto dialled = network_.dial(far_, port_, ListenTable::Kind::kFrames);
  const NetworkLimits& limits = network_.wire().limits;
  switch (dialled.answer) {
    case Answer::kSilent:
      ++network_.wire().counters().unanswered;
      dial_at(std::max(dialled_at_ + kDialDoubtful, network_.wire().world().now()));
      silent_ = true;
      return;
    case Answer::kRefused:
      ++network_.wire().counters().refused;
      retry_after(back_off_);
      back_off_ = std::min(back_off_ * 2, limits.reconnect_max);
      return;
    case Answer::kAccepted: break;
  }
  dialling_ = {};
  back_off_ = limits.reconnect_min;
  peer_ = dialled.loop;
  in_order_ = {};
  events_.on_link_up();
}

void SimLink::retry_after(Duration delay) {
  dial_at(network_.wire().world().now() + delay);
}

void SimLink::dial_at(MonoTime time) {
  network_.loop().scheduler().cancel(dialling_);
  redial_at_ = time;
  dialling_ = network_.loop().schedule(time, EventKind::kLink, [this] { dial(); });
}

void SimLink::hurry() {
  if (redial_at_.ns == 0 || silent_) return;
  const Duration pause = network_.wire().limits.reconnect_min;
  const MonoTime soon = std::max(dialled_at_ + pause, network_.wire().world().now());
  if (soon < redial_at_) dial_at(soon);
}

void SimLink::go_down() {
  network_.loop().scheduler().cancel(ending_);
  ending_ = {};
  peer_ = nullptr;
  stale_ = false;
  building_->bytes.clear();
  building_->ends.clear();
  sent_.clear();
  sent_bytes_ = 0;
  retry_after(back_off_);
  events_.on_link_down();
}

void SimLink::go_down_after(Duration delay) {
  network_.loop().scheduler().cancel(ending_);
  ending_ = network_.loop().schedule(network_.wire().world().now() + delay, EventKind::kLink,
                                     [this] { go_down(); });
}

std::string& SimLink::begin_frame() {
  frame_begin_ = building_->bytes.size();
  return building_->bytes;
}

void SimLink::end_frame() {
  std::string& bytes = building_->bytes;
  const std::size_t waiting = unsent() - (bytes.size() - frame_begin_);
  if (!up() || waiting > network_.wire().limits.link_unsent_max) {
    if (up()) ++network_.wire().counters().overflowed;
    bytes.resize(frame_begin_);
    return;
  }
  building_->ends.push_back(static_cast<std::uint32_t>(bytes.size()));
  if (dirty_) return;
  dirty_ = true;
  network_.mark_dirty(*this);
}

void SimLink::flush() {
  dirty_ = false;
  if (building_->ends.empty()) return;
  const std::size_t size = building_->bytes.size();
  PacketRef packet(network_.wire().packets());
  std::swap(packet, building_);
  MonoTime arrives{INT64_MAX};  // what a process that is gone should have got
  if (peer_ != nullptr) {
    Wire& wire = network_.wire();
    const bool breaks = wire.random().chance(wire.faults(network_.host(), far_).reset);
    if (breaks) wire.break_off(*packet);
    if (!packet->ends.empty()) {
      arrives = wire.send_frames(network_.loop(), *peer_, port_, std::move(packet), in_order_);
    }
    if (breaks) {
      wire.counters().resets += 1;
      reset();
    } else if (!ending_ && arrives - wire.world().now() > wire.limits.keep_alive_min) {
      // Nothing is acknowledged for so long that the connection is given up, and all that waits in
      // it: what one slow packet holds up must not outlast the fault that made it slow.
      go_down_after(wire.limits.keep_alive_min);
    }
  }
  sent_.push_back({arrives, size});
  sent_bytes_ += size;
  if (sent_bytes_ > network_.wire().limits.socket_buffer) forget_arrived();
}

void SimLink::forget_arrived() const {
  // A paused peer's machine still acknowledges, but only until its buffer is full.
  if (peer_ != nullptr && peer_->paused()) return;
  const MonoTime now = network_.wire().world().now();
  while (!sent_.empty() && sent_.front().arrives <= now) {
    sent_bytes_ -= sent_.front().bytes;
    sent_.pop_front();
  }
}

std::size_t SimLink::unsent() const {
  const std::size_t buffered = network_.wire().limits.socket_buffer;
  if (sent_bytes_ > buffered) forget_arrived();
  return building_->bytes.size() + (sent_bytes_ > buffered ? sent_bytes_ - buffered : 0);
}

std::size_t SimLink::unsent_at_most() const {
  const std::size_t buffered = network_.wire().limits.socket_buffer;
  return building_->bytes.size() + (sent_bytes_ > buffered ? sent_bytes_ - buffered : 0);
}

void SimLink::path_changed(bool cut) {
  if (!up()) return;
  Wire& wire = network_.wire();
  if (cut) {
    if (!ending_) go_down_after(wire.keep_alive());
  } else if (stale_) {
    // What is sent again now meets a machine that does not know the connection.
    if (wire.world().host(far_).powered()) go_down_after(wire.delay(far_, network_.host()));
  } else {
    network_.loop().scheduler().cancel(ending_);
    ending_ = {};
    sent_.clear();
    sent_bytes_ = 0;
  }
}

void SimLink::peer_gone(const Process* peer, bool reset) {
  const Process* connected = peer_ == nullptr ? nullptr : &peer_->process();
  if (!up() || (peer != nullptr && peer != connected)) return;
  peer_ = nullptr;
  stale_ = true;
  Wire& wire = network_.wire();
  if (reset && !wire.is_cut(far_, network_.host())) {
    go_down_after(wire.delay(far_, network_.host()));
  } else if (!ending_) {
    go_down_after(wire.keep_alive());
  }
}

void SimLink::reset() {
  if (up()) go_down_after(Duration{});
}

}  // namespace stator::sim

#include "env_sim/stream.h"

#include <algorithm>
#include <utility>

#include "env_sim/network.h"
#include "env_sim/world.h"

namespace stator::sim {
namespace {

constexpr std::size_t kDrainMark = 64 * 1024;
constexpr Duration kRetransmitMin = milliseconds(200);
// A closing connection whose other side has ended its output gets so long.
constexpr Duration kCloseTimeout = seconds(5);
// What a system takes that has hardly any room left, and when it has some again.
constexpr std::size_t kPart = 16;
constexpr Duration kRoomAgain = microseconds(20);

}  // namespace

SimStream::SimStream(ShardNetwork& network, StreamEnd self, std::uint32_t far, env::Address remote)
    : network_(network), self_(self), far_(far), remote_(std::move(remote)) {}

SimStream::~SimStream() {
  Scheduler& scheduler = network_.loop().scheduler();
  scheduler.cancel(dialling_);
  scheduler.cancel(ending_);
}

EventRef SimStream::schedule(MonoTime when, Callback<void()> run, std::uint64_t hash) {
  return network_.loop().schedule(when, EventKind::kStream, std::move(run), hash);
}

SimStream* SimStream::peer() {
  if (peer_.generation == 0) return nullptr;
  Process* process = network_.wire().world().host(peer_.host).process();
  if (process == nullptr || process->number() != peer_.process) return nullptr;
  return process->loop(peer_.shard).network().find(peer_);
}

// Runs `action` on the other end in a turn of its process, if it is still there then.
template <typename Action>
void SimStream::to_peer(MonoTime when, std::uint64_t hash, Action action) {
  SimStream* other = peer();
  if (other == nullptr) return;
  ShardNetwork* there = &other->network_;
  (void)other->schedule(
      when,
      [there, end = peer_, action = std::move(action)]() mutable {
        if (SimStream* stream = there->find(end)) action(*stream);
      },
      hash);
}

// --- opening -----------------------------------------------------------------------------------

void SimStream::connect(std::uint16_t port, env::StreamAcceptor& acceptor,
                        Callback<void(const Error&)> failed) {
  acceptor_ = &acceptor;
  failed_ = std::move(failed);
  World& world = network_.wire().world();
  if (far_ == Wire::kNowhere) {
    ending_ = schedule(world.now(), [this] { fail(ErrorCode::kIo); });
    return;
  }
  ending_ = schedule(world.now() + network_.wire().limits.connect_timeout,
                     [this] { fail(ErrorCode::kTimeout); });
  dialling_ = world.after(network_.wire().delay(network_.host(), far_),
                          [this, port] { syn_arrives(port); });
}

// Outside every process: the machine answers for a process that is not there.
void SimStream::syn_arrives(std::uint16_t port) {
  using Answer = ShardNetwork::Dialled::Answer;
  World& world = network_.wire().world();
  const auto dialled = network_.dial(far_, port, ListenTable::Kind::kStreams);
  if (dialled.answer == Answer::kSilent) return;  // until the timeout
  if (dialled.answer == Answer::kRefused) {
    Scheduler& scheduler = world.scheduler();
    scheduler.cancel(ending_);
    ending_ = schedule(world.now() + network_.wire().delay(far_, network_.host()),
                       [this] { fail(ErrorCode::kIo); });
    return;
  }
  ShardNetwork* there = &dialled.loop->network();
  const auto client_port = static_cast<std::uint16_t>(40'000 + self_.slot % 20'000);
  dialled.loop->schedule(world.now(), EventKind::kStream,
                         [there, port, client_port, client = self_] {
                           SimListener* listener = there->find_stream_listener(port);
                           if (listener == nullptr) return;
                           const std::string& name = there->wire().world().host(client.host).name();
                           SimStream& stream = there->add_stream(client.host, {name, client_port});
                           stream.accept(client, *listener->acceptor());
                         });
}

void SimStream::accept(const StreamEnd& client, env::StreamAcceptor& acceptor) {
  peer_ = client;
  state_ = State::kOpen;
  Wire& wire = network_.wire();
  if (peer() == nullptr) {  // it gave up, or is dead, while this end was in the queue
    network_.destroy(self_);
    return;
  }
  in_order_ = wire.world().now() + wire.delay(network_.host(), far_);
  to_peer(in_order_, 0, [server = self_](SimStream& stream) { stream.established(server); });
  handler_ = acceptor.on_accept(*this);
  if (handler_ == nullptr) close_now();
}

void SimStream::established(const StreamEnd& server) {
  if (state_ != State::kConnecting) return;
  network_.loop().scheduler().cancel(ending_);
  ending_ = {};
  peer_ = server;
  state_ = State::kOpen;
  failed_.reset();
  handler_ = std::exchange(acceptor_, nullptr)->on_accept(*this);
  if (handler_ == nullptr) close_now();
}

void SimStream::fail(ErrorCode code) {
  ending_ = {};
  state_ = State::kEnded;
  Callback<void(const Error&)> failed = std::move(failed_);
  const Error error{.code = code, .detail = "cannot connect to " + env::to_string(remote_)};
  network_.destroy(self_);
  failed(error);
}

// --- sending -----------------------------------------------------------------------------------

std::string& SimStream::output() {
  if (!dirty_) {
    dirty_ = true;
    network_.mark_dirty(*this);
  }
  return output_;
}

void SimStream::flush() {
  dirty_ = false;
  if (state_ == State::kConnecting) return;
  if (state_ == State::kEnded) {
    output_.clear();
    return;
  }
  if (peer_is_lost()) return;
  if (output_.size() > kDrainMark) drain_wanted_ = true;
  Wire& wire = network_.wire();
  if (!wire.is_cut(network_.host(), far_)) {
    const std::size_t window = wire.limits.socket_buffer;
    const std::size_t room = window > in_flight_ ? window - in_flight_ : 0;
    std::size_t size = std::min(room, output_.size());
    if (size > kPart && network_.loop().env().buggified("stream: a part is taken")) {
      size = kPart;
      pump_after(kRoomAgain);
    }
    if (size > 0) send_segment(size);
  }
  if (!output_.empty()) return;
  if (state_ == State::kClosing) {
    tell_peer_end(false);
    end_after(Duration{});
    return;
  }
  if (output_ended_ && !end_told_ && !wire.is_cut(network_.host(), far_)) {
    end_told_ = true;
    tell_peer_end(false);
    if (input_ended_) end_after(Duration{});
  }
  if (drain_wanted_) {
    drain_wanted_ = false;
    (void)schedule(wire.world().now(), [network = &network_, self = self_] {
      SimStream* stream = network->find(self);
      if (stream != nullptr && stream->state_ == State::kOpen) stream->handler_->on_drained();
    });
  }
}

void SimStream::send_segment(std::size_t size) {
  Wire& wire = network_.wire();
  const NetworkFaults& faults = wire.faults(network_.host(), far_);
  ++wire.counters().stream_segments;
  PacketRef packet(wire.packets());
  if (size == output_.size()) {
    std::swap(packet->bytes, output_);
  } else {
    packet->bytes.assign(output_, 0, size);
    output_.erase(0, size);
  }
  in_flight_ += size;
  MonoTime when = wire.arrival(network_.host(), far_, size);
  while (wire.random().chance(faults.loss)) {  // TCP sends again, until it arrives
    when = when + kRetransmitMin + wire.random().exponential(kRetransmitMin);
  }
  in_order_ = std::max(in_order_, when);
  const bool chopped = wire.random().chance(faults.chop);
  if (wire.random().chance(faults.reset)) {
    ++wire.counters().resets;
    reset();
    tell_peer_end(true);
    return;
  }
  if (chopped) {
    send_chopped(std::move(packet), in_order_);
    return;
  }
  const std::uint64_t hash = hash64(packet->bytes);
  to_peer(in_order_, hash,
          [packet = std::move(packet)](SimStream& stream) { stream.on_segment(*packet); });
}

// Single bytes, a few, then the rest: what a parser of streams must bear.
void SimStream::send_chopped(PacketRef packet, MonoTime when) {
  Wire& wire = network_.wire();
  std::string_view rest = packet->bytes;
  for (int piece = 0; !rest.empty(); ++piece) {
    std::size_t size = rest.size();
    if (piece < 6 && size > 1) size = 1 + wire.random().below(std::min<std::size_t>(size, 16));
    PacketRef part(wire.packets());
    part->bytes.assign(rest.substr(0, size));
    rest.remove_prefix(size);
    const std::uint64_t hash = hash64(part->bytes);
    to_peer(when, hash, [part = std::move(part)](SimStream& stream) { stream.on_segment(*part); });
    when = when + microseconds(static_cast<std::int64_t>(wire.random().below(2'000)));
    in_order_ = std::max(in_order_, when);
  }
}

void SimStream::pump() {
  if (state_ == State::kOpen || state_ == State::kClosing) (void)output();
}

void SimStream::pump_after(Duration delay) {
  (void)schedule(network_.wire().world().now() + delay, [network = &network_, self = self_] {
    if (SimStream* stream = network->find(self)) stream->pump();
  });
}

// --- receiving ---------------------------------------------------------------------------------

void SimStream::on_segment(const Packet& packet) {
  unseen_ += packet.bytes.size();
  if (state_ == State::kClosing || state_ == State::kEnded) {
    credit_peer();
  } else if (reading_paused_) {
    input_.append(packet.bytes);
  } else if (input_.empty()) {
    deliver_input(packet.bytes);
  } else {
    input_.append(packet.bytes);
    deliver_input({});
  }
}

// Of `bytes` if there are any, else of what was kept.
void SimStream::deliver_input(std::string_view bytes) {
  if (bytes.empty() && input_.empty()) return;
  const std::string_view shown = bytes.empty() ? std::string_view(input_) : bytes;
  const std::size_t consumed = handler_->on_data(shown);
  STATOR_ASSERT(consumed <= shown.size());
  if (bytes.empty()) {
    input_.erase(0, consumed);
  } else {
    input_.assign(shown.substr(consumed));
  }
  credit_peer();
}

// What the handler was shown has left the window, whether it was consumed or is kept for later.
void SimStream::credit_peer() {
  const std::size_t bytes = std::exchange(unseen_, 0);
  SimStream* other = peer();
  if (other == nullptr || bytes == 0) return;
  other->in_flight_ -= std::min(bytes, other->in_flight_);
  if (other->output_.empty()) return;
  Wire& wire = network_.wire();
  to_peer(wire.world().now() + wire.delay(network_.host(), far_), 0,
          [](SimStream& stream) { stream.pump(); });
}

void SimStream::resume_reading() {
  if (!reading_paused_) return;
  reading_paused_ = false;
  resuming_ = true;
  (void)schedule(network_.wire().world().now(), [network = &network_, self = self_] {
    SimStream* stream = network->find(self);
    if (stream == nullptr || stream->reading_paused_) return;
    stream->resuming_ = false;
    if (stream->state_ == State::kOpen) stream->deliver_input({});
    if (stream->reading_paused_ || stream->resuming_) return;
    if (stream->peer_ended_) stream->end_input();
  });
}

// --- ending ------------------------------------------------------------------------------------

void SimStream::close_after_flush() {
  if (state_ != State::kOpen) return;
  state_ = State::kClosing;
  (void)output();  // even with nothing to send the end of the turn must come by
  limit_closing();
}

void SimStream::close_now() {
  if (state_ == State::kEnded) return;
  output_.clear();
  tell_peer_end(false);
  end_after(Duration{});
}

void SimStream::end_output() {
  if (state_ != State::kOpen) return;
  output_ended_ = true;
  (void)output();
}

// Its end has been told already, so that nothing more would tell that the peer takes no output.
void SimStream::limit_closing() {
  if (input_ended_ && state_ == State::kClosing && !end_is_final_) end_after(kCloseTimeout);
}

// The end of this side's output, behind all of it, or a reset, which overtakes it.
void SimStream::tell_peer_end(bool reset) {
  Wire& wire = network_.wire();
  if (wire.is_cut(network_.host(), far_)) return;  // it will find out by its keep-alive
  MonoTime when = wire.world().now() + wire.delay(network_.host(), far_);
  if (!reset) when = std::max(when, in_order_);
  to_peer(when, 0, [reset](SimStream& stream) { stream.on_peer_end(reset); });
}

void SimStream::on_peer_end(bool reset) {
  if (state_ == State::kEnded) return;
  if ((reading_paused_ || resuming_) && state_ == State::kOpen) {
    peer_ended_ = true;
  } else if (reset) {
    end();
  } else {
    end_input();
  }
}

void SimStream::end_input() {
  if (std::exchange(input_ended_, true)) return;
  input_.clear();
  if (state_ == State::kOpen && !handler_->on_end_of_input()) close_after_flush();
  if (state_ == State::kOpen && end_told_) end_after(Duration{});
  if (state_ == State::kClosing) {
    limit_closing();
    pump();
  }
}

// The peer has ended its output and is gone. What is sent to it now comes back as a reset.
bool SimStream::peer_is_lost() {
  Wire& wire = network_.wire();
  if (!input_ended_ || output_.empty() || peer() != nullptr) return false;
  if (wire.is_cut(network_.host(), far_)) return false;
  output_.clear();
  if (state_ == State::kClosing) {
    end_after(Duration{});
  } else if (!end_is_final_) {
    end_after(wire.delay(network_.host(), far_) + wire.delay(far_, network_.host()));
  }
  return true;
}

void SimStream::reset() {
  if (state_ == State::kOpen || state_ == State::kClosing) end_after(Duration{});
}

// From now on nothing is sent or delivered; the handler hears of it in a turn of its own.
void SimStream::end_after(Duration delay) {
  network_.loop().scheduler().cancel(ending_);
  if (delay == Duration{}) state_ = State::kEnded;
  end_is_final_ = true;
  ending_ = schedule(network_.wire().world().now() + delay, [this] { end(); });
}

void SimStream::end() {
  state_ = State::kEnded;
  if (handler_ != nullptr) handler_->on_closed();
  network_.destroy(self_);
}

void SimStream::path_changed(bool cut) {
  if (state_ != State::kOpen && state_ != State::kClosing) return;
  Wire& wire = network_.wire();
  if (cut) {
    if (ending_) return;
    ending_ = schedule(wire.world().now() + wire.keep_alive(), [this] { end(); });
    return;
  }
  if (peer() == nullptr) {
    // What is sent again now meets a machine that does not know the connection.
    if (wire.world().host(far_).powered()) end_after(wire.delay(far_, network_.host()));
    return;
  }
  if (end_is_final_) return;
  network_.loop().scheduler().cancel(ending_);
  ending_ = {};
  if (!output_.empty() || state_ == State::kClosing || (output_ended_ && !end_told_)) {
    pump_after(Duration{});
  }
}

void SimStream::peer_gone(bool reset) {
  if (state_ == State::kConnecting || state_ == State::kEnded) return;
  if (peer() != nullptr) return;
  Wire& wire = network_.wire();
  if (reset && !wire.is_cut(far_, network_.host())) {
    end_after(wire.delay(far_, network_.host()));
  } else if (!ending_) {
    end_after(wire.keep_alive());
  }
}

}  // namespace stator::sim

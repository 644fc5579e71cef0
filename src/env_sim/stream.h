#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "env/network.h"
#include "env_sim/packet.h"
#include "env_sim/scheduler.h"

namespace stator::sim {

class ShardNetwork;

/// Names one end of a stream in the whole world, without pointing at it: what is under way may
/// outlive both.
struct StreamEnd {
  std::uint32_t host = 0;
  std::uint32_t process = 0;
  std::uint32_t shard = 0;
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;  // 0: none
};

/// One end of a client connection (env/network.h): ordered bytes with a window, which stall while
/// the path is cut and arrive in pieces. Both ends learn of its end by themselves, each in its
/// time. What is sent to an end that is no more is answered by a reset.
class SimStream final : public env::Stream {
 public:
  SimStream(ShardNetwork& network, StreamEnd self, std::uint32_t far, env::Address remote);
  ~SimStream() override;
  SimStream(const SimStream&) = delete;
  SimStream& operator=(const SimStream&) = delete;

  // env::Stream
  std::string& output() override;
  [[nodiscard]] std::size_t unsent() const override { return output_.size(); }
  void pause_reading() override { reading_paused_ = true; }
  void resume_reading() override;
  void close_after_flush() override;
  void close_now() override;
  void end_output() override;
  [[nodiscard]] const env::Address& remote() const override { return remote_; }

  [[nodiscard]] const StreamEnd& self() const { return self_; }
  [[nodiscard]] std::uint32_t far() const { return far_; }
  /// The client's side: dials. `acceptor` outlives the attempt.
  void connect(std::uint16_t port, env::StreamAcceptor& acceptor,
               Callback<void(const Error&)> failed);
  /// The server's side.
  void accept(const StreamEnd& client, env::StreamAcceptor& acceptor);

  // What the world does to it.
  void flush();
  void path_changed(bool cut);
  void peer_gone(bool reset);
  void reset();

 private:
  enum class State : std::uint8_t { kConnecting, kOpen, kClosing, kEnded };

  void syn_arrives(std::uint16_t port);
  void fail(ErrorCode code);
  void established(const StreamEnd& server);
  void send_segment(std::size_t size);
  void send_chopped(PacketRef packet, MonoTime when);
  void on_segment(const Packet& packet);
  void deliver_input(std::string_view bytes);
  void credit_peer();
  void pump();
  void pump_after(Duration delay);
  void on_peer_end(bool reset);
  void end_input();
  void end();
  void end_after(Duration delay);
  void limit_closing();
  void tell_peer_end(bool reset);
  [[nodiscard]] bool peer_is_lost();
  [[nodiscard]] SimStream* peer();
  [[nodiscard]] EventRef schedule(MonoTime when, Callback<void()> run, std::uint64_t hash = 0);
  template <typename Action>
  void to_peer(MonoTime when, std::uint64_t hash, Action action);

  ShardNetwork& network_;
  StreamEnd self_;
  std::uint32_t far_;
  env::Address remote_;
  StreamEnd peer_{};
  State state_ = State::kConnecting;
  std::unique_ptr<env::StreamHandler> handler_;

  env::StreamAcceptor* acceptor_ = nullptr;  // while connecting
  Callback<void(const Error&)> failed_;      // while connecting
  EventRef dialling_{};
  EventRef ending_{};
  bool end_is_final_ = false;  // no healing of the path takes it back

  std::string output_;
  std::string input_;          // arrived and not consumed
  std::size_t unseen_ = 0;     // arrived and not shown to the handler
  std::size_t in_flight_ = 0;  // sent and not shown to the peer's handler
  MonoTime in_order_{};
  bool dirty_ = false;
  bool reading_paused_ = false;
  bool resuming_ = false;  // what was left is due, before the end of the input
  bool drain_wanted_ = false;
  bool peer_ended_ = false;    // its end arrived while reading was paused or resumed
  bool input_ended_ = false;   // its end was told to the handler
  bool output_ended_ = false;  // by end_output
  bool end_told_ = false;      // and the peer will hear of it
};

}  // namespace stator::sim

#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "env/network.h"
#include "env_real/buffer_pool.h"
#include "env_real/descriptor.h"
#include "env_real/loop.h"
#include "env_real/reactor.h"
#include "env_real/turn_share.h"

namespace stator::env {

class TcpStream;

/// What the connections of one loop share.
struct StreamBuffers {
  BufferPool pool;
  std::vector<char> input = std::vector<char>(kReceived + kRestCopied);

  /// By one call: about what one part of a turn takes on.
  static constexpr std::size_t kReceived = TurnShare::kBytes;
  /// Up to here a left-over is copied in front of the new input; above, input is received behind
  /// it.
  static constexpr std::size_t kRestCopied = 16 * 1024;
};

/// Owns streams; one per loop.
class StreamOwner {
 public:
  virtual ~StreamOwner() = default;
  /// `stream` is closed and its handler gone. It is destroyed after this turn.
  virtual void retire(TcpStream& stream) = 0;
};

/// env::Stream over one TCP socket. Input is received into the buffer that the loop's connections
/// share; only what the handler left over is kept here. Output gathers in one string and leaves
/// with one send per turn.
class TcpStream final : public Stream, private Watcher, private Tended {
 public:
  TcpStream(Loop& loop, StreamBuffers& buffers, StreamOwner& owner, Address remote);
  ~TcpStream() override;

  /// Takes over a connected socket.
  [[nodiscard]] Result<void> open(Descriptor socket, Part part);
  /// Asks `acceptor` for the handler; then input is waited for. False when it refused: the stream
  /// shall be destroyed.
  [[nodiscard]] bool accept(StreamAcceptor& acceptor);

  std::string& output() override;
  [[nodiscard]] std::size_t unsent() const override { return out_.size() - sent_; }
  void pause_reading() override { paused_ = true; }
  void resume_reading() override;
  void send_now() override;
  void close_after_flush() override;
  void close_now() override;
  void end_output() override;
  [[nodiscard]] const Address& remote() const override { return remote_; }

  /// The loop has ended: on_closed without waiting for a turn.
  void end_now() { finish(); }
  std::size_t index = 0;  // its place among the owner's streams

 private:
  // kOpen -> kFlushing -> kLingering -> kEnded, with short cuts; never back. kLingering: all is
  // sent and the sending side shut, what still comes is thrown away until the peer closes too:
  // closing with input unread would reset the connection and take the last answer with it.
  enum class State : std::uint8_t { kOpen, kFlushing, kLingering, kEnded };

  void on_readable() override;
  void on_writable() override;
  void tend() override;
  void flush() override;

  void read_some();
  void discard_input();
  [[nodiscard]] long receive(std::size_t& asked);
  void deliver(std::string_view bytes);
  [[nodiscard]] bool reads() const { return state_ == State::kOpen && !paused_ && !input_ended_; }
  void end_input();
  void watch_for_reset();
  void send_some();
  void all_sent();
  void linger();
  void watch_progress();
  void end();
  void finish();
  void tend_soon();

  Loop& loop_;
  StreamBuffers& buffers_;
  StreamOwner& owner_;
  const Address remote_;
  Watch watch_;
  std::unique_ptr<StreamHandler> handler_;

  std::string rest_;  // input that the handler did not consume
  std::string out_;
  std::size_t sent_ = 0;         // of out_
  std::size_t sent_lately_ = 0;  // the most that out_ held when sent whole, forgotten by and by
  std::size_t progress_ = 0;     // bytes sent since watch_progress
  TimerId progress_timer_;

  State state_ = State::kOpen;
  bool paused_ = false;
  bool waiting_output_ = false;
  bool to_tend_ = false;
  bool to_flush_ = false;
  bool over_mark_ = false;  // unsent() was over the mark since it was last zero
  bool drained_ = false;    // on_drained is due
  bool redeliver_ = false;  // rest_ is due, before anything else is read
  bool input_ended_ = false;
  bool output_ended_ = false;
  bool output_shut_ = false;    // and the other side was told
  bool reset_awaited_ = false;  // input_ended_, and the descriptor is watched for a reset
};

}  // namespace stator::env

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/callback.h"
#include "base/error.h"
#include "base/time.h"

// Two kinds of conversation. Streams are ordered bytes, for clients (RESP, HTTP). Frame links are
// for peers: whole frames, best effort: a frame may be lost, repeated, late or overtaken, and the
// peer protocol assumes nothing better. Over TCP in production, as packets of the faulty network in
// the simulator. All calls and callbacks happen on the shard's loop.

namespace stator::env {

/// Host (name or number; IPv6 without brackets) and port. "127.0.0.1:7379", "[::1]:7379".
struct Address {
  std::string host;
  std::uint16_t port = 0;
  bool operator==(const Address&) const = default;
  auto operator<=>(const Address&) const = default;
};
[[nodiscard]] Result<Address> parse_address(std::string_view text);
[[nodiscard]] std::string to_string(const Address& address);
/// 127.0.0.0/8, ::1 and "localhost": what may be bound without credentials.
[[nodiscard]] bool is_loopback(const Address& address);

/// One connection to a client, or from one. Lives until StreamHandler::on_closed returns.
class Stream {
 public:
  virtual ~Stream() = default;
  /// Append what shall be sent; it leaves at the end of the turn. Bytes stay in order.
  virtual std::string& output() = 0;
  /// Bytes that the other side has not taken yet.
  [[nodiscard]] virtual std::size_t unsent() const = 0;
  /// No more on_data until resume_reading, which first delivers again what was not consumed (in a
  /// later turn). While paused, on_end_of_input does not come, and that the other side has vanished
  /// may go unnoticed.
  virtual void pause_reading() = 0;
  virtual void resume_reading() = 0;
  /// What is in output() need not wait for the end of the turn: for an answer that is all that its
  /// client waits for, while others have work in this turn. Costs a call; may do nothing.
  virtual void send_now() {}
  /// Sends what is in output(), then closes; gives up on a peer that takes nothing for 5 s. No more
  /// on_data, no more on_drained.
  virtual void close_after_flush() = 0;
  /// What is in output() is lost.
  virtual void close_now() = 0;
  /// Sends what is in output(), then tells the other side that this was all. Nothing may be added
  /// to output() any more; reading goes on. When both sides have said so, the stream ends.
  virtual void end_output() = 0;
  [[nodiscard]] virtual const Address& remote() const = 0;
};

/// Owned by the network from accept or connect on; destroyed after on_closed.
class StreamHandler {
 public:
  virtual ~StreamHandler() = default;
  /// `bytes` is all input that was not consumed yet. Returns how many of them are consumed; the
  /// rest is kept (in memory of its own, grown by what arrives, never by what is announced) and
  /// comes again with more behind it. An idle connection with nothing left over holds no input
  /// buffer.
  virtual std::size_t on_data(std::string_view bytes) = 0;
  /// unsent() fell to zero after it was over 64 KiB.
  virtual void on_drained() {}
  /// The other side sends no more; on_data has had all of its input and does not come again. It may
  /// have gone altogether, but may as well wait for answers (a client that has said all, as in
  /// `printf ... | nc`): that only shows when something is sent. False: the stream closes after
  /// flush. True: something is still to be said; the handler closes the stream, and within a
  /// bounded time, since the other side's silence no longer tells that it is gone.
  virtual bool on_end_of_input() { return false; }
  /// The last call, never from inside a call of the stream: closed here, both sides have ended
  /// their output, the connection broke, or the loop ended.
  virtual void on_closed() = 0;
};

class StreamAcceptor {
 public:
  virtual ~StreamAcceptor() = default;
  /// Returns nullptr to refuse (the connection is closed at once).
  virtual std::unique_ptr<StreamHandler> on_accept(Stream& stream) = 0;
};

/// Takes whole frames from any peer.
class FrameSink {
 public:
  virtual ~FrameSink() = default;
  /// `frame` is valid during the call only.
  virtual void on_frame(std::string_view frame) = 0;
  /// `frames` come next, one by one: a chance to fetch what they will need.
  virtual void on_frames_ahead(std::span<const std::string_view> frames) {
    static_cast<void>(frames);
  }
};

/// One-way, best-effort, to one peer; connects by itself, again and again with a capped back-off.
class FrameLink {
 public:
  /// An object of four siblings of 16 MiB, as four sides of a cut may have accepted, with its key,
  /// clock and contexts, and room to spare. A connection that announces a larger frame is none of a
  /// peer, and is closed.
  static constexpr std::size_t kFrameMax = 66UL * 1024 * 1024;

  /// An attempt to connect that has had no answer for so long begins anew: a cut may have swallowed
  /// the question, and TCP itself would ask again after one second, three, and seven. Who is so far
  /// away that an answer takes longer is of no use as a peer.
  static constexpr Duration kDialDoubtful = seconds(1);

  virtual ~FrameLink() = default;  // closes
  /// Append exactly one frame, then call end_frame(), in one go. What is in the string already
  /// stays. It leaves at the end of the turn. The frame is dropped while the link is not up or more
  /// than its limit is unsent, or if it is larger than kFrameMax.
  virtual std::string& begin_frame() = 0;
  virtual void end_frame() = 0;
  /// False when a frame sent now would certainly not leave: a sender may treat it as "never sent"
  /// (D8).
  [[nodiscard]] virtual bool up() const = 0;
  [[nodiscard]] virtual std::size_t unsent() const = 0;
  /// The peer was heard on another way, so it runs: a link that waits out its back-off dials soon.
  /// Nothing where it is up or dials. May be called with every frame.
  virtual void hurry() = 0;
};

class LinkEvents {
 public:
  virtual ~LinkEvents() = default;
  virtual void on_link_up() = 0;
  /// Frames sent on it may or may not have arrived.
  virtual void on_link_down() = 0;
};

/// Stops listening when destroyed; accepted connections live on.
class Listener {
 public:
  virtual ~Listener() = default;
  /// The bound address, with the port that the system chose if 0 was asked for.
  [[nodiscard]] virtual const Address& address() const = 0;
};

class Network {
 public:
  virtual ~Network() = default;
  /// kConflict when the address is in use. With several shards each calls it with the same address:
  /// the first binds, and connections are dealt out to all of them in turn.
  [[nodiscard]] virtual Result<std::unique_ptr<Listener>> listen_streams(
      const Address& address, StreamAcceptor& acceptor) = 0;
  [[nodiscard]] virtual Result<std::unique_ptr<Listener>> listen_frames(const Address& address,
                                                                        FrameSink& sink) = 0;
  /// `events` outlives the link.
  [[nodiscard]] virtual std::unique_ptr<FrameLink> open_link(const Address& address,
                                                             LinkEvents& events) = 0;
  /// Dials: on_accept of `acceptor` when connected, else `failed`; in a later turn. For clients
  /// (bench, tools, simulated clients).
  virtual void connect_stream(const Address& address, StreamAcceptor& acceptor,
                              Callback<void(const Error&)> failed) = 0;
};

}  // namespace stator::env

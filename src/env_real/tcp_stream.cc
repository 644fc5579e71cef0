#include "env_real/tcp_stream.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/assert.h"
#include "env_real/sockets.h"

namespace stator::env {

namespace {

// What one connection may read per turn before the others have theirs.
constexpr std::size_t kReadPerTurn = 256 * 1024;
constexpr std::size_t kReceiveMax = 256 * 1024;  // behind a left-over
// Memory that an empty left-over may hold.
constexpr std::size_t kRestKept = 256;
// on_drained is for those that had more than this unsent.
constexpr std::size_t kDrainMark = 64 * 1024;
// Sent bytes are cut off the front of the output when they are this many and most of it.
constexpr std::size_t kCompactFrom = 256 * 1024;
// A closing connection that takes nothing for so long, or whose peer does not close, is cut.
constexpr Duration kCloseTimeout = seconds(5);

long receive_into(int socket, char* to, std::size_t size) {
  for (;;) {
    const ssize_t got = ::recv(socket, to, size, MSG_DONTWAIT);
    if (got >= 0 || errno != EINTR) return got;
  }
}

bool would_block() {
  return errno == EAGAIN || errno == EWOULDBLOCK;
}

}  // namespace

TcpStream::TcpStream(Loop& loop, StreamBuffers& buffers, StreamOwner& owner, Address remote)
    : loop_(loop), buffers_(buffers), owner_(owner), remote_(std::move(remote)) {}

TcpStream::~TcpStream() {
  loop_.cancel(progress_timer_);
  if (to_tend_ || to_flush_) loop_.forget(*this);
}

Result<void> TcpStream::open(Descriptor socket, Part part) {
  return watch_.open(loop_.reactor(), std::move(socket), *this, part);
}

bool TcpStream::accept(StreamAcceptor& acceptor) {
  handler_ = acceptor.on_accept(*this);
  if (handler_ == nullptr) return false;
  if (watch_.is_open()) watch_.await_readable();
  return true;
}

std::string& TcpStream::output() {
  if (!to_flush_) {
    to_flush_ = true;
    loop_.flush_this_turn(*this);
    buffers_.pool.equip(out_, sent_lately_);
  }
  return out_;
}

void TcpStream::resume_reading() {
  if (!std::exchange(paused_, false)) return;
  redeliver_ = true;
  tend_soon();
}

void TcpStream::send_now() {
  if (state_ != State::kOpen || !to_flush_ || waiting_output_) return;
  if (watch_.is_open()) send_some();
}

void TcpStream::close_after_flush() {
  if (state_ != State::kOpen) return;
  state_ = State::kFlushing;
  output();  // so that the end of the turn looks at it
  watch_progress();
}

void TcpStream::close_now() {
  end();
  watch_.close();
}

void TcpStream::end_output() {
  if (state_ != State::kOpen) return;
  output_ended_ = true;
  output();
}

void TcpStream::on_readable() {
  if (state_ == State::kLingering) {
    discard_input();
  } else if (input_ended_) {
    watch_for_reset();
  } else {
    read_some();
  }
}

void TcpStream::on_writable() {
  waiting_output_ = false;
  send_some();
}

void TcpStream::tend() {
  to_tend_ = false;
  if (state_ == State::kEnded) {
    finish();
    return;
  }
  if (std::exchange(drained_, false) && state_ == State::kOpen) handler_->on_drained();
  if (state_ == State::kLingering) {
    discard_input();
    return;
  }
  if (reads() && std::exchange(redeliver_, false) && !rest_.empty()) deliver(rest_);
  read_some();
}

void TcpStream::flush() {
  to_flush_ = false;
  if (watch_.is_open() && !waiting_output_) send_some();
}

// Not when the handler was resumed inside its own call: it is tended soon, and what it left comes
// first.
void TcpStream::read_some() {
  std::size_t budget = kReadPerTurn;
  while (reads() && !redeliver_) {
    if (budget == 0 || loop_.reactor().worked_enough()) {
      // Behind all that wait for their part: were it tended first in the next turn, one that sends
      // without end would have every turn for itself.
      if (watch_.is_open()) watch_.await_readable();
      return;
    }
    std::size_t asked = 0;
    const long got = receive(asked);
    if (got == 0) {
      end_input();
      return;
    }
    if (got < 0 && !would_block()) {
      end();
      return;
    }
    // A short read has emptied the socket; asking again would only cost a system call.
    if (got < 0 || static_cast<std::size_t>(got) < asked) {
      if (watch_.is_open()) watch_.await_readable();
      return;
    }
    budget -= std::min(budget, static_cast<std::size_t>(got));
  }
}

// Receives once and delivers. Returns what recv returned, with its errno if negative.
long TcpStream::receive(std::size_t& asked) {
  const std::size_t old = rest_.size();
  if (old > StreamBuffers::kRestCopied) {
    asked = std::min(old, kReceiveMax);
    long got = 0;
    rest_.resize_and_overwrite(old + asked, [&](char* start, std::size_t) {
      got = receive_into(watch_.descriptor(), start + old, asked);
      return old + static_cast<std::size_t>(std::max(got, 0L));
    });
    if (got > 0) deliver(rest_);
    return got;
  }
  char* start = buffers_.input.data();
  asked = StreamBuffers::kReceived;
  const long got = receive_into(watch_.descriptor(), start + old, asked);
  if (got <= 0) return got;
  if (old > 0) std::memcpy(start, rest_.data(), old);
  deliver({start, old + static_cast<std::size_t>(got)});
  return got;
}

// `bytes` is all of the input, in the shared buffer or in rest_.
void TcpStream::deliver(std::string_view bytes) {
  const std::size_t consumed = handler_->on_data(bytes);
  STATOR_ASSERT(consumed <= bytes.size());
  // What goes on waiting is no work: those who stand in line, or take little of much, would have
  // the turn for themselves.
  loop_.reactor().worked(consumed);
  if (bytes.data() == rest_.data()) {
    rest_.erase(0, consumed);
  } else if (consumed < bytes.size()) {
    rest_.assign(bytes.substr(consumed));
  } else {
    rest_.clear();
  }
  if (rest_.empty() && rest_.capacity() > kRestKept) std::string().swap(rest_);
}

void TcpStream::end_input() {
  input_ended_ = true;
  redeliver_ = false;
  std::string().swap(rest_);
  if (!handler_->on_end_of_input()) close_after_flush();
  if (state_ == State::kOpen && output_shut_) end();
  watch_for_reset();
}

// Until the handler closes. Once only: the end of both sides counts as an event too.
void TcpStream::watch_for_reset() {
  if (state_ != State::kOpen || watch_.awaits_readable()) return;
  if (is_broken(watch_.descriptor())) {
    end();
  } else if (!std::exchange(reset_awaited_, true)) {
    watch_.await_broken();
  }
}

void TcpStream::discard_input() {
  for (std::size_t budget = kReadPerTurn; budget > 0;) {
    const std::size_t asked = std::min(budget, buffers_.input.size());
    const long got = receive_into(watch_.descriptor(), buffers_.input.data(), asked);
    if (got < 0 && would_block()) {
      watch_.await_readable();
      return;
    }
    if (got <= 0) {
      end();
      return;
    }
    budget -= static_cast<std::size_t>(got);
  }
  tend_soon();
}

// One send; the rest waits until the socket takes more.
void TcpStream::send_some() {
  const std::size_t waiting = unsent();
  if (waiting > kDrainMark) over_mark_ = true;
  if (waiting > 0) {
    const ssize_t got =
        ::send(watch_.descriptor(), out_.data() + sent_, waiting, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (got < 0 && !would_block() && errno != EINTR) {
      sent_ = out_.size();
      end();
      return;
    }
    const auto taken = static_cast<std::size_t>(std::max<ssize_t>(got, 0));
    sent_ += taken;
    progress_ += taken;
  }
  if (unsent() > 0) {
    if (sent_ >= kCompactFrom && sent_ >= out_.size() / 2) {
      out_.erase(0, sent_);
      sent_ = 0;
    }
    if (state_ != State::kEnded) {
      waiting_output_ = true;
      watch_.await_writable();
    }
    return;
  }
  sent_ = 0;
  sent_lately_ = std::max(out_.size(), sent_lately_ - sent_lately_ / 8);
  buffers_.pool.recover(out_);
  all_sent();
}

void TcpStream::all_sent() {
  if (std::exchange(over_mark_, false)) {
    drained_ = true;
    tend_soon();
  }
  if (state_ == State::kFlushing) {
    linger();
  } else if (state_ == State::kOpen && output_ended_ && !std::exchange(output_shut_, true)) {
    static_cast<void>(::shutdown(watch_.descriptor(), SHUT_WR));
    if (input_ended_) end();
  }
}

void TcpStream::linger() {
  state_ = State::kLingering;
  static_cast<void>(::shutdown(watch_.descriptor(), SHUT_WR));
  discard_input();
}

void TcpStream::watch_progress() {
  progress_ = 0;
  progress_timer_ = loop_.after(kCloseTimeout, [this] {
    if (state_ == State::kFlushing && progress_ > 0) {
      watch_progress();
    } else {
      close_now();
    }
  });
}

// The handler is told in the next turn: never from inside a call of its own, and after what it said
// in this turn has been flushed.
void TcpStream::end() {
  if (state_ == State::kEnded) return;
  state_ = State::kEnded;
  tend_soon();
}

void TcpStream::finish() {
  if (handler_ == nullptr) return;
  state_ = State::kEnded;
  watch_.close();
  loop_.cancel(progress_timer_);
  handler_->on_closed();
  handler_.reset();
  owner_.retire(*this);
}

void TcpStream::tend_soon() {
  if (to_tend_) return;
  to_tend_ = true;
  loop_.tend_next_turn(*this);
}

}  // namespace stator::env

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/time.h"
#include "core/load/waiting_line.h"
#include "core/version/hlc.h"
#include "env/network.h"
#include "front/redis/command.h"
#include "front/redis/resp_parser.h"

namespace stator::redis {

/// One client. Commands are carried out as they arrive and answered in their order. Reading pauses
/// (the bytes stay with the stream, or with the client) while
///   - the next command waits for an earlier one of this connection on the same key,
///   - 1,024 answers are due, or fewer when they are large, or 1 MiB of answers waits for an
///     earlier one,
///   - the client has 256 KiB of answers to take,
///   - the store has no room, or others wait for some, and answers to earlier commands are due, or
///     some were just refused: who sends much at a time waits in line, and is refused some of it in
///     the end (WaitingLine),
///   - eight of its commands were just refused as overload: first it is the others' turn.
/// A client that does not take its answers is cut off: at unsent_bytes_max, after stall_max without
/// progress, or when it would be one too many of that kind (stalled_bytes_max).
///
/// Owned by the network; known to the front from on_accept to on_closed.
class Connection final : public env::StreamHandler, public Waiter {
 public:
  Connection(RedisFront& front, env::Stream& stream, std::uint64_t id);

  std::size_t on_data(std::string_view bytes) override;
  void on_drained() override;
  /// Whoever has said all still gets its answers; an incomplete command is dropped.
  bool on_end_of_input() override;
  void on_closed() override;

  // For commands.

  [[nodiscard]] int protocol() const { return protocol_; }
  void set_protocol(int protocol) { protocol_ = static_cast<std::uint8_t>(protocol); }
  [[nodiscard]] Hlc floor() const { return floor_; }
  void raise_floor(Hlc time);
  [[nodiscard]] std::string& destination(Command& command);
  void complete(Command& command);
  /// Answers what is due, reads no more, then closes.
  void close_when_answered();
  void close_now();
  /// RESET: as when it was accepted.
  void reset();

  // What CLIENT LIST shows.

  struct Names {  // made when a client first gives one
    std::string client;
    std::string library;
    std::string library_version;
  };
  [[nodiscard]] Names& names();
  [[nodiscard]] const Names* known_names() const { return names_.get(); }
  [[nodiscard]] std::uint64_t id() const { return id_; }
  [[nodiscard]] const env::Address& remote() const { return stream_.remote(); }
  [[nodiscard]] std::string_view last_command() const;
  [[nodiscard]] MonoTime connected_at() const { return connected_at_; }
  [[nodiscard]] MonoTime last_seen() const { return last_seen_; }
  [[nodiscard]] std::size_t unsent() const { return stream_.unsent(); }
  [[nodiscard]] std::size_t input_kept() const { return input_kept_; }
  [[nodiscard]] std::size_t open_commands() const { return open_; }
  [[nodiscard]] bool stalled() const { return stalled_bytes_ != 0; }

  // For the front.

  /// Cuts the connection if its client has taken nothing for `limit`.
  void check_stall(MonoTime now, Duration limit);
  /// It is called (WaitingLine::Call), and read on in a later turn; or it is not, and has passed.
  void take_turn(std::size_t refusals);

  Connection* next = nullptr;  // among the front's, which keeps the list
  Connection* previous = nullptr;

 private:
  [[nodiscard]] std::size_t take(std::string_view bytes);
  /// False: it waits; nothing is consumed.
  [[nodiscard]] bool dispatch(Arguments words);
  void refuse_unknown(Command& command, Arguments words);
  [[nodiscard]] bool refuse_in_transaction(Arguments words);
  void refuse_and_close(std::string_view prefix, std::string_view problem, std::string_view advice);
  [[nodiscard]] Command* blocker_of(const Footprint& footprint) const;
  [[nodiscard]] bool has_room() const;
  [[nodiscard]] bool gives_way() const;
  void wait_in_line(bool moved);
  [[nodiscard]] std::size_t depth() const;
  [[nodiscard]] Command& append(const CommandRow* row, const Footprint& footprint);
  void pop_head();
  void after_progress();
  void begin_stall();
  void end_stall();
  void account_input(std::size_t kept);
  void keep(std::string_view rest);

  RedisFront& front_;
  env::Stream& stream_;
  RespParser parser_;
  std::uint64_t id_;

  Command* head_ = nullptr;  // the oldest without an answer
  Command* tail_ = nullptr;
  Command* blocker_ = nullptr;     // the next command waits for this one
  std::uint32_t open_ = 0;         // commands without an answer, or with one that is held
  std::uint32_t open_values_ = 0;  // values that their answers may contain
  std::uint32_t refused_ = 0;      // as overload, in this visit
  std::size_t may_refuse_ = 0;     // in this visit, in which it does not give way; 0: it does
  std::size_t held_bytes_ = 0;     // answers that wait for earlier ones
  std::size_t largest_value_;      // the largest answer of late; at first, the limit
  std::size_t input_kept_ = 0;     // bytes that the stream keeps for us

  Hlc floor_{};
  MonoTime connected_at_{};
  MonoTime last_seen_{};
  MonoTime transaction_at_{};
  MonoTime progress_at_{};  // when unsent() was last seen to change while stalled
  std::size_t unsent_before_ = 0;
  const CommandRow* last_row_ = nullptr;
  std::unique_ptr<Names> names_;

  std::uint8_t protocol_ = 2;
  bool reading_ = false;  // inside on_data
  bool paused_ = false;
  bool transaction_ = false;       // MULTI was refused; nothing is carried out until its EXEC
  std::size_t stalled_bytes_ = 0;  // unsent() when it began to stall; 0: it does not
  bool closing_ = false;
  bool ended_ = false;
};

}  // namespace stator::redis

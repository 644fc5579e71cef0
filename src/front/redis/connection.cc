#include "front/redis/connection.h"

#include <algorithm>

#include "base/assert.h"
#include "base/probe.h"
#include "front/redis/errors.h"
#include "front/redis/redis_front.h"
#include "front/redis/refusals.h"
#include "front/redis/text.h"

namespace stator::redis {
namespace {

constexpr std::uint32_t kOpenMax = 1024;
// Refusals as overload before others have their turn. Who sends much at once would else keep all
// the others from being told (design: failure detection).
constexpr std::size_t kRefusedPerVisit = 8;
constexpr std::size_t kHeldBytesMax = 1 << 20;
constexpr std::size_t kUnsentPause = 256 << 10;  // more than what makes a stream call on_drained
// Values under way for one connection: as many as were of this size together lately, within limits.
constexpr std::size_t kValueBytesDue = 16 << 20;
constexpr std::size_t kValuesMin = 4;
constexpr std::size_t kValuesMax = 128;
// Of an incomplete command whose name is not known to be one of ours (design 2.5).
constexpr std::size_t kUnknownBytesMax = 16 << 10;
// In what time a transaction that is sent at once has arrived, pauses between packets included.
constexpr Duration kTransactionInput = milliseconds(50);

}  // namespace

Connection::Connection(RedisFront& front, env::Stream& stream, std::uint64_t id)
    : front_(front),
      stream_(stream),
      id_(id),
      largest_value_(front.options().limits.value_bytes_max),
      connected_at_(front.executor().now()),
      last_seen_(connected_at_) {}

// --- reading -----------------------------------------------------------------------------------

std::size_t Connection::on_data(std::string_view bytes) {
  if (closing_) return bytes.size();
  last_seen_ = front_.executor().now();
  if (bytes.size() > input_kept_) {
    front_.counters().client_bytes_in_total += bytes.size() - input_kept_;
  }
  if (input_kept_ == 0 && last_seen_ - transaction_at_ >= kTransactionInput) transaction_ = false;
  reading_ = true;
  refused_ = 0;
  const bool called = place == Place::kCalled;
  const std::size_t consumed = take(bytes);
  reading_ = false;
  may_refuse_ = 0;
  if (place == Place::kCalled) front_.line().pass(*this);
  if (!closing_) keep(bytes.substr(consumed));
  if (closing_) account_input(0);
  after_progress();
  // A refusal is all that it will hear: that need not wait for the work of others in this turn.
  if (refused_ > 0 && head_ == nullptr) stream_.send_now();
  // It was served, and there may be room for the next one. Who was refused much gives others time.
  if (called && refused_ == 0) front_.call_next();
  return closing_ ? bytes.size() : consumed;
}

std::size_t Connection::take(std::string_view bytes) {
  std::size_t used = 0;
  while (!closing_ && used < bytes.size()) {
    if (!has_room()) {
      STATOR_PROBE("redis: a connection is full");
      paused_ = true;
      break;
    }
    if (refused_ >= std::max(kRefusedPerVisit, may_refuse_) || gives_way()) {
      wait_in_line(used > 0);
      break;
    }
    const Parsed parsed =
        parser_.next(bytes.substr(used), front_.parser_limits(), front_.arguments());
    switch (parsed.status) {
      case ParseStatus::kIncomplete: STATOR_PROBE("redis: a command in pieces"); return used;
      case ParseStatus::kHttp:
        ++front_.counters().commands_refused_total;
        close_now();
        return used;
      case ParseStatus::kBad:
        refuse_and_close("ERR", "Protocol error: ", parsed.problem);
        return used;
      case ParseStatus::kTooLarge:
        refuse_and_close("TOOLARGE", parsed.problem,
                         "; the connection ends, since its rest cannot be skipped; see limits in "
                         "`stator config show`");
        return used;
      case ParseStatus::kCommand: break;
    }
    const Arguments words = front_.arguments().all();
    if (!words.empty() && !dispatch(words)) {
      STATOR_PROBE("redis: a command waits for an earlier one of its key");
      paused_ = true;
      break;
    }
    used += parsed.consumed;
  }
  if (paused_) stream_.pause_reading();
  return used;
}

// What the stream has to keep for us: little, or a command of ours within all budgets.
void Connection::keep(std::string_view rest) {
  const std::size_t others = front_.input_kept - input_kept_;
  if (!paused_ && rest.size() > kUnknownBytesMax &&
      find_command(RespParser::name_of(rest)) == nullptr) {
    refuse_and_close("ERR", "unknown command, and too long to be kept until it is complete",
                     "; COMMAND LIST shows those that there are");
  } else if (others + rest.size() > front_.options().input_bytes_max) {
    refuse_and_close("TRYAGAIN", "this node holds too many incomplete commands",
                     "; nothing of this one was applied; wait, with growing pauses, and retry");
  } else {
    account_input(rest.size());
  }
}

void Connection::account_input(std::size_t kept) {
  front_.input_kept = front_.input_kept - input_kept_ + kept;
  input_kept_ = kept;
}

bool Connection::has_room() const {
  return open_ < kOpenMax && open_values_ < depth() && held_bytes_ < kHeldBytesMax &&
         stream_.unsent() < kUnsentPause;
}

// What lies in the socket of somebody who sends much at a time waits for what was sent before
// anyway. To refuse all of it would cost the time in which some of it could be served; and whoever
// sends one thing at a time would hear of it after all that. Who has waited in line is not refused
// at its turn either, should the room be gone.
bool Connection::gives_way() const {
  if (may_refuse_ > 0) return false;
  const bool sends_much = open_ > 0 || refused_ > 0 || place == Place::kCalled;
  return sends_much && !front_.line().lets_pass(*this, front_.store().room());
}

// `moved`: some command of this visit was carried out or refused, so that the next one has not
// waited yet.
void Connection::wait_in_line(bool moved) {
  paused_ = true;
  if (place == Place::kCalled && !moved) {
    front_.line().keep_place(*this);
  } else {
    front_.line().join(*this, last_seen_);
  }
  front_.watch_line();
}

std::size_t Connection::depth() const {
  return std::clamp(kValueBytesDue / std::max<std::size_t>(largest_value_, 1), kValuesMin,
                    kValuesMax);
}

// --- carrying out ------------------------------------------------------------------------------

bool Connection::dispatch(Arguments words) {
  if (transaction_ && refuse_in_transaction(words)) return true;
  const CommandRow* row = find_command(words);
  const bool valid = row != nullptr && row->accepts(words.size());
  const Footprint footprint = valid ? Footprint::of(*row, words) : Footprint{};
  blocker_ = blocker_of(footprint);
  if (blocker_ != nullptr) return false;
  ++front_.counters().commands_total;
  Command& command = append(valid ? row : nullptr, footprint);
  if (!valid) {
    refuse_unknown(command, words);
    return true;
  }
  last_row_ = row;
  if (row->answers_value(words.size())) {
    command.values_ =
        footprint.keys == Footprint::Keys::kAll ? static_cast<std::uint32_t>(words.size() - 1) : 1;
    open_values_ += command.values_;
  }
  Call call{command, *this, front_, words};
  row->handler(call);
  return true;
}

Command* Connection::blocker_of(const Footprint& footprint) const {
  if (footprint.keys == Footprint::Keys::kNone) return nullptr;
  for (Command* open = head_; open != nullptr; open = open->next_) {
    if (!open->done_ && open->footprint_.conflicts_with(footprint)) return open;
  }
  return nullptr;
}

Command& Connection::append(const CommandRow* row, const Footprint& footprint) {
  Command& command = front_.acquire();
  command.connection_ = this;
  command.row_ = row;
  command.footprint_ = footprint;
  command.floor_ = floor_;
  (tail_ == nullptr ? head_ : tail_->next_) = &command;
  tail_ = &command;
  ++open_;
  return command;
}

void Connection::refuse_unknown(Command& command, Arguments words) {
  RespWriter out = command.reply();
  const CommandRow* row = find_command(words[0]);
  const bool container = row != nullptr && row->is(kContainer) && words.size() > 1;
  const CommandRow* known = container ? find_command(words) : row;
  const Refusal* refusal = container ? find_refusal(words[0], words[1]) : find_refusal(words[0]);
  if (known != nullptr) {
    wrong_arity(out, known->name);
  } else if (refusal != nullptr) {
    out.begin_error("ERR");
    out.add(refusal->name).add(" is not offered: ").add(refusal->reason);
    out.end_error();
    transaction_ = refusal->name == "multi";
    transaction_at_ = last_seen_;
  } else if (container) {
    out.begin_error("ERR");
    out.add("unknown subcommand '").add(words[1]).add("' of ").add(row->name);
    out.add("; COMMAND DOCS ").add(row->name).add(" shows those that there are");
    out.end_error();
  } else {
    out.begin_error("ERR");
    out.add("unknown command '").add(words[0].substr(0, 128));
    out.add("'; COMMAND LIST shows those that there are");
    out.end_error();
  }
  command.finish();
}

// A client that sends MULTI, its commands and EXEC at once asks for all or nothing; it gets
// nothing. One that waits for the answer to MULTI knows, and need not say EXEC.
bool Connection::refuse_in_transaction(Arguments words) {
  if (find_command(words) != nullptr &&
      (equal_ignoring_case(words[0], "quit") || equal_ignoring_case(words[0], "reset"))) {
    return false;
  }
  ++front_.counters().commands_total;
  Command& command = append(nullptr, {});
  if (equal_ignoring_case(words[0], "exec")) {
    transaction_ = false;
    command.reply().error("EXECABORT",
                          "Transaction discarded, since MULTI is not offered: nothing of it was "
                          "applied; send its commands without MULTI and EXEC, each for itself");
  } else if (equal_ignoring_case(words[0], "discard")) {
    transaction_ = false;
    command.reply().ok();
  } else {
    command.reply().error("ERR",
                          "not carried out, since MULTI was refused; DISCARD or EXEC ends this");
  }
  command.finish();
  return true;
}

void Connection::refuse_and_close(std::string_view prefix, std::string_view problem,
                                  std::string_view advice) {
  Command& command = append(nullptr, {});
  RespWriter out = command.reply();
  out.begin_error(prefix);
  out.add(problem).add(advice);
  out.end_error();
  closing_ = true;
  front_.line().leave(*this);
  command.finish();
}

// --- answering ---------------------------------------------------------------------------------

std::string& Connection::destination(Command& command) {
  return &command == head_ ? stream_.output() : command.held_;
}

void Connection::raise_floor(Hlc time) {
  floor_ = std::max(floor_, time);
}

void Connection::complete(Command& command) {
  STATOR_ASSERT(!command.done_);
  const std::string& out = destination(command);
  STATOR_ASSERT(out.size() > command.reply_began_);
  const std::size_t size = out.size() - command.reply_began_;
  if (out[command.reply_began_] == '-') {
    ++front_.counters().commands_refused_total;
    if (reading_ && is_try_again(std::string_view(out).substr(command.reply_began_))) ++refused_;
  }
  if (command.values_ > 0) {
    largest_value_ = std::max(size / command.values_, largest_value_ - largest_value_ / 16);
  }
  if (&command == blocker_) blocker_ = nullptr;
  command.done_ = true;
  if (&command == head_) {
    pop_head();
    while (head_ != nullptr && head_->done_) {
      stream_.output().append(head_->held_);
      held_bytes_ -= head_->held_.size();
      pop_head();
    }
  } else {
    STATOR_PROBE("redis: an answer waits for the one before it");
    held_bytes_ += size;
  }
  if (stream_.unsent() > front_.options().unsent_bytes_max) close_now();
  after_progress();
}

void Connection::pop_head() {
  Command& command = *head_;
  head_ = command.next_;
  if (head_ == nullptr) tail_ = nullptr;
  --open_;
  open_values_ -= command.values_;
  front_.release(command);
}

// The last thing in every call: the stream may be resumed or closed.
void Connection::after_progress() {
  if (reading_ || ended_) return;
  if (closing_) {
    if (head_ == nullptr) stream_.close_after_flush();
    return;
  }
  if (!paused_) return;
  if (stream_.unsent() >= kUnsentPause) {
    begin_stall();
  } else if (blocker_ == nullptr && place != Place::kInLine && has_room()) {
    paused_ = false;
    stream_.resume_reading();
  }
}

void Connection::take_turn(std::size_t refusals) {
  after_progress();
  if (paused_) {  // its client has answers to take first
    front_.line().pass(*this);
  } else {
    may_refuse_ = refusals;
  }
}

// --- clients that do not take their answers ------------------------------------------------------

void Connection::begin_stall() {
  if (stalled()) return;
  stalled_bytes_ = stream_.unsent();
  unsent_before_ = stalled_bytes_;
  progress_at_ = front_.executor().now();
  front_.stalled_bytes += stalled_bytes_;
  front_.watch_stalls();
}

void Connection::end_stall() {
  front_.stalled_bytes -= stalled_bytes_;
  stalled_bytes_ = 0;
}

void Connection::check_stall(MonoTime now, Duration limit) {
  if (!stalled()) return;
  const std::size_t unsent = stream_.unsent();
  if (unsent < unsent_before_) progress_at_ = now;
  unsent_before_ = unsent;
  const bool too_many = front_.stalled_bytes > front_.options().stalled_bytes_max;
  if (now - progress_at_ >= limit || (too_many && progress_at_ != now)) close_now();
}

void Connection::on_drained() {
  end_stall();
  after_progress();
}

// --- ending ------------------------------------------------------------------------------------

void Connection::close_when_answered() {
  closing_ = true;
  front_.line().leave(*this);
  account_input(0);
  after_progress();
}

bool Connection::on_end_of_input() {
  if (head_ != nullptr) STATOR_PROBE("redis: no more input, answers are still owed");
  close_when_answered();
  return true;
}

void Connection::close_now() {
  closing_ = true;
  front_.line().leave(*this);
  end_stall();
  stream_.close_now();
}

void Connection::reset() {
  protocol_ = 2;
  transaction_ = false;
  names_.reset();
}

void Connection::on_closed() {
  ended_ = true;
  closing_ = true;
  end_stall();
  account_input(0);
  while (head_ != nullptr) {
    Command& command = *head_;
    head_ = command.next_;
    command.next_ = nullptr;
    if (command.done_) {
      front_.release(command);
    } else {
      STATOR_PROBE("redis: the client is gone before its answer");
      command.connection_ = nullptr;
    }
  }
  tail_ = nullptr;
  blocker_ = nullptr;
  front_.forget(*this);
}

// --- names -------------------------------------------------------------------------------------

Connection::Names& Connection::names() {
  if (names_ == nullptr) names_ = std::make_unique<Names>();
  return *names_;
}

std::string_view Connection::last_command() const {
  return last_row_ == nullptr ? std::string_view("NULL") : last_row_->name;
}

}  // namespace stator::redis

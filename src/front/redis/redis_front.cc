#include "front/redis/redis_front.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace stator::redis {
namespace {

// Commands in the pool that keep their buffers.
constexpr std::size_t kWarmCommands = 4096;
constexpr Duration kStallCheck = seconds(5);
constexpr Duration kLineLook = milliseconds(1);
// Beyond the largest value: so that one a little too large is refused by the store, in words, and
// the connection goes on.
constexpr std::size_t kBulkSlack = 64 << 10;
constexpr std::size_t kCommandBytesMin = 32 << 20;

}  // namespace

RedisFront::RedisFront(node::Store& store, env::Executor& executor, RedisFrontOptions options)
    : store_(store),
      executor_(executor),
      options_(std::move(options)),
      counters_(options_.counters != nullptr ? *options_.counters : own_counters_) {
  const std::size_t value_max = options_.limits.value_bytes_max;
  parser_limits_.bulk_bytes_max = value_max + kBulkSlack;
  parser_limits_.command_bytes_max = std::max(kCommandBytesMin, 2 * value_max);
  const std::size_t shards = executor_.shard_count();
  connections_max_ = (options_.limits.clients_max + shards - 1) / shards;
}

RedisFront::~RedisFront() {
  executor_.cancel(stall_timer_);
  executor_.cancel(line_timer_);
}

std::unique_ptr<env::StreamHandler> RedisFront::on_accept(env::Stream& stream) {
  if (draining_ || connections_ >= connections_max_) {
    ++counters_.commands_refused_total;
    return nullptr;
  }
  // The same number on two shards of a node would name two connections.
  const std::uint64_t id = ++next_id_ * executor_.shard_count() + executor_.shard();
  auto connection = std::make_unique<Connection>(*this, stream, id);
  connection->next = first_;
  if (first_ != nullptr) first_->previous = connection.get();
  first_ = connection.get();
  ++connections_;
  ++counters_.clients_connected;
  ++counters_.clients_total;
  return connection;
}

void RedisFront::forget(Connection& connection) {
  if (connection.next != nullptr) connection.next->previous = connection.previous;
  (connection.previous != nullptr ? connection.previous->next : first_) = connection.next;
  STATOR_ASSERT(connections_ > 0);
  --connections_;
  --counters_.clients_connected;
  line_.leave(connection);
}

Command& RedisFront::acquire() {
  if (free_ == nullptr) {
    commands_.push_back(std::make_unique<Command>());
    commands_.back()->front_ = this;
    return *commands_.back();
  }
  Command& command = *std::exchange(free_, free_->next_);
  command.next_ = nullptr;
  --free_count_;
  return command;
}

void RedisFront::release(Command& command) {
  if (free_count_ >= kWarmCommands) {
    command = Command();
    command.front_ = this;
  } else {
    command.recycle();
  }
  command.next_ = std::exchange(free_, &command);
  ++free_count_;
}

// A timer, not a task: timers fire when all that has arrived was handled.
void RedisFront::watch_line() {
  if (line_timer_) return;
  line_timer_ = executor_.after(kLineLook, [this] {
    line_timer_ = {};
    call_next();
    if (!line_.empty()) watch_line();
  });
}

void RedisFront::call_next() {
  const MonoTime now = executor_.now();
  const Room room = store_.room();
  while (const auto call = line_.call(now, room)) {
    static_cast<Connection*>(call->waiter)->take_turn(call->refusals);
  }
}

void RedisFront::watch_stalls() {
  if (stall_timer_) return;
  stall_timer_ = executor_.after(kStallCheck, [this] { check_stalls(); });
}

void RedisFront::check_stalls() {
  stall_timer_ = {};
  const MonoTime now = executor_.now();
  bool any = false;
  for (Connection* client = first_; client != nullptr; client = client->next) {
    client->check_stall(now, options_.stall_max);
    any = any || client->stalled();
  }
  if (any) watch_stalls();
}

void RedisFront::drain() {
  draining_ = true;
  for (Connection* client = first_; client != nullptr; client = client->next) {
    client->close_when_answered();
  }
}

bool RedisFront::drained() const {
  if (free_count_ != commands_.size()) return false;
  for (const Connection* client = first_; client != nullptr; client = client->next) {
    if (client->unsent() > 0) return false;
  }
  return true;
}

node::Metrics RedisFront::metrics() const {
  node::Metrics sum = store_.metrics();
  if (options_.counters == nullptr) sum.add(own_counters_);
  return sum;
}

}  // namespace stator::redis

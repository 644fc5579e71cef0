#include "front/http/http_front.h"

#include <utility>

namespace stator::http {
namespace {

constexpr Duration kSweepInterval = seconds(1);
// Connections over the limit that are told so; beyond these they are closed without a word.
constexpr std::size_t kRefusedOpenMax = 100;

// A connection over the limit: told so, and closed.
class Refused final : public env::StreamHandler {
 public:
  explicit Refused(std::size_t& open) : open_(open) { ++open_; }
  std::size_t on_data(std::string_view bytes) override { return bytes.size(); }
  void on_closed() override { --open_; }

 private:
  std::size_t& open_;
};

}  // namespace

HttpFront::HttpFront(node::Store& store, env::Executor& executor, HttpFrontOptions options)
    : services_{.store = store,
                .executor = executor,
                .limits = options.limits,
                .connection_limits = options.connection_limits,
                .guard = OriginGuard(std::move(options.host_names)),
                .exchanges = *this,
                .counters = options.counters != nullptr ? *options.counters : own_counters_,
                .counters_are_summed = options.counters != nullptr,
                .process_facts = options.process_facts,
                .heap_allocations = options.heap_allocations},
      router_(services_) {
  // Connections are dealt to the shards in turn, each of which has a front of its own.
  const std::size_t shards = executor.shard_count();
  connections_max_ = (services_.limits.clients_max + shards - 1) / shards;
}

HttpFront::~HttpFront() {
  services_.executor.cancel(sweep_timer_);
}

std::unique_ptr<env::StreamHandler> HttpFront::on_accept(env::Stream& stream) {
  if (services_.draining) return nullptr;
  if (services_.connections >= connections_max_) return refuse(stream);
  std::uint32_t slot = 0;
  if (free_slots_.empty()) {
    slot = static_cast<std::uint32_t>(slots_.size());
    slots_.push_back(nullptr);
  } else {
    slot = free_slots_.back();
    free_slots_.pop_back();
  }
  ConnectionOwner& owner = *this;
  auto connection = std::make_unique<Connection>(services_, router_, stream, owner, slot);
  slots_[slot] = connection.get();
  ++services_.connections;
  ++services_.counters.clients_connected;
  ++services_.counters.clients_total;
  if (!sweep_timer_) sweep_later();
  return connection;
}

std::unique_ptr<env::StreamHandler> HttpFront::refuse(env::Stream& stream) {
  if (refused_open_ >= kRefusedOpenMax) return nullptr;
  const Problem problem = too_many_connections(services_.limits.clients_max);
  const std::string body = problem_json(problem);
  std::string& out = stream.output();
  out.append("HTTP/1.1 ").append(std::to_string(problem.status)).append(" ");
  out.append(reason_phrase(problem.status));
  out += "\r\nContent-Type: application/json\r\nRetry-After: 1\r\nConnection: close\r\n";
  out.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n\r\n");
  out += body;
  stream.close_after_flush();
  return std::make_unique<Refused>(refused_open_);
}

Exchange* HttpFront::find(const Ticket& ticket) {
  Connection* connection = slots_[ticket.slot];
  return connection != nullptr && connection->waits_for(ticket.serial) ? connection : nullptr;
}

void HttpFront::forget(std::uint32_t slot) {
  slots_[slot] = nullptr;
  free_slots_.push_back(slot);
  --services_.connections;
  --services_.counters.clients_connected;
}

void HttpFront::drain() {
  services_.draining = true;
  for (Connection* connection : slots_) {
    if (connection != nullptr) connection->drain();
  }
}

void HttpFront::sweep_later() {
  sweep_timer_ = services_.executor.after(kSweepInterval, [this] { sweep(); });
}

// Costs some nanoseconds per connection, and no timer of its own for each.
void HttpFront::sweep() {
  sweep_timer_ = {};
  const MonoTime now = services_.executor.now();
  for (Connection* connection : slots_) {
    if (connection != nullptr) connection->check_time(now);
  }
  if (services_.connections > 0) sweep_later();
}

}  // namespace stator::http

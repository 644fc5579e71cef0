#include "limit/node.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

namespace stator::limit {

namespace {

constexpr int kEventsPerTurn = 512;
constexpr std::size_t kClientReceive = std::size_t{16} << 10;
constexpr std::size_t kPeerReceive = std::size_t{256} << 10;

// Epoll tags: a connection's slot and generation, or one of these.
constexpr std::uint64_t kListenerTag = ~std::uint64_t{0};
constexpr std::uint64_t kSignalTag = kListenerTag - 1;
constexpr std::uint64_t kLogTag = kListenerTag - 2;

std::uint64_t tag_of(ConnectionId id) {
  return (std::uint64_t{id.generation} << 32) | id.slot;
}

}  // namespace

Node::Node(const Options& options, Counters& counters, std::unique_ptr<AppendLog> log,
           std::array<Descriptor, kNodes> peers, Descriptor listener, Descriptor signals)
    : options_(options),
      counters_(counters),
      log_(std::move(log)),
      listener_(std::move(listener)),
      signals_(std::move(signals)),
      epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  STATOR_ASSERT(epoll_.get() >= 0);
  make_ready_for_loop(listener_.get());
  watch(listener_.get(), kListenerTag);
  watch(signals_.get(), kSignalTag);
  if (options_.durability == Durability::kSync) watch(log_->completion_descriptor(), kLogTag);
  for (std::uint32_t node = 0; node < kNodes; ++node) {
    if (node != options_.node) peers_.push_back(&add_connection(std::move(peers[node]), true));
  }
}

bool Node::run() {
  std::array<epoll_event, kEventsPerTurn> events;
  while (!stopping_ && !peer_lost_) {
    ++counters_.turns;
    ++counters_.wait_calls;
    const int count = epoll_wait(epoll_.get(), events.data(), kEventsPerTurn, -1);
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      handle_event(event.data.u64, event.events);
    }
    end_turn();
  }
  return !peer_lost_;
}

void Node::handle_event(std::uint64_t tag, std::uint32_t events) {
  if (tag == kListenerTag) return accept_clients();
  if (tag == kLogTag) {
    log_->drain_completions();
    return release_logged();
  }
  if (tag == kSignalTag) {
    stopping_ = true;
    return;
  }
  const ConnectionId id{static_cast<std::uint32_t>(tag), static_cast<std::uint32_t>(tag >> 32)};
  Connection* connection = find(id);
  if (connection == nullptr) return;  // closed earlier in this turn
  if ((events & EPOLLOUT) != 0) mark_dirty(*connection);
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) receive(*connection);
}

void Node::end_turn() {
  if (options_.durability == Durability::kSync) {
    log_->end_turn();
  } else if (options_.durability == Durability::kPageCache) {
    // An answer may let a paused client go on, whose writes belong to this turn too.
    while (log_->has_gathered()) {
      log_->end_turn();
      release_logged();
    }
  }
  for (const ConnectionId id : dirty_) {
    Connection* connection = find(id);
    if (connection != nullptr) flush(*connection);
  }
  dirty_.clear();
}

void Node::watch(int descriptor, std::uint64_t tag) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = tag;
  ++counters_.other_calls;
  const int result = epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, descriptor, &event);
  STATOR_ASSERT(result == 0);
}

Connection& Node::add_connection(Descriptor socket, bool is_peer) {
  if (free_connections_.empty()) {
    free_connections_.push_back(static_cast<std::uint32_t>(connections_.size()));
    connections_.push_back(std::make_unique<Connection>());
    connections_.back()->id.slot = free_connections_.back();
  }
  Connection& connection = *connections_[free_connections_.back()];
  free_connections_.pop_back();
  make_ready_for_loop(socket.get());
  connection.socket = std::move(socket);
  connection.is_peer = is_peer;
  watch(connection.socket.get(), tag_of(connection.id));
  return connection;
}

Connection* Node::find(ConnectionId id) {
  if (id.slot >= connections_.size()) return nullptr;
  Connection& connection = *connections_[id.slot];
  return connection.id == id && connection.socket.get() >= 0 ? &connection : nullptr;
}

void Node::accept_clients() {
  while (true) {
    ++counters_.other_calls;
    Descriptor socket(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (socket.get() < 0) return;
    add_connection(std::move(socket), false);
  }
}

void Node::close_connection(Connection& connection) {
  if (connection.is_peer) peer_lost_ = true;
  while (!connection.pending.empty()) {  // what was asked goes on at the peers; nobody is told
    operations_.remove(connection.pending.front());
    connection.pending.pop();
  }
  ++counters_.other_calls;
  connection.socket.reset(-1);
  ++connection.id.generation;
  connection.dirty = connection.waits_to_send = connection.paused = false;
  connection.in.clear();
  connection.out.clear();
  free_connections_.push_back(connection.id.slot);
}

void Node::receive(Connection& connection) {
  char* area = connection.in.write_area(connection.is_peer ? kPeerReceive : kClientReceive);
  ++counters_.receive_calls;
  const ssize_t got = recv(connection.socket.get(), area, connection.in.free_behind(), 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) return close_connection(connection);
  connection.in.wrote(static_cast<std::size_t>(got));
  if (connection.is_peer) {
    read_frames(connection);
  } else {
    read_commands(connection);
  }
}

void Node::flush(Connection& connection) {
  connection.dirty = false;
  if (!connection.out.empty()) {
    ++counters_.send_calls;
    const std::string_view bytes = connection.out.view();
    const ssize_t sent = send(connection.socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) return close_connection(connection);
    if (sent > 0) connection.out.consume(static_cast<std::size_t>(sent));
  }
  set_waits_to_send(connection, !connection.out.empty());
}

void Node::set_waits_to_send(Connection& connection, bool waits) {
  if (connection.waits_to_send == waits) return;
  connection.waits_to_send = waits;
  epoll_event event{};
  event.events = waits ? EPOLLIN | EPOLLOUT : EPOLLIN;
  event.data.u64 = tag_of(connection.id);
  ++counters_.other_calls;
  epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, connection.socket.get(), &event);
}

void Node::mark_dirty(Connection& connection) {
  if (connection.dirty) return;
  connection.dirty = true;
  dirty_.push_back(connection.id);
}

}  // namespace stator::limit

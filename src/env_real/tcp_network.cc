#include "env_real/tcp_network.h"

#include <utility>

#include "env_real/endpoint.h"
#include "env_real/sockets.h"
#include "env_real/tcp_link.h"

namespace stator::env {

class TcpNetwork::TcpListener final : public Listener {
 public:
  TcpListener(TcpNetwork& network, ListenRegistry::Joined joined, std::uint64_t number,
              std::unique_ptr<FrameAcceptor> owned)
      : network_(network), joined_(std::move(joined)), number_(number), owned_(std::move(owned)) {}
  ~TcpListener() override { network_.stop_listening(joined_.group, number_); }
  TcpListener(const TcpListener&) = delete;
  TcpListener& operator=(const TcpListener&) = delete;
  [[nodiscard]] const Address& address() const override { return joined_.bound; }

 private:
  TcpNetwork& network_;
  const ListenRegistry::Joined joined_;
  const std::uint64_t number_;
  const std::unique_ptr<FrameAcceptor> owned_;
};

// A connect_stream under way.
struct TcpNetwork::Calling {
  StreamAcceptor& acceptor;
  Callback<void(const Error&)> failed;
  std::unique_ptr<Dial> dial;
};

TcpNetwork::TcpNetwork(Loop& loop, ListenRegistry& registry,
                       const std::vector<TcpNetwork*>& networks)
    : loop_(loop), registry_(registry), networks_(networks), streams_(loop) {}

TcpNetwork::~TcpNetwork() = default;

Result<std::unique_ptr<Listener>> TcpNetwork::listen_streams(const Address& address,
                                                             StreamAcceptor& acceptor) {
  return listen(ListenKind::kStreams, address, acceptor, nullptr);
}

Result<std::unique_ptr<Listener>> TcpNetwork::listen_frames(const Address& address,
                                                            FrameSink& sink) {
  auto owned = std::make_unique<FrameAcceptor>(loop_, sink, inbound_);
  FrameAcceptor& acceptor = *owned;
  return listen(ListenKind::kFrames, address, acceptor, std::move(owned));
}

std::unique_ptr<FrameLink> TcpNetwork::open_link(const Address& address, LinkEvents& events) {
  return std::make_unique<TcpLink>(loop_, streams_, address, events);
}

void TcpNetwork::connect_stream(const Address& address, StreamAcceptor& acceptor,
                                Callback<void(const Error&)> failed) {
  calling_.push_back(std::make_unique<Calling>(Calling{acceptor, std::move(failed), nullptr}));
  Calling* call = calling_.back().get();
  call->dial = std::make_unique<Dial>(loop_, address, [this, call](Result<Descriptor> result) {
    const std::unique_ptr<Calling> ended = [&] {
      for (auto& candidate : calling_) {
        if (candidate.get() == call) return std::exchange(candidate, nullptr);
      }
      return std::unique_ptr<Calling>();
    }();
    std::erase(calling_, nullptr);
    const Result<void> adopted =
        result ? streams_.adopt(std::move(*result), ended->acceptor, Part::kDoors)
               : std::unexpected(std::move(result.error()));
    if (!adopted) ended->failed(adopted.error());
  });
}

Result<std::unique_ptr<Listener>> TcpNetwork::listen(ListenKind kind, const Address& address,
                                                     StreamAcceptor& acceptor,
                                                     std::unique_ptr<FrameAcceptor> owned) {
  const std::uint64_t number = ++last_listener_;
  // Before the address is bound or joined, since a connection may be dealt to us at once.
  listeners_[number] = {&acceptor, kind == ListenKind::kFrames ? Part::kPeers : Part::kDoors};
  const auto lock = registry_.lock_binding();
  if (auto joined = registry_.join(kind, address, {loop_.shard(), number})) {
    return std::make_unique<TcpListener>(*this, std::move(*joined), number, std::move(owned));
  }
  auto bound = bind(kind, address, number);
  if (!bound) {
    listeners_.erase(number);
    return std::unexpected(std::move(bound.error()));
  }
  return std::make_unique<TcpListener>(*this, std::move(*bound), number, std::move(owned));
}

Result<ListenRegistry::Joined> TcpNetwork::bind(ListenKind kind, const Address& address,
                                                std::uint64_t listener) {
  auto endpoints = resolve(address);
  if (!endpoints) return std::unexpected(std::move(endpoints.error()));
  auto socket = listen_on(endpoints->front(), address);
  if (!socket) return std::unexpected(std::move(socket.error()));
  const Address bound = local_address(socket->get());
  const ListenMember member{loop_.shard(), listener};
  const ListenRegistry::GroupId group = registry_.found(kind, address, bound, member);
  auto port = std::make_unique<AcceptPort>(
      loop_, [this, group](Descriptor connection) { deal(group, std::move(connection)); });
  if (auto started = port->start(std::move(*socket)); !started) {
    static_cast<void>(registry_.leave(group, member));
    return std::unexpected(std::move(started.error()));
  }
  ports_[group] = std::move(port);
  return ListenRegistry::Joined{group, bound};
}

void TcpNetwork::deal(ListenRegistry::GroupId group, Descriptor connection) {
  const auto member = registry_.next(group);
  if (!member) return;
  TcpNetwork* network = networks_[member->shard];
  if (network == this) {
    take(member->listener, std::move(connection));
    return;
  }
  loop_.post_to(member->shard, [network, listener = member->listener,
                                connection = std::move(connection)]() mutable {
    network->take(listener, std::move(connection));
  });
}

// A connection that was dealt to a listener which has ended meanwhile is closed.
void TcpNetwork::take(std::uint64_t listener, Descriptor connection) {
  const auto found = listeners_.find(listener);
  if (found == listeners_.end()) return;
  const Listening& listening = found->second;
  static_cast<void>(streams_.adopt(std::move(connection), *listening.acceptor, listening.part));
}

void TcpNetwork::stop_listening(ListenRegistry::GroupId group, std::uint64_t listener) {
  listeners_.erase(listener);
  const auto binder = registry_.leave(group, {loop_.shard(), listener});
  if (!binder) return;
  if (*binder == loop_.shard()) {
    close_port(group);
  } else {
    TcpNetwork* network = networks_[*binder];
    loop_.post_to(*binder, [network, group] { network->close_port(group); });
  }
}

void TcpNetwork::close_port(ListenRegistry::GroupId group) {
  const auto found = ports_.find(group);
  if (found == ports_.end()) return;
  // It may be the one that is just accepting, so it ends later; but it listens no more.
  found->second->stop();
  loop_.post([port = std::move(found->second)] {});
  ports_.erase(found);
}

}  // namespace stator::env

#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "env/network.h"
#include "env_real/accept_port.h"
#include "env_real/dial.h"
#include "env_real/frame_receiver.h"
#include "env_real/listen_registry.h"
#include "env_real/loop.h"
#include "env_real/stream_set.h"

namespace stator::env {

/// env::Network over TCP, for one shard.
class TcpNetwork final : public Network {
 public:
  /// `networks` are those of all shards, by number; complete before the first listener.
  TcpNetwork(Loop& loop, ListenRegistry& registry, const std::vector<TcpNetwork*>& networks);
  ~TcpNetwork() override;

  [[nodiscard]] Result<std::unique_ptr<Listener>> listen_streams(const Address& address,
                                                                 StreamAcceptor& acceptor) override;
  [[nodiscard]] Result<std::unique_ptr<Listener>> listen_frames(const Address& address,
                                                                FrameSink& sink) override;
  [[nodiscard]] std::unique_ptr<FrameLink> open_link(const Address& address,
                                                     LinkEvents& events) override;
  void connect_stream(const Address& address, StreamAcceptor& acceptor,
                      Callback<void(const Error&)> failed) override;

  /// After the last turn: ends all streams and tells their handlers.
  void end_streams() { streams_.end_all(); }

 private:
  class TcpListener;
  struct Calling;

  [[nodiscard]] Result<std::unique_ptr<Listener>> listen(ListenKind kind, const Address& address,
                                                         StreamAcceptor& acceptor,
                                                         std::unique_ptr<FrameAcceptor> owned);
  [[nodiscard]] Result<ListenRegistry::Joined> bind(ListenKind kind, const Address& address,
                                                    std::uint64_t listener);
  void deal(ListenRegistry::GroupId group, Descriptor connection);
  void take(std::uint64_t listener, Descriptor connection);
  void stop_listening(ListenRegistry::GroupId group, std::uint64_t listener);
  void close_port(ListenRegistry::GroupId group);

  Loop& loop_;
  ListenRegistry& registry_;
  const std::vector<TcpNetwork*>& networks_;
  StreamSet streams_;
  std::size_t inbound_ = 0;                                               // connections of peers
  std::map<ListenRegistry::GroupId, std::unique_ptr<AcceptPort>> ports_;  // that this shard bound
  struct Listening {
    StreamAcceptor* acceptor = nullptr;
    Part part = Part::kDoors;
  };
  std::map<std::uint64_t, Listening> listeners_;
  std::uint64_t last_listener_ = 0;
  std::vector<std::unique_ptr<Calling>> calling_;
};

}  // namespace stator::env

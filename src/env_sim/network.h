#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "env/network.h"
#include "env_sim/listen_table.h"
#include "env_sim/packet.h"
#include "env_sim/stream.h"
#include "env_sim/wire.h"

namespace stator::sim {

class Process;
class ShardLoop;
class SimLink;
class SimListener;

/// One shard's way to the wire (env/network.h): its listeners, its links and its ends of streams.
class ShardNetwork final : public env::Network {
 public:
  ShardNetwork(Wire& wire, ShardLoop& loop);
  ~ShardNetwork() override;
  ShardNetwork(const ShardNetwork&) = delete;
  ShardNetwork& operator=(const ShardNetwork&) = delete;

  // env::Network
  [[nodiscard]] Result<std::unique_ptr<env::Listener>> listen_streams(
      const env::Address& address, env::StreamAcceptor& acceptor) override;
  [[nodiscard]] Result<std::unique_ptr<env::Listener>> listen_frames(const env::Address& address,
                                                                     env::FrameSink& sink) override;
  [[nodiscard]] std::unique_ptr<env::FrameLink> open_link(const env::Address& address,
                                                          env::LinkEvents& events) override;
  void connect_stream(const env::Address& address, env::StreamAcceptor& acceptor,
                      Callback<void(const Error&)> failed) override;

  // What the world does to it.
  void flush();
  void deliver(std::uint16_t port, const Packet& packet);
  void path_changed(std::uint32_t far, bool cut);
  void reset_all(std::uint32_t far);
  /// The process `peer` (nullptr: any before the present one) on host `far` is no more.
  void peer_gone(std::uint32_t far, const Process* peer, bool reset);
  /// The process is dead: handlers go without a word.
  void abandon();

  /// What is open here, and the most that waits on one of its links and one of its streams. Changes
  /// nothing.
  struct Held {
    std::size_t listeners = 0;
    std::size_t links = 0;
    std::size_t streams = 0;
    std::size_t link_bytes = 0;    // at most so many
    std::size_t stream_bytes = 0;  // not taken by the other side
  };
  [[nodiscard]] Held held() const;

  // For the ends of connections.
  [[nodiscard]] Wire& wire() { return wire_; }
  [[nodiscard]] ShardLoop& loop() { return loop_; }
  [[nodiscard]] std::uint32_t host() const;
  struct Dialled {
    enum class Answer : std::uint8_t { kAccepted, kRefused, kSilent } answer;
    ShardLoop* loop = nullptr;  // of the shard that the connection is dealt to
  };
  /// What a connection attempt to a listener for frames or streams there meets at this moment.
  [[nodiscard]] Dialled dial(std::uint32_t far, std::uint16_t port, ListenTable::Kind kind);
  /// This shard's.
  [[nodiscard]] SimListener* find_stream_listener(std::uint16_t port);
  void remove(const SimListener& listener);
  void remove(SimLink* link);
  void mark_dirty(SimLink& link);
  void mark_dirty(SimStream& stream);
  SimStream& add_stream(std::uint32_t far, env::Address remote);
  [[nodiscard]] SimStream* find(const StreamEnd& end);
  void destroy(const StreamEnd& end);

 private:
  struct StreamSlot {
    std::unique_ptr<SimStream> stream;
    std::uint32_t generation = 0;
  };
  [[nodiscard]] Result<std::unique_ptr<env::Listener>> listen(const env::Address& address,
                                                              env::StreamAcceptor* acceptor,
                                                              env::FrameSink* sink);
  void set_sink(std::uint16_t port, env::FrameSink& sink);
  template <typename Action>
  void for_each_stream(std::uint32_t far, Action action);

  Wire& wire_;
  ShardLoop& loop_;
  std::vector<SimListener*> listeners_;
  /// Where frames go, also when their listener has ended: accepted connections live on.
  std::vector<std::pair<std::uint16_t, env::FrameSink*>> sinks_;
  std::vector<SimLink*> links_;
  std::vector<SimLink*> dirty_links_;
  std::vector<StreamEnd> dirty_streams_;
  std::vector<std::string_view> frames_;  // of the packet that is delivered
  std::vector<StreamSlot> streams_;
  std::vector<std::uint32_t> free_streams_;
};

/// Takes connections or frames at one port until it is destroyed.
class SimListener final : public env::Listener {
 public:
  SimListener(ShardNetwork& network, env::Address address, env::StreamAcceptor* acceptor,
              env::FrameSink* sink)
      : network_(network), address_(std::move(address)), acceptor_(acceptor), sink_(sink) {}
  ~SimListener() override { network_.remove(*this); }
  SimListener(const SimListener&) = delete;
  SimListener& operator=(const SimListener&) = delete;

  [[nodiscard]] const env::Address& address() const override { return address_; }
  [[nodiscard]] env::StreamAcceptor* acceptor() const { return acceptor_; }
  [[nodiscard]] env::FrameSink* sink() const { return sink_; }
  [[nodiscard]] ShardNetwork& network() { return network_; }

 private:
  ShardNetwork& network_;
  env::Address address_;
  env::StreamAcceptor* acceptor_;  // exactly one of the two
  env::FrameSink* sink_;
};

}  // namespace stator::sim

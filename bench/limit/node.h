#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "limit/append_log.h"
#include "limit/buffer.h"
#include "limit/counters.h"
#include "limit/fifo.h"
#include "limit/operation_table.h"
#include "limit/options.h"
#include "limit/peer_frame.h"
#include "limit/resp.h"
#include "limit/sockets.h"
#include "limit/store.h"

namespace stator::limit {

struct Connection {
  Descriptor socket;
  ConnectionId id;
  bool is_peer = false;
  bool dirty = false;          // in the list of those to flush at the end of the turn
  bool waits_to_send = false;  // the kernel's buffer is full: EPOLLOUT is armed
  bool paused = false;         // a command that is no get or set waits for those before it
  Buffer in;
  Buffer out;
  Fifo<OperationId> pending;  // a client's operations, in the order in which it must be answered
};

/// One of the three equal nodes of the bare quorum: a single thread, level-triggered epoll, and
/// turns. A turn reads what is there, carries it all out, and then sends what came of it, once per
/// socket; that is what makes a replicated request affordable.
///
/// What is left out on purpose, since a limit is asked for: siblings, timeouts, retries, failures
/// of a node (the process ends when a peer goes), hints, repair of replicas, checksums on the wire,
/// bounds on memory. Last writer wins by clock and node.
class Node {
 public:
  Node(const Options& options, Counters& counters, std::unique_ptr<AppendLog> log,
       std::array<Descriptor, kNodes> peers, Descriptor listener, Descriptor signals);

  /// Serves until `signals` becomes readable (true) or a peer is lost (false).
  [[nodiscard]] bool run();

 private:
  // What waits for its log record: an operation of a client here, or of a peer.
  struct LogWaiter {
    std::uint64_t sequence = 0;
    Connection* peer = nullptr;  // nullptr: of a client here
    OperationId operation;
  };

  // node.cc: the loop and its connections
  void handle_event(std::uint64_t tag, std::uint32_t events);
  void end_turn();
  void watch(int descriptor, std::uint64_t tag);
  Connection& add_connection(Descriptor socket, bool is_peer);
  Connection* find(ConnectionId id);
  void accept_clients();
  void close_connection(Connection& connection);
  void receive(Connection& connection);
  void flush(Connection& connection);
  void set_waits_to_send(Connection& connection, bool waits);
  void mark_dirty(Connection& connection);

  // node_clients.cc: commands and their answers, in order
  void read_commands(Connection& client);
  bool execute(Connection& client, const Command& command);
  void execute_other(Connection& client, const Command& command);
  void submit_set(Connection& client, std::string_view key, std::string_view value);
  void submit_get(Connection& client, std::string_view key);
  void finish(Operation& operation);
  void answer(Connection& client, const Operation& operation);

  // node_peers.cc: frames and what they complete
  void read_frames(Connection& peer);
  void handle_frame(Connection& peer, const Frame& frame);
  void count_copy(OperationId id);
  void compare_digest(Connection& peer, const FrameHeader& digest);
  void release_logged();

  const Options options_;
  Counters& counters_;
  std::unique_ptr<AppendLog> log_;
  Descriptor listener_;
  Descriptor signals_;
  Descriptor epoll_;
  Store store_;
  OperationTable operations_;
  std::vector<std::unique_ptr<Connection>> connections_;  // index = ConnectionId::slot
  std::vector<std::uint32_t> free_connections_;
  std::vector<Connection*> peers_;  // the two others
  std::vector<ConnectionId> dirty_;
  Fifo<LogWaiter> log_waiters_;
  bool stopping_ = false;
  bool peer_lost_ = false;
};

}  // namespace stator::limit

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/load/waiting_line.h"
#include "env/executor.h"
#include "env/network.h"
#include "front/redis/cluster_replies.h"
#include "front/redis/command.h"
#include "front/redis/connection.h"
#include "node/metrics.h"
#include "node/store.h"

namespace stator::redis {

/// When an acknowledged write is on a disk.
enum class WritesSynced : std::uint8_t {
  kBefore,  // it is answered
  kSoon,    // after it, on one node
  kSometime
};

struct RedisFrontOptions {
  node::Limits limits;
  std::string version;                                 // of Stator, as INFO tells it
  WritesSynced writes_synced = WritesSynced::kBefore;  // CONFIG GET appendfsync tells it
  /// The shard's counters, if the front shall count into those that Store::metrics() sums; nullptr:
  /// it counts into its own, which only its own INFO shows.
  node::Metrics* counters = nullptr;
  /// Resident memory of this process, which INFO tells; below 0: not known. nullptr: several nodes
  /// share the process.
  std::int64_t (*resident_bytes)() = nullptr;
  /// Bytes of incomplete commands, over all connections of the shard.
  std::size_t input_bytes_max = 256 << 20;
  /// Bytes of values gathered for answers to commands of many keys, over the shard.
  std::size_t gathered_bytes_max = 256 << 20;
  /// Bytes of answers that one client may leave untaken, and that all together may who have stopped
  /// taking any.
  std::size_t unsent_bytes_max = 192 << 20;
  std::size_t stalled_bytes_max = 64 << 20;
  Duration stall_max = seconds(60);
};

/// The Redis protocol of one shard (design 2.4): hand it to Network::listen_streams. Translates
/// commands to calls of the store and back; decides nothing. docs/redis.md says which commands
/// there are.
///
/// Everything happens on the shard's loop. Outlives its listener, its connections, and the store's
/// open operations: to stop, drain(), wait until drained() or patience ends, stop the node, then
/// the network.
class RedisFront final : public env::StreamAcceptor {
 public:
  RedisFront(node::Store& store, env::Executor& executor, RedisFrontOptions options);
  ~RedisFront() override;
  RedisFront(const RedisFront&) = delete;
  RedisFront& operator=(const RedisFront&) = delete;

  std::unique_ptr<env::StreamHandler> on_accept(env::Stream& stream) override;
  /// Takes no new connections and commands; each connection is closed when what it began is
  /// answered.
  void drain();
  /// Nothing is open and all answers have been handed to the system. Connections may still be
  /// closing, for clients that do not look.
  [[nodiscard]] bool drained() const;
  [[nodiscard]] std::size_t connections() const { return connections_; }

  // For connections and commands.

  [[nodiscard]] node::Store& store() const { return store_; }
  [[nodiscard]] env::Executor& executor() const { return executor_; }
  [[nodiscard]] node::Metrics& counters() { return counters_; }
  /// Of the node, with what this front counted by itself.
  [[nodiscard]] node::Metrics metrics() const;
  [[nodiscard]] const RedisFrontOptions& options() const { return options_; }
  [[nodiscard]] const ParserLimits& parser_limits() const { return parser_limits_; }
  [[nodiscard]] ArgumentList& arguments() { return arguments_; }
  [[nodiscard]] ClusterReplies& cluster_replies() { return cluster_replies_; }
  [[nodiscard]] std::size_t connections_max() const { return connections_max_; }
  [[nodiscard]] Connection* first_connection() const { return first_; }

  [[nodiscard]] Command& acquire();
  void release(Command& command);
  void forget(Connection& connection);
  /// Connections that wait for room in the store. Who has sent one thing comes first: nobody in
  /// line is read.
  [[nodiscard]] WaitingLine& line() { return line_; }
  /// A connection has begun to wait in line.
  void watch_line();
  /// Connection::take_turn() of those whose turn it is.
  void call_next();
  /// A connection has begun to wait for its client.
  void watch_stalls();
  /// Bytes that all connections together keep of incomplete commands.
  std::size_t input_kept = 0;
  /// Bytes gathered for answers that are not complete yet.
  std::size_t gathered = 0;
  /// Bytes that waited for their clients when these began to stall.
  std::size_t stalled_bytes = 0;

 private:
  void check_stalls();

  node::Store& store_;
  env::Executor& executor_;
  const RedisFrontOptions options_;
  node::Metrics own_counters_;
  node::Metrics& counters_;
  ParserLimits parser_limits_;
  std::size_t connections_max_;
  ArgumentList arguments_;
  ClusterReplies cluster_replies_;

  Connection* first_ = nullptr;
  std::size_t connections_ = 0;
  std::uint64_t next_id_ = 0;

  // Every command that there is, and those that are not in use.
  std::vector<std::unique_ptr<Command>> commands_;
  Command* free_ = nullptr;
  std::size_t free_count_ = 0;

  WaitingLine line_;
  env::TimerId line_timer_;
  env::TimerId stall_timer_;
  bool draining_ = false;
};

}  // namespace stator::redis

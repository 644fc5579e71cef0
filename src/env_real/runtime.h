#pragma once

#include <memory>

#include "base/callback.h"
#include "env/env.h"

namespace stator::env {

/// The shards of one process: each a thread with its own loop, sockets and files, sharing nothing.
/// Shard 0 runs on the thread that calls run().
///
///   Runtime runtime(shards);
///   Node node(runtime.shard_env(0), ...);
///   runtime.on_signal([&](int) { node.stop_gracefully([&] { runtime.stop(); }); });
///   runtime.run();   // then node, then runtime are destroyed
///
/// Everything reached through shard_env(i) belongs to the thread of shard i; before run() and after
/// it there is only the caller's thread, which may use all of them. Callers from other threads have
/// stop() and nothing else.
class Runtime {
 public:
  explicit Runtime(unsigned shards = 1);
  /// Ends what still runs and calls nobody: handlers, tasks and timers that are left are destroyed.
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  [[nodiscard]] Env& shard_env(unsigned shard);
  [[nodiscard]] unsigned shard_count() const;

  /// Runs all shards until stop(), then shut_down().
  void run();
  /// Runs all shards until `done`, asked between turns of shard 0, is true; false if that takes
  /// longer than `limit`. May be called again. For commands that ask one thing, and for tests.
  [[nodiscard]] bool run_until(Callback<bool()> done, Duration limit);
  /// One turn of shard 0, which waits at most `max_wait` for something to do; false when there was
  /// nothing. For tests that drive several runtimes.
  bool turn(Duration max_wait);

  /// Ends run(). From any thread and from any callback.
  void stop();
  /// Ends all threads, runs the blocking jobs that are queued still, then ends every stream: each
  /// handler is told on_closed, here, while what it uses is still there. What was neither run nor
  /// told is destroyed. Idempotent; run() does it at its end.
  void shut_down();

  /// `task` runs on shard 0 with the number of each SIGINT or SIGTERM. For one runtime per process.
  void on_signal(Callback<void(int)> task);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace stator::env

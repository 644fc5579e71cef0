#pragma once

#include <cstdint>
#include <memory>

#include "base/callback.h"
#include "base/error.h"
#include "base/time.h"
#include "env_real/descriptor.h"

// Waiting for descriptors, by epoll itself. Reading and writing are the watcher's own system calls
// on the descriptor, so that all connections of a loop share one input buffer. Why not a library's
// reactor: docs/design/2026-11-28-epoll.md.

namespace stator::env {

/// Is told that a descriptor is ready, or in error (which the next read or write then says).
class Watcher {
 public:
  virtual ~Watcher() = default;
  virtual void on_readable() = 0;
  virtual void on_writable() {}
};

/// In which part of a turn a watcher is told. Each part has a share of the turn for itself
/// (TurnShare): however much the peers bring, every turn hears the clients.
enum class Part : std::uint8_t {
  kDoors,  // clients, and all who have little to say
  kPeers,
};

/// One thread's set of watched descriptors. All on the loop's thread but wake().
class Reactor {
 public:
  Reactor();
  ~Reactor();

  /// Collects what is ready, waiting at most `limit`, rounded up to milliseconds, for the first
  /// (negative: for ever); not at all while somebody was not told yet. Asks for clients when those
  /// that it knows were told, and for peers always. Bounded: under load it returns after some
  /// hundred descriptors. Returns how many are to be told.
  std::size_t wait(Duration limit);
  /// Tells the watchers of one part of what wait() collected, in order, until they have
  /// worked_enough(). The others are told first next time.
  void dispatch(Part part);
  /// All that had been collected when the last round was over has been told. So a round may take
  /// several turns, and always ends.
  [[nodiscard]] bool round_over() const;
  /// What is ready now belongs to the round, too. Once in a round.
  void extend_round();

  /// A part of the turn begins, with a share of its own; dispatch() does so by itself.
  void begin_part();
  /// So many bytes of input were handled, or somebody was called (0).
  void worked(std::size_t bytes);
  /// For now nobody of this part should read more.
  [[nodiscard]] bool worked_enough() const;
  /// Ends a wait(), the running or the next one. From any thread.
  void wake();
  /// `task` runs in dispatch() with the number of each SIGINT or SIGTERM that this process gets.
  /// Once per process.
  void watch_signals(Callback<void(int)> task);

 private:
  friend class Watch;
  struct State;
  std::unique_ptr<State> state_;
};

/// A descriptor in a reactor; owns both the registration and the descriptor. A wait is for one
/// event: ask again when the descriptor was read dry. Asking again before the next Reactor::wait()
/// costs no system call.
class Watch {
 public:
  Watch() = default;
  ~Watch() { close(); }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  /// `watcher` outlives the watch or its close().
  [[nodiscard]] Result<void> open(Reactor& reactor, Descriptor descriptor, Watcher& watcher,
                                  Part part = Part::kDoors);
  [[nodiscard]] bool is_open() const { return state_ != nullptr; }
  [[nodiscard]] int descriptor() const { return descriptor_; }
  /// Calls on_readable / on_writable once, in a later dispatch(); asking twice is asking once.
  void await_readable();
  void await_writable();
  /// Calls on_readable once when the connection breaks (a reset), for one that is readable for ever
  /// since its input has ended. Not while on_readable is awaited.
  void await_broken();
  [[nodiscard]] bool awaits_readable() const;
  /// Neither is called any more; closes the descriptor.
  void close();
  /// The same, but keeps the descriptor.
  [[nodiscard]] Descriptor release();

  struct State;

 private:
  State* state_ = nullptr;
  int descriptor_ = -1;
};

}  // namespace stator::env

#pragma once

#include <array>
#include <atomic>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "env/executor.h"
#include "env_real/entropy.h"
#include "env_real/inbox.h"
#include "env_real/reactor.h"
#include "env_real/side_thread.h"
#include "env_real/timer_heap.h"

namespace stator::env {

/// A connection, as the loop sees it.
class Tended {
 public:
  virtual ~Tended() = default;
  /// Once, in a turn after the call in which Loop::tend_next_turn was called: in the next one as a
  /// rule, in order of these calls.
  virtual void tend() = 0;
  /// Once, at the end of the turn in which Loop::flush_this_turn was called.
  virtual void flush() = 0;
};

/// The loop of one shard: design 4.1's turn, driven by us around epoll. All calls on its
/// own thread but inbox() and stop().
///
/// One turn: wait for the first ready thing; read the clocks; tasks from other threads; posted
/// tasks; what clients sent; connections that are tended; what peers sent; when all that is ready
/// had its turn, due timers; turn-end hooks until none has more to do; tasks for other shards
/// leave; every connection with new output is flushed once. Clients, tended connections and peers
/// have a share of the turn each (TurnShare), so that a turn is short and none of them waits for
/// more than its end; who had no part yet is first in the next one. What a step adds to a list that
/// was already served waits for the next turn, which then does not sleep.
class Loop final : public Executor {
 public:
  /// `loops` are those of all shards, by number; complete before the first turn.
  Loop(unsigned shard, const std::vector<Loop*>& loops);
  ~Loop() override;

  [[nodiscard]] MonoTime now() const override { return now_; }
  [[nodiscard]] WallTime wall_now() const override { return wall_now_; }
  std::uint64_t random() override { return entropy_.next(); }
  void post(Callback<void()> task) override { posted_.push_back(std::move(task)); }
  TimerId after(Duration delay, Callback<void()> task) override;
  void cancel(TimerId timer) override { timers_.cancel(timer); }
  void at_turn_end(Callback<bool()> hook) override { hooks_.push_back(std::move(hook)); }
  [[nodiscard]] TurnTimes turn_times() const override { return turn_times_; }
  void run_blocking(unsigned lane, Callback<void()> job, Callback<void()> done) override;
  [[nodiscard]] unsigned shard() const override { return shard_; }
  [[nodiscard]] unsigned shard_count() const override;
  void post_to(unsigned shard, Callback<void()> task) override;

  [[nodiscard]] Reactor& reactor() { return reactor_; }
  [[nodiscard]] Inbox& inbox() { return inbox_; }
  /// For names that must be looked up, which blocks for seconds when a name server is gone; and for
  /// syncing files, which must not wait behind an engine's job.
  [[nodiscard]] SideThread& resolver() { return resolver_; }
  [[nodiscard]] SideThread& syncer() { return syncer_; }

  void tend_next_turn(Tended& connection) { to_tend_.push_back(&connection); }
  void flush_this_turn(Tended& connection) { to_flush_.push_back(&connection); }
  /// Not in use after this: `connection` ends.
  void forget(Tended& connection);

  /// One turn, which waits at most `max_wait` (negative: for ever) for something to do. Returns
  /// whether there was something.
  bool turn(Duration max_wait);
  /// Turns until stop().
  void run();
  /// From any thread: run() ends after its turn. Never taken back.
  void stop();
  [[nodiscard]] bool stopping() const { return stopping_.load(std::memory_order_acquire); }

  /// After the last turn, on a thread that has the loop for itself: ends the side threads.
  void stop_side_threads(SideThread::Rest rest);
  /// And then: destroys tasks, timers and hooks that did not run.
  void drop_tasks();

 private:
  [[nodiscard]] Duration time_to_wait(Duration max_wait);
  std::size_t wait(Duration max_wait);
  void read_clocks();
  void note_turn(MonoTime began);
  std::size_t run_tasks(std::vector<Callback<void()>>& tasks);
  void tend();
  void run_hooks();
  void send_outboxes();
  void flush();

  const unsigned shard_;
  const std::vector<Loop*>& loops_;
  Reactor reactor_;
  Inbox inbox_;
  Entropy entropy_;
  TimerHeap timers_;
  MonoTime now_;
  WallTime wall_now_;
  std::atomic<bool> stopping_ = false;
  bool first_turn_ = true;
  MonoTime waits_since_{};  // zero: it did not mean to wait
  TurnTimes turn_times_;

  std::vector<Callback<void()>> posted_;
  std::vector<Callback<void()>> running_;                // empty between turns, keeps its capacity
  std::deque<Callback<bool()>> hooks_;                   // a hook may add hooks: they must not move
  std::vector<std::vector<Callback<void()>>> outboxes_;  // by shard
  std::vector<Tended*> to_tend_;
  std::vector<Tended*> tending_;  // in this turn, and in later ones if they are too many
  std::vector<Tended*> to_flush_;

  std::array<std::unique_ptr<SideThread>, kLanes> lanes_;
  SideThread resolver_;
  SideThread syncer_;
};

}  // namespace stator::env

#pragma once

#include <cstdint>
#include <vector>

#include "base/callback.h"
#include "base/time.h"
#include "env_sim/trace.h"

namespace stator::sim {

/// Names one scheduled event; stale when it ran or was cancelled.
struct EventRef {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;  // from 1; 0 is none
  explicit operator bool() const { return generation != 0; }
  [[nodiscard]] std::uint64_t packed() const { return (std::uint64_t{generation} << 32) | slot; }
  static EventRef unpack(std::uint64_t packed) {
    return {static_cast<std::uint32_t>(packed), static_cast<std::uint32_t>(packed >> 32)};
  }
};

/// One who takes events: a process, which runs them now or, while it is busy or paused, later.
class EventReceiver {
 public:
  virtual ~EventReceiver() = default;
  /// The event is due. The receiver calls Scheduler::run for it now or later.
  virtual void receive(EventRef event) = 0;
  std::uint32_t trace_host = Trace::kNoHost;
};

/// The one queue of a simulated world: every thing that happens in any process is an event here, in
/// the total order of (time, order of scheduling). Virtual time in nanoseconds from 0 moves only
/// from event to event. Events live in a pool and their keys in a 4-ary heap, so that in steady
/// state nothing is allocated. A cancelled event leaves its key behind, which is skipped; when such
/// keys are the majority the heap is swept. Single-threaded.
class Scheduler {
 public:
  [[nodiscard]] MonoTime now() const { return now_; }
  [[nodiscard]] Trace& trace() { return trace_; }
  [[nodiscard]] const Trace& trace() const { return trace_; }

  /// Hands the event to `receiver` at `when` (now, if that is past); runs it itself if `receiver`
  /// is nullptr. `bytes_hash` enters the trace.
  EventRef schedule(MonoTime when, EventKind kind, EventReceiver* receiver, Callback<void()> run,
                    std::uint64_t bytes_hash = 0);
  EventRef after(Duration delay, EventKind kind, EventReceiver* receiver, Callback<void()> run,
                 std::uint64_t bytes_hash = 0) {
    return schedule(now_ + delay, kind, receiver, std::move(run), bytes_hash);
  }
  /// An event without a time: the receiver has it in hand already and will run() it.
  EventRef park(EventKind kind, EventReceiver* receiver, Callback<void()> run,
                std::uint64_t bytes_hash = 0);
  /// Drops the event uncalled; no effect when it is stale.
  void cancel(EventRef event);
  /// Drops all events of `receiver` uncalled (its process died).
  void cancel_all(const EventReceiver* receiver);
  /// Records and runs an event; false when it was cancelled.
  bool run(EventRef event);

  /// Runs the next event; false when there is none.
  bool step();
  /// Runs what is due until `end`, and leaves the clock there.
  void run_until(MonoTime end);
  [[nodiscard]] std::size_t pending() const { return slots_.size() - free_.size(); }
  /// Those of one kind that `receiver` has before it. Looks at all there are.
  [[nodiscard]] std::size_t pending(const EventReceiver* receiver, EventKind kind) const;

 private:
  struct Slot {
    Callback<void()> run;
    EventReceiver* receiver = nullptr;
    std::uint64_t bytes_hash = 0;
    std::uint32_t generation = 1;
    EventKind kind{};
    bool used = false;
  };
  struct Key {
    std::int64_t when = 0;
    std::uint64_t sequence = 0;
    EventRef event{};
    [[nodiscard]] bool before(const Key& other) const {
      return when != other.when ? when < other.when : sequence < other.sequence;
    }
  };

  [[nodiscard]] bool alive(EventRef event) const {
    return event.generation != 0 && slots_[event.slot].used &&
           slots_[event.slot].generation == event.generation;
  }
  void release(std::uint32_t slot);
  void push(Key key);
  void pop();
  void sift_down(std::size_t at);
  void sweep();

  MonoTime now_{};
  std::uint64_t sequence_ = 0;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
  std::vector<Key> heap_;
  std::size_t stale_keys_ = 0;  // keys of cancelled events, at most
  Trace trace_;
};

}  // namespace stator::sim

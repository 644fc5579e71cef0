#pragma once

#include <mutex>
#include <vector>

#include "base/callback.h"
#include "env_real/reactor.h"

namespace stator::env {

/// Tasks for one loop from other threads. A sender wakes the loop only when it sleeps, so that a
/// busy loop costs its senders no system call.
class Inbox {
 public:
  explicit Inbox(Reactor& reactor) : reactor_(reactor) {}

  /// From any thread. Moves all of `tasks` away, in order, and leaves it empty.
  void put(std::vector<Callback<void()>>& tasks);
  void put(Callback<void()> task);

  /// By the loop, before it waits: true when it may sleep, false when something is here.
  [[nodiscard]] bool prepare_to_sleep();
  /// By the loop, after it waited: replaces the content of `tasks`, which must be empty.
  void take(std::vector<Callback<void()>>& tasks);

 private:
  Reactor& reactor_;
  std::mutex mutex_;
  std::vector<Callback<void()>> tasks_;  // under mutex_, as asleep_
  bool asleep_ = false;
};

}  // namespace stator::env

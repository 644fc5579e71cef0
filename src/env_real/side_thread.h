#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/callback.h"
#include "env_real/inbox.h"

namespace stator::env {

/// One thread beside a loop, for what blocks. Jobs run one at a time and in order; what follows a
/// job runs on the loop. The thread starts with the first job.
class SideThread {
 public:
  /// `name` is what debuggers and `top` show; at most 15 characters.
  SideThread(std::string name, Inbox& home) : name_(std::move(name)), home_(home) {}
  ~SideThread() { stop(Rest::kDrop); }
  SideThread(const SideThread&) = delete;
  SideThread& operator=(const SideThread&) = delete;

  /// `job` is destroyed before `done` is posted, so what it owned has ended by then.
  void run(Callback<void()> job, Callback<void()> done);

  enum class Rest : std::uint8_t { kRun, kDrop };
  /// Waits for the running job, runs or drops the ones behind it, and ends the thread. Jobs that
  /// follow are dropped.
  void stop(Rest rest);

 private:
  struct Work {
    Callback<void()> job;
    Callback<void()> done;
  };
  void work();

  const std::string name_;
  Inbox& home_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Work> queue_;  // under mutex_, as the next two
  bool stopping_ = false;
  bool drop_ = false;
  std::thread thread_;
};

}  // namespace stator::env

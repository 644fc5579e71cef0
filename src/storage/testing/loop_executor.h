#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "env/executor.h"

namespace stator::storage::testing {

/// An executor for tests of engines: the loop is the thread that calls run_until(); lanes are real
/// threads, so that ThreadSanitizer sees what an engine does on them. Time stands still and there
/// are no timers: engines use none.
class LoopExecutor final : public env::Executor {
 public:
  explicit LoopExecutor(std::uint64_t seed = 1) : seed_(seed) {}
  ~LoopExecutor() override;

  /// Runs what is posted until `done` holds; aborts the test program after a minute without.
  void run_until(const std::function<bool()>& done);
  /// Runs what is ready now.
  void run_ready();

  [[nodiscard]] MonoTime now() const override { return {}; }
  [[nodiscard]] WallTime wall_now() const override { return {}; }
  std::uint64_t random() override;
  void post(Callback<void()> task) override;
  env::TimerId after(Duration delay, Callback<void()> task) override;
  void cancel(env::TimerId timer) override;
  void at_turn_end(Callback<bool()> hook) override;
  void run_blocking(unsigned lane, Callback<void()> job, Callback<void()> done) override;
  [[nodiscard]] unsigned shard() const override { return 0; }
  [[nodiscard]] unsigned shard_count() const override { return 1; }
  void post_to(unsigned shard, Callback<void()> task) override;

 private:
  struct Lane {
    std::deque<std::pair<Callback<void()>, Callback<void()>>> jobs;
    std::thread thread;
  };
  void work(Lane& lane);
  bool run_one();

  std::uint64_t seed_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Callback<void()>> ready_;
  Lane lanes_[kLanes];
  bool stopping_ = false;
};

}  // namespace stator::storage::testing

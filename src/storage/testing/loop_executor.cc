#include "storage/testing/loop_executor.h"

#include <chrono>
#include <utility>

#include "base/assert.h"
#include "base/hash.h"

namespace stator::storage::testing {

LoopExecutor::~LoopExecutor() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (Lane& lane : lanes_) {
    if (lane.thread.joinable()) lane.thread.join();
  }
}

bool LoopExecutor::run_one() {
  Callback<void()> task;
  {
    const std::lock_guard lock(mutex_);
    if (ready_.empty()) return false;
    task = std::move(ready_.front());
    ready_.pop_front();
  }
  task();
  return true;
}

void LoopExecutor::run_ready() {
  while (run_one()) {
  }
}

void LoopExecutor::run_until(const std::function<bool()>& done) {
  while (!done()) {
    if (run_one()) continue;
    std::unique_lock lock(mutex_);
    const bool woken =
        changed_.wait_for(lock, std::chrono::minutes(1), [this] { return !ready_.empty(); });
    STATOR_ASSERT(woken);  // what the test waits for never comes
  }
}

std::uint64_t LoopExecutor::random() {
  return mix64(seed_++);
}

void LoopExecutor::post(Callback<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    ready_.push_back(std::move(task));
  }
  changed_.notify_all();
}

env::TimerId LoopExecutor::after(Duration, Callback<void()>) {
  STATOR_ASSERT(false);
}

void LoopExecutor::cancel(env::TimerId) {
  STATOR_ASSERT(false);
}

void LoopExecutor::at_turn_end(Callback<bool()>) {
  STATOR_ASSERT(false);
}

void LoopExecutor::run_blocking(unsigned number, Callback<void()> job, Callback<void()> done) {
  STATOR_ASSERT(number < kLanes);
  Lane& lane = lanes_[number];
  {
    const std::lock_guard lock(mutex_);
    lane.jobs.emplace_back(std::move(job), std::move(done));
  }
  if (!lane.thread.joinable()) lane.thread = std::thread([this, &lane] { work(lane); });
  changed_.notify_all();
}

void LoopExecutor::work(Lane& lane) {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return stopping_ || !lane.jobs.empty(); });
    if (lane.jobs.empty()) return;
    auto [job, done] = std::move(lane.jobs.front());
    lane.jobs.pop_front();
    lock.unlock();
    job();
    lock.lock();
    ready_.push_back(std::move(done));
    changed_.notify_all();
  }
}

void LoopExecutor::post_to(unsigned shard, Callback<void()> task) {
  STATOR_ASSERT(shard == 0);
  post(std::move(task));
}

}  // namespace stator::storage::testing

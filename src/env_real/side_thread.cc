#include "env_real/side_thread.h"

#include <pthread.h>

#include <utility>

namespace stator::env {

void SideThread::run(Callback<void()> job, Callback<void()> done) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    queue_.push_back({std::move(job), std::move(done)});
  }
  if (thread_.joinable()) {
    changed_.notify_one();
  } else {
    thread_ = std::thread([this] { work(); });
  }
}

void SideThread::stop(Rest rest) {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    drop_ = rest == Rest::kDrop;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void SideThread::work() {
  pthread_setname_np(pthread_self(), name_.c_str());
  std::vector<Work> batch;
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (drop_ || queue_.empty()) return;
    batch.swap(queue_);
    for (Work& work : batch) {
      if (drop_) break;
      lock.unlock();
      work.job();
      work.job.reset();
      if (work.done) home_.put(std::move(work.done));
      lock.lock();
    }
    lock.unlock();
    batch.clear();
    lock.lock();
  }
}

}  // namespace stator::env

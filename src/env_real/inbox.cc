#include "env_real/inbox.h"

#include <iterator>
#include <utility>

#include "base/assert.h"

namespace stator::env {

void Inbox::put(std::vector<Callback<void()>>& tasks) {
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    if (tasks_.empty()) {
      tasks_.swap(tasks);
    } else {
      tasks_.insert(tasks_.end(), std::make_move_iterator(tasks.begin()),
                    std::make_move_iterator(tasks.end()));
    }
    wake = std::exchange(asleep_, false);
  }
  tasks.clear();
  if (wake) reactor_.wake();
}

void Inbox::put(Callback<void()> task) {
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
    wake = std::exchange(asleep_, false);
  }
  if (wake) reactor_.wake();
}

bool Inbox::prepare_to_sleep() {
  const std::lock_guard lock(mutex_);
  asleep_ = tasks_.empty();
  return asleep_;
}

void Inbox::take(std::vector<Callback<void()>>& tasks) {
  STATOR_ASSERT(tasks.empty());
  const std::lock_guard lock(mutex_);
  asleep_ = false;
  tasks_.swap(tasks);
}

}  // namespace stator::env

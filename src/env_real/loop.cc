#include "env_real/loop.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "env_real/clocks.h"

namespace stator::env {

namespace {

// More than any turn takes on: the process was stopped, or had no core.
constexpr Duration kStoodStill = milliseconds(100);

std::string thread_name(unsigned shard, const std::string& what) {
  return "shard" + std::to_string(shard) + "-" + what;
}

}  // namespace

Loop::Loop(unsigned shard, const std::vector<Loop*>& loops)
    : shard_(shard),
      loops_(loops),
      inbox_(reactor_),
      resolver_(thread_name(shard, "resolve"), inbox_),
      syncer_(thread_name(shard, "sync"), inbox_) {
  for (unsigned lane = 0; lane < kLanes; ++lane) {
    lanes_[lane] =
        std::make_unique<SideThread>(thread_name(shard, "lane" + std::to_string(lane)), inbox_);
  }
  read_clocks();
}

Loop::~Loop() {
  stop_side_threads(SideThread::Rest::kDrop);
}

TimerId Loop::after(Duration delay, Callback<void()> task) {
  return timers_.add(now_ + std::max(delay, Duration{}), std::move(task));
}

void Loop::run_blocking(unsigned lane, Callback<void()> job, Callback<void()> done) {
  STATOR_ASSERT(lane < kLanes);
  lanes_[lane]->run(std::move(job), std::move(done));
}

unsigned Loop::shard_count() const {
  return static_cast<unsigned>(loops_.size());
}

void Loop::post_to(unsigned shard, Callback<void()> task) {
  STATOR_ASSERT(shard < loops_.size());
  if (shard == shard_) {
    post(std::move(task));
    return;
  }
  if (outboxes_.empty()) outboxes_.resize(loops_.size());
  outboxes_[shard].push_back(std::move(task));
}

void Loop::forget(Tended& connection) {
  std::erase(to_tend_, &connection);
  std::replace(tending_.begin(), tending_.end(), &connection, static_cast<Tended*>(nullptr));
  std::erase(to_flush_, &connection);
}

bool Loop::turn(Duration max_wait) {
  const bool first = first_turn_;
  std::size_t ran = wait(max_wait);
  const MonoTime before = now_;
  read_clocks();
  if (!first) note_turn(before);
  if (now_ - before >= kStoodStill) reactor_.extend_round();
  inbox_.take(running_);
  ran += run_tasks(running_);
  posted_.swap(running_);
  ran += run_tasks(running_);
  tending_.insert(tending_.end(), to_tend_.begin(), to_tend_.end());
  to_tend_.clear();
  ran += tending_.size();
  // First of all: under overload most of them are refused, or wait, at next to no cost.
  reactor_.dispatch(Part::kDoors);
  tend();
  reactor_.dispatch(Part::kPeers);
  // After all that has arrived, be it in several turns: a process that stood still has answers
  // waiting in its sockets, and must not first conclude from its own delay that its peers are
  // silent (design 4.4).
  if (reactor_.round_over()) ran += timers_.fire(now_);
  run_hooks();
  send_outboxes();
  flush();
  return ran > 0;
}

void Loop::run() {
  while (!stopping()) turn({-1});
}

void Loop::stop() {
  stopping_.store(true, std::memory_order_release);
  reactor_.wake();
}

void Loop::stop_side_threads(SideThread::Rest rest) {
  for (const auto& lane : lanes_) lane->stop(rest);
  syncer_.stop(rest);
  resolver_.stop(SideThread::Rest::kDrop);
}

void Loop::drop_tasks() {
  // What a task owns may post once more when it ends, so no list is cleared in its place.
  inbox_.take(running_);
  std::exchange(running_, {}).clear();
  std::exchange(posted_, {}).clear();
  timers_.clear();
  hooks_.clear();
  outboxes_.clear();
}

// Nothing that was added between turns (by the composition root, by a test) may wait for an event.
Duration Loop::time_to_wait(Duration max_wait) {
  waits_since_ = {};
  if (std::exchange(first_turn_, false) || !posted_.empty() || !to_tend_.empty() ||
      !tending_.empty() || !to_flush_.empty()) {
    return {};
  }
  if (std::any_of(outboxes_.begin(), outboxes_.end(), [](const auto& o) { return !o.empty(); })) {
    return {};
  }
  // now_ is from the start of the last turn, which may have taken long.
  waits_since_ = read_monotonic_clock();
  if (timers_.empty()) return max_wait;
  const Duration until_due = std::max(timers_.next_due() - waits_since_, Duration{});
  return max_wait.ns < 0 ? until_due : std::min(until_due, max_wait);
}

std::size_t Loop::wait(Duration max_wait) {
  Duration limit = time_to_wait(max_wait);
  if (limit.ns != 0 && !inbox_.prepare_to_sleep()) limit = {};
  return reactor_.wait(limit);
}

void Loop::read_clocks() {
  now_ = read_monotonic_clock();
  wall_now_ = read_wall_clock();
}

// Without a clock of its own: a turn that is followed by a wait ends where the time to wait was
// reckoned, and any other where the next one begins, with the call that asks what is ready.
void Loop::note_turn(MonoTime began) {
  const MonoTime ended = waits_since_ == MonoTime{} ? now_ : waits_since_;
  turn_times_.note(ended - began, now_);
}

std::size_t Loop::run_tasks(std::vector<Callback<void()>>& tasks) {
  const std::size_t count = tasks.size();
  for (Callback<void()>& task : tasks) {
    task();
    task.reset();  // what it owns ends in its turn, not in that of the last task
  }
  tasks.clear();
  return count;
}

void Loop::tend() {
  if (tending_.empty()) return;
  reactor_.begin_part();
  std::size_t done = 0;
  while (done < tending_.size() && !reactor_.worked_enough()) {
    if (Tended* connection = tending_[done++]; connection != nullptr) connection->tend();
    reactor_.worked(0);
  }
  tending_.erase(tending_.begin(), tending_.begin() + static_cast<std::ptrdiff_t>(done));
}

void Loop::run_hooks() {
  for (bool again = true; again;) {
    again = false;
    for (std::size_t i = 0; i < hooks_.size(); ++i) again |= hooks_[i]();
  }
}

void Loop::send_outboxes() {
  for (unsigned shard = 0; shard < outboxes_.size(); ++shard) {
    if (!outboxes_[shard].empty()) loops_[shard]->inbox_.put(outboxes_[shard]);
  }
}

// A flush calls nobody back, so the list does not grow.
void Loop::flush() {
  for (Tended* connection : to_flush_) connection->flush();
  to_flush_.clear();
}

}  // namespace stator::env

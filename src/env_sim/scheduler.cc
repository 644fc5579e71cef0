#include "env_sim/scheduler.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace stator::sim {
namespace {

constexpr std::size_t kArity = 4;
constexpr std::size_t kSweepFrom = 1024;

}  // namespace

EventRef Scheduler::park(EventKind kind, EventReceiver* receiver, Callback<void()> run,
                         std::uint64_t bytes_hash) {
  std::uint32_t index = 0;
  if (free_.empty()) {
    index = static_cast<std::uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    index = free_.back();
    free_.pop_back();
  }
  Slot& slot = slots_[index];
  slot.run = std::move(run);
  slot.receiver = receiver;
  slot.bytes_hash = bytes_hash;
  slot.kind = kind;
  slot.used = true;
  return {index, slot.generation};
}

EventRef Scheduler::schedule(MonoTime when, EventKind kind, EventReceiver* receiver,
                             Callback<void()> run, std::uint64_t bytes_hash) {
  const EventRef event = park(kind, receiver, std::move(run), bytes_hash);
  push({std::max(when, now_).ns, ++sequence_, event});
  return event;
}

void Scheduler::release(std::uint32_t index) {
  Slot& slot = slots_[index];
  slot.used = false;
  slot.receiver = nullptr;
  if (++slot.generation == 0) slot.generation = 1;
  free_.push_back(index);
}

void Scheduler::cancel(EventRef event) {
  if (!alive(event)) return;
  // What the callback holds may cancel or schedule others when it is destroyed: the slot is free,
  // and the pool may move, before that happens.
  const Callback<void()> dropped = std::move(slots_[event.slot].run);
  release(event.slot);
  if (++stale_keys_ > kSweepFrom && stale_keys_ > heap_.size() / 2) sweep();
}

void Scheduler::cancel_all(const EventReceiver* receiver) {
  STATOR_ASSERT(receiver != nullptr);
  for (std::uint32_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].used && slots_[i].receiver == receiver) cancel({i, slots_[i].generation});
  }
}

std::size_t Scheduler::pending(const EventReceiver* receiver, EventKind kind) const {
  return static_cast<std::size_t>(std::ranges::count_if(slots_, [&](const Slot& slot) {
    return slot.used && slot.receiver == receiver && slot.kind == kind;
  }));
}

bool Scheduler::run(EventRef event) {
  if (!alive(event)) return false;
  Slot& slot = slots_[event.slot];
  Callback<void()> task = std::move(slot.run);
  trace_.record(now_, slot.kind,
                slot.receiver == nullptr ? Trace::kNoHost : slot.receiver->trace_host,
                slot.bytes_hash);
  release(event.slot);
  task();
  return true;
}

bool Scheduler::step() {
  while (!heap_.empty()) {
    const Key next = heap_.front();
    pop();
    if (!alive(next.event)) {
      if (stale_keys_ > 0) --stale_keys_;
      continue;
    }
    now_ = {next.when};
    EventReceiver* receiver = slots_[next.event.slot].receiver;
    if (receiver == nullptr) {
      run(next.event);
    } else {
      receiver->receive(next.event);
    }
    return true;
  }
  return false;
}

void Scheduler::run_until(MonoTime end) {
  while (!heap_.empty()) {
    if (!alive(heap_.front().event)) {
      pop();
      if (stale_keys_ > 0) --stale_keys_;
      continue;
    }
    if (heap_.front().when > end.ns) break;
    step();
  }
  now_ = std::max(now_, end);
}

void Scheduler::push(Key key) {
  std::size_t at = heap_.size();
  heap_.push_back(key);
  while (at > 0) {
    const std::size_t parent = (at - 1) / kArity;
    if (!key.before(heap_[parent])) break;
    heap_[at] = heap_[parent];
    at = parent;
  }
  heap_[at] = key;
}

void Scheduler::pop() {
  heap_.front() = heap_.back();
  heap_.pop_back();
  if (!heap_.empty()) sift_down(0);
}

void Scheduler::sift_down(std::size_t at) {
  const Key key = heap_[at];
  for (;;) {
    const std::size_t first = at * kArity + 1;
    if (first >= heap_.size()) break;
    std::size_t least = first;
    const std::size_t last = std::min(first + kArity, heap_.size());
    for (std::size_t child = first + 1; child < last; ++child) {
      if (heap_[child].before(heap_[least])) least = child;
    }
    if (!heap_[least].before(key)) break;
    heap_[at] = heap_[least];
    at = least;
  }
  heap_[at] = key;
}

void Scheduler::sweep() {
  std::erase_if(heap_, [this](const Key& key) { return !alive(key.event); });
  stale_keys_ = 0;
  if (heap_.size() < 2) return;
  for (std::size_t i = (heap_.size() - 2) / kArity + 1; i-- > 0;) sift_down(i);
}

}  // namespace stator::sim

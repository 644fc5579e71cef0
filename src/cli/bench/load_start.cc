#include <algorithm>

#include "cli/bench/load.h"

// How operations start: one after the other in a closed loop, by the schedule in an open one.

namespace stator::bench {

bool Load::wants_more() const {
  if (phase_ == Phase::kFilling) return next_fill_ < options_.keys;
  if (stopped_) return false;
  if (options_.duration.ns > 0 && now_ >= end_at_) return false;
  return options_.operations == 0 || counted_ < options_.operations;
}

void Load::issue_all() {
  for (std::uint32_t i = 0; i < options_.depth; ++i) {
    for (std::uint32_t client = 0; client < options_.clients; ++client) issue(client);
  }
}

void Load::issue(std::uint32_t client) {
  if (!wants_more()) return;
  // Before anything is drawn, so that no key of the filling is left out.
  if (!fleet_.client_up(client)) {
    ++parked_[client];
    return;
  }
  const bool filling = phase_ == Phase::kFilling;
  Operation operation = filling ? workload_.fill(next_fill_) : workload_.next();
  Lane* lane = fleet_.of_client(client, fleet_.group_of(requests_.key(operation.key)));
  if (lane == nullptr) {
    ++parked_[client];
    return;
  }
  if (filling) ++next_fill_;
  operation.client = client;
  operation.begun = now_;
  operation.counted = !filling && now_ >= count_from_;
  send(*lane, operation);
}

// Sends what is due, and comes again when more will be. What cannot leave yet keeps the time at
// which it was meant to.
void Load::pump() {
  now_ = clock_.now();
  bool stuck = !send_held();
  while (!stuck && next_ < limit_ && schedule_.at(next_) <= now_) {
    Operation operation = workload_.next();
    operation.begun = schedule_.at(next_++);
    operation.counted = operation.begun >= count_from_;
    const std::size_t group = fleet_.group_of(requests_.key(operation.key));
    if (Lane* lane = held_[group].empty() ? fleet_.with_room(group) : nullptr; lane != nullptr) {
      send(*lane, operation);
      continue;
    }
    held_[group].push_back(operation);
    ++held_count_;
    // One group: nothing behind this can leave either, and the schedule remembers it.
    stuck = fleet_.groups() == 1 || held_count_ >= kHeldMax;
  }
  if (next_ >= limit_ || waking_ || stuck) return;
  waking_ = true;
  clock_.wake_after(schedule_.at(next_) - now_, [this] {
    waking_ = false;
    if (phase_ == Phase::kRunning) pump();
  });
}

// False when nothing more may be drawn before some of it has left.
bool Load::send_held() {
  if (held_count_ == 0) return true;
  for (std::size_t group = 0; group < held_.size(); ++group) {
    while (!held_[group].empty()) {
      Lane* lane = fleet_.with_room(group);
      if (lane == nullptr) break;
      const Operation operation = held_[group].front();
      held_[group].pop_front();
      --held_count_;
      send(*lane, operation);
    }
  }
  return held_count_ == 0 || (fleet_.groups() > 1 && held_count_ < kHeldMax);
}

// Due, and not sent: they count, or the worst of an overload would be missing from the result.
void Load::drop_backlog() {
  for (auto& group : held_) {
    for (const Operation& operation : group) {
      if (operation.counted) ++result_.tally.not_sent;
    }
    group.clear();
  }
  held_count_ = 0;
  for (; next_ < limit_; ++next_) {
    if (schedule_.at(next_) >= count_from_) ++result_.tally.not_sent;
  }
}

void Load::send(Lane& lane, Operation operation) {
  operation.sent = now_;
  if (operation.counted) {
    ++counted_;
    if (open_loop()) {
      const Duration late = operation.sent - operation.begun;
      result_.tally.lag.record(static_cast<std::uint64_t>(std::max<std::int64_t>(late.ns, 0)));
    }
  }
  if (check_ && operation.kind == OpKind::kGet) operation.floor = check_->begin_read(operation.key);
  if (check_ && operation.kind == OpKind::kSet) {
    const StaleCheck::Write write = check_->begin_write(operation.key);
    operation.write = write.number;
    operation.floor = write.floor;
  }
  ++under_way_;
  requests_.append(lane.begin(operation), operation);
}

}  // namespace stator::bench

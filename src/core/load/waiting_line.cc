#include "core/load/waiting_line.h"

#include <algorithm>

#include "base/assert.h"

namespace stator {

bool WaitingLine::lets_pass(const Waiter& waiter, Room room) const {
  if (room == Room::kNone) return false;
  return waiter.place == Waiter::Place::kCalled || (first_ == nullptr && called_ == 0);
}

void WaitingLine::join(Waiter& waiter, MonoTime now) {
  STATOR_ASSERT(waiter.place != Waiter::Place::kInLine);
  if (waiter.place == Waiter::Place::kCalled) --called_;
  waiter.since = now;
  waiter.number = ++joined_;
  insert_behind(last_, waiter);
}

// Those who stand there came later, but for some that were called before it and found no room
// either.
void WaitingLine::keep_place(Waiter& waiter) {
  STATOR_ASSERT(waiter.place == Waiter::Place::kCalled);
  --called_;
  at_a_time_ = std::max(kCalledMin, at_a_time_ / 2);
  Waiter* ahead = nullptr;
  for (Waiter* each = first_; each != nullptr && each->number < waiter.number;
       each = each->behind) {
    ahead = each;
  }
  insert_behind(ahead, waiter);
}

void WaitingLine::pass(Waiter& waiter) {
  STATOR_ASSERT(waiter.place == Waiter::Place::kCalled);
  --called_;
  at_a_time_ = std::min(kCalledMax, at_a_time_ + 1);
  waiter.place = Waiter::Place::kOut;
}

void WaitingLine::leave(Waiter& waiter) {
  if (waiter.place == Waiter::Place::kInLine) remove(waiter);
  if (waiter.place == Waiter::Place::kCalled) --called_;
  waiter.place = Waiter::Place::kOut;
}

std::optional<WaitingLine::Call> WaitingLine::call(MonoTime now, Room room) {
  if (first_ == nullptr) return std::nullopt;
  const bool overdue = now - first_->since >= kWaitMax;
  const bool its_turn =
      overdue ? called_ < kCalledMax : room == Room::kPlenty && called_ < at_a_time_;
  if (!its_turn) return std::nullopt;
  Waiter& waiter = *first_;
  const std::size_t share = std::max<std::size_t>(kRefusalsPerWait / size_, 1);
  remove(waiter);
  waiter.place = Waiter::Place::kCalled;
  ++called_;
  return Call{.waiter = &waiter, .refusals = overdue ? share : 0};
}

void WaitingLine::insert_behind(Waiter* ahead, Waiter& waiter) {
  Waiter* behind = ahead != nullptr ? ahead->behind : first_;
  waiter.ahead = ahead;
  waiter.behind = behind;
  (ahead != nullptr ? ahead->behind : first_) = &waiter;
  (behind != nullptr ? behind->ahead : last_) = &waiter;
  waiter.place = Waiter::Place::kInLine;
  ++size_;
}

void WaitingLine::remove(Waiter& waiter) {
  (waiter.ahead != nullptr ? waiter.ahead->behind : first_) = waiter.behind;
  (waiter.behind != nullptr ? waiter.behind->ahead : last_) = waiter.ahead;
  waiter.ahead = waiter.behind = nullptr;
  --size_;
}

}  // namespace stator

#include "env_sim/process.h"

#include <algorithm>
#include <utility>

#include "env_sim/disk.h"
#include "env_sim/network.h"
#include "env_sim/world.h"

namespace stator::sim {
namespace {

// Hooks that keep asking for one more round are a bug of the program, not a long turn.
constexpr int kHookRoundsMax = 10'000;

}  // namespace

Process::Process(World& world, Host& host, std::uint32_t number)
    : world_(world),
      host_(host),
      scheduler_(world.scheduler()),
      number_(number),
      random_(world.random().fork("process", (std::uint64_t{host.index()} << 32) | number)),
      network_(std::make_unique<ProcessNetwork>(world.wire(), *this)),
      disk_(std::make_unique<ProcessDisk>(host.disk(), *this)),
      env_{*this, *network_, *disk_} {
  trace_host = host.index();
}

Process::~Process() {
  STATOR_ASSERT(!alive_);
}

MonoTime Process::now() const {
  return scheduler_.now();
}

WallTime Process::wall_now() const {
  return host_.clock().wall(scheduler_.now());
}

EventRef Process::schedule(MonoTime when, EventKind kind, Callback<void()> run,
                           std::uint64_t bytes_hash) {
  if (!alive_) return {};
  return scheduler_.schedule(when, kind, this, std::move(run), bytes_hash);
}

void Process::post(Callback<void()> task) {
  if (!alive_) return;
  inbox_.push_back(scheduler_.park(EventKind::kTask, this, std::move(task)));
  if (!in_turn_) arrange_wake();
}

void Process::post_to(unsigned shard, Callback<void()> task) {
  STATOR_ASSERT(shard == 0);
  post(std::move(task));
}

env::TimerId Process::after(Duration delay, Callback<void()> task) {
  return {schedule(now() + delay, EventKind::kTimer, std::move(task)).packed()};
}

void Process::cancel(env::TimerId timer) {
  scheduler_.cancel(EventRef::unpack(timer.value));
}

void Process::at_turn_end(Callback<bool()> hook) {
  if (!alive_) return;
  hooks_.push_back(std::move(hook));
  request_turn();
}

void Process::run_blocking(unsigned lane, Callback<void()> job, Callback<void()> done) {
  STATOR_ASSERT(lane < kLanes);
  if (!alive_) return;
  job();
  const MonoTime end = std::max(lane_free_[lane], now()) + host_.blocking_delay();
  lane_free_[lane] = end;
  schedule(end, EventKind::kBlocking, std::move(done));
}

void Process::receive(EventRef event) {
  STATOR_ASSERT(!in_turn_);
  if (!paused_ && inbox_.empty() && free_at_ <= now()) {
    turn(event);
    return;
  }
  inbox_.push_back(event);
  arrange_wake();
}

void Process::resume() {
  paused_ = false;
  if (!inbox_.empty()) arrange_wake();
}

void Process::arrange_wake() {
  if (wake_ || paused_ || !alive_) return;
  // Of no receiver: it must not wait in the inbox itself.
  wake_ = scheduler_.schedule(free_at_, EventKind::kWorld, nullptr, [this] { wake(); });
}

void Process::wake() {
  wake_ = {};
  if (paused_) return;
  if (free_at_ > now()) {
    arrange_wake();
  } else {
    take_inbox();
  }
}

void Process::turn(EventRef event) {
  in_turn_ = true;
  scheduler_.run(event);
  finish_turn(1);
}

void Process::take_inbox() {
  in_turn_ = true;
  const std::size_t count = std::min(inbox_.size(), host_.cpu().tasks_per_turn_max);
  const auto end = inbox_.begin() + static_cast<std::ptrdiff_t>(count);
  taken_.assign(inbox_.begin(), end);
  inbox_.erase(inbox_.begin(), end);
  for (const EventRef event : taken_) scheduler_.run(event);
  finish_turn(count);
}

void Process::finish_turn(std::size_t tasks) {
  bool again = true;
  for (int round = 0; again; ++round) {
    STATOR_ASSERT(round < kHookRoundsMax);
    again = false;
    for (std::size_t i = 0; i < hooks_.size(); ++i) again = hooks_[i]() || again;
  }
  network_->flush();
  const CpuCost& cpu = host_.cpu();
  const Duration work = cpu.turn + cpu.task * static_cast<std::int64_t>(tasks);
  free_at_ = now() + work * host_.slowness() + blocked_;
  blocked_ = {};
  in_turn_ = false;
  if (!inbox_.empty()) arrange_wake();
}

void Process::die() {
  STATOR_ASSERT(!in_turn_);
  if (!alive_) return;
  alive_ = false;
  scheduler_.cancel(wake_);
  // First what merely points at the program, then the program: a callback holds borrowed pointers
  // into it, not the other way round.
  scheduler_.cancel_all(this);
  inbox_.clear();
  network_->abandon();
  program_.reset();
  hooks_.clear();
}

}  // namespace stator::sim

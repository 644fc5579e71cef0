#include "env_sim/shard_loop.h"

#include <algorithm>
#include <utility>

#include "env_sim/disk.h"
#include "env_sim/network.h"
#include "env_sim/process.h"
#include "env_sim/world.h"

namespace stator::sim {
namespace {

// Hooks that keep asking for one more round are a bug of the program, not a long turn.
constexpr int kHookRoundsMax = 10'000;

Random random_of(Process& process, unsigned shard) {
  const std::uint64_t run = (std::uint64_t{process.host().index()} << 32) | process.number();
  const Random random = process.world().chance().fork("process", run);
  return shard == 0 ? random : random.fork("shard", shard);
}

}  // namespace

ShardLoop::ShardLoop(Process& process, unsigned shard, unsigned shard_count)
    : process_(process),
      world_(process.world()),
      host_(process.host()),
      scheduler_(world_.scheduler()),
      shard_(shard),
      random_(random_of(process, shard)),
      post_random_(random_.fork("post")),
      network_(std::make_unique<ShardNetwork>(world_.wire(), *this)),
      disk_(std::make_unique<ShardDisk>(host_.disk(), *this)),
      buggify_(world_.buggify(), random_.fork("buggify")),
      env_{*this, *network_, *disk_, &buggify_},
      posted_until_(shard_count) {
  trace_host = host_.index();
}

ShardLoop::~ShardLoop() = default;

bool ShardLoop::alive() const {
  return process_.alive();
}

bool ShardLoop::paused() const {
  return process_.paused();
}

MonoTime ShardLoop::now() const {
  return scheduler_.now();
}

WallTime ShardLoop::wall_now() const {
  return host_.clock().wall(scheduler_.now());
}

EventRef ShardLoop::schedule(MonoTime when, EventKind kind, Callback<void()> run,
                             std::uint64_t bytes_hash) {
  if (!alive()) return {};
  return scheduler_.schedule(when, kind, this, std::move(run), bytes_hash);
}

std::uint64_t ShardLoop::random() {
  process_.check_caller(*this);
  return random_.next();
}

void ShardLoop::post(Callback<void()> task) {
  process_.check_caller(*this);
  if (!alive()) return;
  inbox_.push_back(scheduler_.park(EventKind::kTask, this, std::move(task)));
  if (!in_turn_) arrange_wake();
}

void ShardLoop::post_to(unsigned shard, Callback<void()> task) {
  if (shard == shard_) {
    post(std::move(task));
    return;
  }
  process_.check_caller(*this);
  STATOR_ASSERT(shard < shard_count());
  MonoTime& arrives = posted_until_[shard];
  arrives = std::max(arrives, now() + post_delay());
  process_.loop(shard).schedule(arrives, EventKind::kShard, std::move(task), shard);
}

Duration ShardLoop::post_delay() {
  const CpuCost& cpu = host_.cpu();
  Duration delay = cpu.post_min + post_random_.exponential(cpu.post_mean);
  if (post_random_.chance(cpu.post_tail)) {
    delay = delay + post_random_.exponential(cpu.post_tail_mean);
  }
  return delay * host_.slowness();
}

env::TimerId ShardLoop::after(Duration delay, Callback<void()> task) {
  process_.check_caller(*this);
  return {schedule(now() + delay, EventKind::kTimer, std::move(task)).packed()};
}

void ShardLoop::cancel(env::TimerId timer) {
  process_.check_caller(*this);
  scheduler_.cancel(EventRef::unpack(timer.value));
}

void ShardLoop::at_turn_end(Callback<bool()> hook) {
  process_.check_caller(*this);
  if (!alive()) return;
  hooks_.push_back(std::move(hook));
  request_turn();
}

void ShardLoop::run_blocking(unsigned lane, Callback<void()> job, Callback<void()> done) {
  STATOR_ASSERT(lane < kLanes);
  process_.check_caller(*this);
  if (!alive()) return;
  job();
  const MonoTime end = std::max(lane_free_[lane], now()) + host_.blocking_delay();
  lane_free_[lane] = end;
  schedule(end, EventKind::kBlocking, std::move(done));
}

void ShardLoop::receive(EventRef event) {
  STATOR_ASSERT(!in_turn_);
  if (!paused() && inbox_.empty() && free_at_ <= now()) {
    turn(event);
    return;
  }
  inbox_.push_back(event);
  arrange_wake();
}

void ShardLoop::resume() {
  if (!inbox_.empty()) arrange_wake();
}

void ShardLoop::arrange_wake() {
  if (wake_ || paused() || !alive()) return;
  // Of no receiver: it must not wait in the inbox itself.
  wake_ = scheduler_.schedule(free_at_, EventKind::kWorld, nullptr, [this] { wake(); });
}

void ShardLoop::wake() {
  wake_ = {};
  if (paused()) return;
  if (free_at_ > now()) {
    arrange_wake();
  } else {
    take_inbox();
  }
}

void ShardLoop::begin_turn() {
  in_turn_ = true;
  process_.set_running(this);
}

void ShardLoop::turn(EventRef event) {
  begin_turn();
  scheduler_.run(event);
  finish_turn(1);
}

void ShardLoop::take_inbox() {
  begin_turn();
  const std::size_t count = std::min(inbox_.size(), host_.cpu().tasks_per_turn_max);
  const auto end = inbox_.begin() + static_cast<std::ptrdiff_t>(count);
  taken_.assign(inbox_.begin(), end);
  inbox_.erase(inbox_.begin(), end);
  for (const EventRef event : taken_) scheduler_.run(event);
  finish_turn(count);
}

void ShardLoop::finish_turn(std::size_t tasks) {
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
  process_.set_running(nullptr);
  if (!inbox_.empty()) arrange_wake();
}

void ShardLoop::drop_events() {
  scheduler_.cancel(wake_);
  scheduler_.cancel_all(this);
  inbox_.clear();
}

}  // namespace stator::sim

#pragma once

#include <array>
#include <deque>
#include <memory>
#include <vector>

#include "env/env.h"
#include "env_sim/buggify.h"
#include "env_sim/random.h"
#include "env_sim/scheduler.h"

namespace stator::sim {

class Host;
class World;
class Process;
class ShardDisk;
class ShardNetwork;

/// One shard of a simulated process: the env of its part of the program. Events of the world become
/// turns of its loop (env/executor.h). While the loop is busy (virtual time that a turn costs,
/// CpuCost) or the process is paused, events wait in the inbox in order of arrival.
class ShardLoop final : public env::Executor, public EventReceiver {
 public:
  ShardLoop(Process& process, unsigned shard, unsigned shard_count);
  ~ShardLoop() override;
  ShardLoop(const ShardLoop&) = delete;
  ShardLoop& operator=(const ShardLoop&) = delete;

  // env::Executor
  [[nodiscard]] MonoTime now() const override;
  [[nodiscard]] WallTime wall_now() const override;
  std::uint64_t random() override;
  void post(Callback<void()> task) override;
  env::TimerId after(Duration delay, Callback<void()> task) override;
  void cancel(env::TimerId timer) override;
  void at_turn_end(Callback<bool()> hook) override;
  void run_blocking(unsigned lane, Callback<void()> job, Callback<void()> done) override;
  [[nodiscard]] unsigned shard() const override { return shard_; }
  [[nodiscard]] unsigned shard_count() const override {
    return static_cast<unsigned>(posted_until_.size());
  }
  void post_to(unsigned shard, Callback<void()> task) override;

  void receive(EventRef event) override;

  [[nodiscard]] env::Env& env() { return env_; }
  [[nodiscard]] World& world() { return world_; }
  [[nodiscard]] Scheduler& scheduler() { return scheduler_; }
  [[nodiscard]] Process& process() { return process_; }
  [[nodiscard]] Host& host() { return host_; }
  [[nodiscard]] ShardNetwork& network() { return *network_; }
  [[nodiscard]] bool alive() const;
  [[nodiscard]] bool paused() const;
  /// Something was done outside of a turn (a test, the harness) that a turn's end must finish.
  void request_turn() {
    if (!in_turn_) arrange_wake();
  }
  /// The loop stands still for so long: a blocking call of this turn.
  void block(Duration time) { blocked_ = blocked_ + time; }
  /// Schedules an event of this loop; refused (and `run` dropped) once its process is dead. From
  /// anywhere, as it is how things arrive.
  EventRef schedule(MonoTime when, EventKind kind, Callback<void()> run,
                    std::uint64_t bytes_hash = 0);

  // For whoever looks from outside, between the events of the world.
  /// All that was due has run: it neither stands still nor is behind.
  [[nodiscard]] bool caught_up() const { return !paused() && inbox_.empty() && free_at_ <= now(); }
  /// That are set.
  [[nodiscard]] std::size_t timers() const { return scheduler_.pending(this, EventKind::kTimer); }

  // For its process.
  void resume();
  void drop_events();
  void drop_hooks() { hooks_.clear(); }

 private:
  void turn(EventRef event);
  void begin_turn();
  void finish_turn(std::size_t tasks);
  void take_inbox();
  void arrange_wake();
  void wake();
  [[nodiscard]] Duration post_delay();

  Process& process_;
  World& world_;
  Host& host_;
  Scheduler& scheduler_;
  unsigned shard_;
  Random random_;
  Random post_random_;
  std::unique_ptr<ShardNetwork> network_;
  std::unique_ptr<ShardDisk> disk_;
  SimBuggify buggify_;
  env::Env env_;

  std::vector<EventRef> inbox_;
  std::vector<EventRef> taken_;         // of the turn that runs; kept for its memory
  std::deque<Callback<bool()>> hooks_;  // a hook may register another: none of them moves
  std::array<MonoTime, kLanes> lane_free_{};
  std::vector<MonoTime> posted_until_;  // by shard: when the last task for it arrives
  MonoTime free_at_{};
  Duration blocked_{};
  EventRef wake_{};
  bool in_turn_ = false;
};

}  // namespace stator::sim

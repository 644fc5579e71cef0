#pragma once

#include <array>
#include <deque>
#include <memory>
#include <vector>

#include "env/env.h"
#include "env_sim/random.h"
#include "env_sim/scheduler.h"

namespace stator::sim {

class Host;
class World;
class ProcessDisk;
class ProcessNetwork;

/// What runs in a process. Destroyed when the process ends, however it ends; nothing that it then
/// does to its env has any effect.
class Program {
 public:
  virtual ~Program() = default;
};

/// One run of one process: the env of its program. Events of the world become turns of its loop
/// (env/executor.h). While the loop is busy (virtual time that a turn costs, CpuCost) or the
/// process is paused, events wait in the inbox in order of arrival.
class Process final : public env::Executor, public EventReceiver {
 public:
  Process(World& world, Host& host, std::uint32_t number);
  ~Process() override;
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  // env::Executor
  [[nodiscard]] MonoTime now() const override;
  [[nodiscard]] WallTime wall_now() const override;
  std::uint64_t random() override { return random_.next(); }
  void post(Callback<void()> task) override;
  env::TimerId after(Duration delay, Callback<void()> task) override;
  void cancel(env::TimerId timer) override;
  void at_turn_end(Callback<bool()> hook) override;
  void run_blocking(unsigned lane, Callback<void()> job, Callback<void()> done) override;
  [[nodiscard]] unsigned shard() const override { return 0; }
  [[nodiscard]] unsigned shard_count() const override { return 1; }
  void post_to(unsigned shard, Callback<void()> task) override;

  void receive(EventRef event) override;

  [[nodiscard]] env::Env& env() { return env_; }
  [[nodiscard]] World& world() { return world_; }
  [[nodiscard]] Scheduler& scheduler() { return scheduler_; }
  [[nodiscard]] Host& host() { return host_; }
  [[nodiscard]] ProcessNetwork& network() { return *network_; }
  [[nodiscard]] Program* program() { return program_.get(); }
  void set_program(std::unique_ptr<Program> program) { program_ = std::move(program); }
  /// Which run on its host, from 1.
  [[nodiscard]] std::uint32_t number() const { return number_; }
  [[nodiscard]] bool alive() const { return alive_; }
  [[nodiscard]] bool paused() const { return paused_; }
  void pause() { paused_ = true; }
  void resume();
  /// Something was done outside of a turn (a test, the harness) that a turn's end must finish.
  void request_turn() {
    if (!in_turn_) arrange_wake();
  }
  /// The loop stands still for so long: a blocking call of this turn.
  void block(Duration time) { blocked_ = blocked_ + time; }
  /// Schedules an event of this process; refused (and `run` dropped) once it is dead.
  EventRef schedule(MonoTime when, EventKind kind, Callback<void()> run,
                    std::uint64_t bytes_hash = 0);
  /// The end: everything volatile goes, the program too; nothing of it runs. Not from within its
  /// own turn.
  void die();

 private:
  void turn(EventRef event);
  void finish_turn(std::size_t tasks);
  void take_inbox();
  void arrange_wake();
  void wake();

  World& world_;
  Host& host_;
  Scheduler& scheduler_;
  std::uint32_t number_;
  Random random_;
  std::unique_ptr<ProcessNetwork> network_;
  std::unique_ptr<ProcessDisk> disk_;
  env::Env env_;
  std::unique_ptr<Program> program_;

  std::vector<EventRef> inbox_;
  std::vector<EventRef> taken_;         // of the turn that runs; kept for its memory
  std::deque<Callback<bool()>> hooks_;  // a hook may register another: none of them moves
  std::array<MonoTime, kLanes> lane_free_{};
  MonoTime free_at_{};
  Duration blocked_{};
  EventRef wake_{};
  bool alive_ = true;
  bool paused_ = false;
  bool in_turn_ = false;
};

}  // namespace stator::sim

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/assert.h"
#include "env/env.h"
#include "env_sim/listen_table.h"
#include "env_sim/shard_loop.h"

namespace stator::sim {

class Host;
class World;

/// What runs in a process. Destroyed when the process ends, however it ends; nothing that it then
/// does to its env has any effect.
class Program {
 public:
  virtual ~Program() = default;
};

/// One run of one process: one loop per shard, and what they share. Shards are several cores under
/// the world's one scheduler: each is busy by itself, and what one posts to another arrives after a
/// drawn delay, so that how they interleave depends on the seed alone.
class Process {
 public:
  Process(World& world, Host& host, std::uint32_t number, unsigned shards);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  /// Builds the program in the first turn of shard 0. As no other shard has begun its work by then,
  /// the builder may use the env of each.
  void start(std::function<std::unique_ptr<Program>(std::span<env::Env>)> make);

  [[nodiscard]] World& world() { return world_; }
  [[nodiscard]] Host& host() { return host_; }
  /// Which run on its host, from 1.
  [[nodiscard]] std::uint32_t number() const { return number_; }
  [[nodiscard]] Program* program() { return program_.get(); }
  [[nodiscard]] bool alive() const { return alive_; }
  [[nodiscard]] bool paused() const { return paused_; }
  void pause() { paused_ = true; }
  void resume();

  [[nodiscard]] unsigned shard_count() const { return static_cast<unsigned>(loops_.size()); }
  [[nodiscard]] ShardLoop& loop(unsigned shard = 0) { return *loops_.at(shard); }
  [[nodiscard]] env::Env& env(unsigned shard = 0) { return envs_.at(shard); }
  [[nodiscard]] ListenTable& listeners() { return listeners_; }
  template <typename Action>
  void each_network(Action action) {
    for (const auto& loop : loops_) action(loop->network());
  }

  /// A loop begins or ends (nullptr) a turn.
  void set_running(ShardLoop* loop) { running_ = loop; }
  /// An env belongs to its loop: what another one calls would be a race in production, and is a bug
  /// here. Free to use for the harness between turns, for a program that is built and one that is
  /// destroyed.
  void check_caller(const ShardLoop& called) const {
    STATOR_ASSERT(running_ == nullptr || running_ == &called || building_ || !alive_);
  }
  /// The loop that runs stands still for so long.
  void block(Duration time) { (running_ != nullptr ? *running_ : *loops_.front()).block(time); }

  /// The end: everything volatile goes, the program too; nothing of it runs. Not from within its
  /// own turns.
  void die();

 private:
  World& world_;
  Host& host_;
  std::uint32_t number_;
  ListenTable listeners_;
  std::vector<std::unique_ptr<ShardLoop>> loops_;
  std::vector<env::Env> envs_;  // of each loop
  std::unique_ptr<Program> program_;
  ShardLoop* running_ = nullptr;
  bool alive_ = true;
  bool paused_ = false;
  bool building_ = false;
};

}  // namespace stator::sim

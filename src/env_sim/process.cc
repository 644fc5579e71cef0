#include "env_sim/process.h"

#include <utility>

#include "env_sim/network.h"
#include "env_sim/world.h"

namespace stator::sim {

Process::Process(World& world, Host& host, std::uint32_t number, unsigned shards)
    : world_(world), host_(host), number_(number) {
  STATOR_ASSERT(shards > 0);
  for (unsigned shard = 0; shard < shards; ++shard) {
    loops_.push_back(std::make_unique<ShardLoop>(*this, shard, shards));
    envs_.push_back(loops_.back()->env());
  }
}

Process::~Process() {
  STATOR_ASSERT(!alive_);
}

void Process::start(std::function<std::unique_ptr<Program>(std::span<env::Env>)> make) {
  // The factory does not fit into a callback; it lives until the program does, or the process ends.
  auto held = std::make_unique<decltype(make)>(std::move(make));
  loop().schedule(world_.now(), EventKind::kStart, [this, held = std::move(held)] {
    building_ = true;
    program_ = (*held)(envs_);
    building_ = false;
  });
}

void Process::resume() {
  paused_ = false;
  for (const auto& loop : loops_) loop->resume();
}

void Process::die() {
  STATOR_ASSERT(running_ == nullptr);
  if (!alive_) return;
  alive_ = false;
  // First what merely points at the program, then the program: a callback holds borrowed pointers
  // into it, not the other way round.
  for (const auto& loop : loops_) loop->drop_events();
  each_network([](ShardNetwork& network) { network.abandon(); });
  program_.reset();
  for (const auto& loop : loops_) loop->drop_hooks();
}

}  // namespace stator::sim

#include "env_real/runtime.h"

#include <pthread.h>

#include <csignal>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "env_real/loop.h"
#include "env_real/real_disk.h"
#include "env_real/tcp_network.h"

namespace stator::env {

namespace {

struct Shard {
  Shard(unsigned number, const std::vector<Loop*>& loops, ListenRegistry& registry,
        const std::vector<TcpNetwork*>& networks)
      : loop(number, loops), disk(loop), network(loop, registry, networks) {}

  Loop loop;
  RealDisk disk;
  TcpNetwork network;
  Env env{loop, network, disk};
};

}  // namespace

struct Runtime::State {
  std::vector<Loop*> loops;
  std::vector<TcpNetwork*> networks;
  ListenRegistry registry;
  std::vector<std::unique_ptr<Shard>> shards;
  std::vector<std::thread> threads;  // of shards 1 and up
  bool threads_started = false;
  bool ended = false;

  void start_threads() {
    if (std::exchange(threads_started, true)) return;
    for (unsigned i = 1; i < shards.size(); ++i) {
      threads.emplace_back([loop = loops[i], name = "shard" + std::to_string(i)] {
        pthread_setname_np(pthread_self(), name.c_str());
        loop->run();
      });
    }
  }
  void end_threads() {
    for (Loop* loop : loops) loop->stop();
    for (std::thread& thread : threads) thread.join();
    threads.clear();
  }
};

Runtime::Runtime(unsigned shards) : state_(std::make_unique<State>()) {
  STATOR_ASSERT(shards > 0);
  // A peer that is gone is an error of a send, not a reason to die; also for libraries that write.
  ::signal(SIGPIPE, SIG_IGN);
  for (unsigned i = 0; i < shards; ++i) {
    state_->shards.push_back(
        std::make_unique<Shard>(i, state_->loops, state_->registry, state_->networks));
    state_->loops.push_back(&state_->shards.back()->loop);
    state_->networks.push_back(&state_->shards.back()->network);
  }
}

Runtime::~Runtime() {
  state_->end_threads();
  // A task of one shard may own things of another; none of them runs any more.
  for (const auto& shard : state_->shards) shard->loop.stop_side_threads(SideThread::Rest::kDrop);
  for (const auto& shard : state_->shards) shard->loop.drop_tasks();
}

Env& Runtime::shard_env(unsigned shard) {
  STATOR_ASSERT(shard < state_->shards.size());
  return state_->shards[shard]->env;
}

unsigned Runtime::shard_count() const {
  return static_cast<unsigned>(state_->shards.size());
}

void Runtime::run() {
  state_->start_threads();
  state_->loops.front()->run();
  shut_down();
}

bool Runtime::run_until(Callback<bool()> done, Duration limit) {
  state_->start_threads();
  Loop& loop = *state_->loops.front();
  // The first turn does not wait: what was done between two calls shall reach the hooks.
  loop.turn({});
  const MonoTime end = loop.now() + limit;
  while (!done()) {
    if (loop.stopping() || loop.now() >= end) return false;
    loop.turn(end - loop.now());
  }
  return true;
}

bool Runtime::turn(Duration max_wait) {
  return state_->loops.front()->turn(max_wait);
}

void Runtime::stop() {
  for (Loop* loop : state_->loops) loop->stop();
}

void Runtime::shut_down() {
  if (std::exchange(state_->ended, true)) return;
  state_->end_threads();
  for (const auto& shard : state_->shards) shard->loop.stop_side_threads(SideThread::Rest::kRun);
  for (const auto& shard : state_->shards) shard->network.end_streams();
  for (const auto& shard : state_->shards) shard->loop.drop_tasks();
}

void Runtime::on_signal(Callback<void(int)> task) {
  state_->loops.front()->reactor().watch_signals(std::move(task));
}

}  // namespace stator::env

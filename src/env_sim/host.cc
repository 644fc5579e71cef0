#include "env_sim/host.h"

#include <utility>

#include "env_sim/world.h"

namespace stator::sim {
namespace {

constexpr Duration kBlockingMin = microseconds(20);
constexpr Duration kBlockingMean = microseconds(100);

}  // namespace

Host::Host(World& world, std::uint32_t index, std::string name)
    : world_(world),
      index_(index),
      name_(std::move(name)),
      random_(world.chance().fork("host", index)),
      disk_(world.chance().fork("disk", index)) {}

Host::~Host() {
  if (process_) process_->die();
}

void Host::start(MakeProgram make) {
  start(1, [make = std::move(make)](std::span<env::Env> envs) { return make(envs.front()); });
}

void Host::start(unsigned shards, MakeSharded make) {
  STATOR_ASSERT(process_ == nullptr);
  powered_ = true;
  process_ = std::make_unique<Process>(world_, *this, ++starts_, shards);
  world_.wire().host_started(index_);
  process_->start(std::move(make));
}

void Host::end_process(bool reset_connections) {
  if (process_ == nullptr) return;
  process_->die();
  world_.wire().process_ended(*process_, reset_connections);
  process_.reset();
  disk_.release_locks();
}

void Host::crash() {
  end_process(false);
  powered_ = false;
  disk_.lose_power();
}

void Host::kill() {
  end_process(true);
}

void Host::pause() {
  if (process_) process_->pause();
}

void Host::resume() {
  if (process_) process_->resume();
}

Duration Host::blocking_delay() {
  return (kBlockingMin + random_.exponential(kBlockingMean)) * slowness_;
}

}  // namespace stator::sim

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "env_sim/buggify.h"
#include "env_sim/host.h"
#include "env_sim/packet.h"
#include "env_sim/random.h"
#include "env_sim/scheduler.h"
#include "env_sim/wire.h"

namespace stator::sim {

/// A whole cluster with its clients in one thread, on virtual time, from one seed: the second of
/// the two worlds of design 4.1. Same seed, same binary: the same trace, to the byte (I19). Hosts
/// are added first; then the harness starts processes on them, schedules faults, and lets time run.
/// Nothing in it reads a real clock, iterates over an unordered container or orders by address.
class World {
 public:
  /// `variation`: other numbers let chance fall differently where no harness drew it: in the
  /// network, on the machines and in what programs ask of their env.
  explicit World(std::uint64_t seed, std::uint64_t variation = 0);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  [[nodiscard]] Scheduler& scheduler() { return scheduler_; }
  [[nodiscard]] Wire& wire() { return wire_; }
  [[nodiscard]] PacketPool& packets() { return packets_; }
  /// Fork from it; never draw.
  [[nodiscard]] const Random& random() const { return random_; }
  /// What hosts and the wire fork theirs from.
  [[nodiscard]] const Random& chance() const { return chance_; }
  [[nodiscard]] BuggifyPlan& buggify() { return buggify_; }
  [[nodiscard]] Trace& trace() { return scheduler_.trace(); }
  [[nodiscard]] MonoTime now() const { return scheduler_.now(); }

  /// Its address is its name; any port.
  Host& add_host(const std::string& name);
  [[nodiscard]] std::size_t hosts() const { return hosts_.size(); }
  [[nodiscard]] Host& host(std::size_t index) { return *hosts_.at(index); }

  /// A thing that the harness does: runs outside every process.
  EventRef at(MonoTime when, Callback<void()> action) {
    return scheduler_.schedule(when, EventKind::kWorld, nullptr, std::move(action));
  }
  EventRef after(Duration delay, Callback<void()> action) {
    return at(now() + delay, std::move(action));
  }
  void note(std::string_view text) { trace().note(now(), Trace::kNoHost, text); }
  void run_until(MonoTime end) { scheduler_.run_until(end); }
  void run_for(Duration time) { scheduler_.run_until(now() + time); }

 private:
  PacketPool
      packets_;  // first: events still under way give theirs back when the queue is destroyed
  Scheduler scheduler_;
  Random random_;
  Random chance_;
  BuggifyPlan buggify_;
  Wire wire_;
  std::vector<std::unique_ptr<Host>> hosts_;
};

}  // namespace stator::sim

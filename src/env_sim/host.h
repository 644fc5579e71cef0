#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>

#include "env_sim/disk_image.h"
#include "env_sim/faults.h"
#include "env_sim/process.h"

namespace stator::sim {

/// A machine's wall clock: virtual time plus whatever is wrong with it.
class HostClock {
 public:
  [[nodiscard]] WallTime wall(MonoTime now) const {
    const std::int64_t drifted = (now - drift_since_).ns / 1'000'000 * drift_ppm_ / 1'000;
    return {kEpochUs + now.ns / 1'000 + offset_us_ + drifted};
  }
  void jump(Duration by) { offset_us_ += by.us(); }
  void drift(MonoTime now, std::int64_t ppm) {
    offset_us_ += wall(now).us - (kEpochUs + now.ns / 1'000 + offset_us_);
    drift_since_ = now;
    drift_ppm_ = ppm;
  }
  /// Shows the same time from now on.
  void freeze(MonoTime now) { drift(now, -1'000'000); }
  void set_right() { *this = HostClock(); }

  /// Where every run begins: 2026-01-01T00:00:00Z.
  static constexpr std::int64_t kEpochUs = 1'767'225'600'000'000;

 private:
  std::int64_t offset_us_ = 0;
  std::int64_t drift_ppm_ = 0;
  MonoTime drift_since_{};
};

/// One machine: a name that is its address, a disk, a clock, and at most one running process. What
/// a process left on the disk is there for the next one; how much of it depends on how it ended.
class Host {
 public:
  using MakeProgram = std::function<std::unique_ptr<Program>(env::Env&)>;
  using MakeSharded = std::function<std::unique_ptr<Program>(std::span<env::Env>)>;

  Host(World& world, std::uint32_t index, std::string name);
  ~Host();
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  [[nodiscard]] std::uint32_t index() const { return index_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] DiskImage& disk() { return disk_; }
  [[nodiscard]] HostClock& clock() { return clock_; }
  [[nodiscard]] CpuCost& cpu() { return cpu_; }

  /// A new process begins: `make` builds its program in the first turn (so it may be killed before,
  /// or between any two turns of its start). None may be running.
  void start(MakeProgram make);
  /// The same with several shards; the program gets the env of each, which all live as long as the
  /// process.
  void start(unsigned shards, MakeSharded make);
  /// Loss of power: what was not synced is lost or torn, peers hear nothing.
  void crash();
  /// kill -9: files keep everything that was written, peers' connections are reset.
  void kill();
  /// SIGSTOP and SIGCONT: connections stay, answers do not come, timers are late.
  void pause();
  void resume();
  [[nodiscard]] bool running() const { return process_ != nullptr; }
  [[nodiscard]] bool paused() const { return process_ != nullptr && process_->paused(); }
  /// After crash() until the next start() the machine is off and does not even refuse.
  [[nodiscard]] bool powered() const { return powered_; }
  [[nodiscard]] Process* process() { return process_.get(); }

  /// Everything that is computed takes so many times longer.
  void set_slowness(std::int64_t factor) { slowness_ = factor; }
  [[nodiscard]] std::int64_t slowness() const { return slowness_; }
  [[nodiscard]] Duration blocking_delay();

 private:
  void end_process(bool reset_connections);

  World& world_;
  std::uint32_t index_;
  std::string name_;
  Random random_;
  DiskImage disk_;
  HostClock clock_;
  CpuCost cpu_;
  std::int64_t slowness_ = 1;
  std::uint32_t starts_ = 0;
  bool powered_ = true;
  std::unique_ptr<Process> process_;
};

}  // namespace stator::sim

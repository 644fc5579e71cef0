#include "sim/reach_watch.h"

#include <utility>

namespace stator::sim {
namespace {

// Far less than any patience that a node may have with others.
constexpr Duration kDelayMost = milliseconds(1);

}  // namespace

Reach::State state_of_path(bool cut, const NetworkFaults& faults) {
  if (cut) return Reach::State::kAway;
  const NetworkFaults usual;
  const bool all_arrives = !faults.frames_suffer() && faults.replay <= 0 && faults.reset <= 0 &&
                           faults.bytes_per_second == 0;
  const bool seldom_late =
      faults.tail <= 0 || (faults.tail <= usual.tail && faults.tail_mean <= usual.tail_mean);
  const bool soon = faults.delay_min <= kDelayMost && faults.delay_mean <= kDelayMost;
  return all_arrives && seldom_late && soon ? Reach::State::kWell : Reach::State::kIll;
}

bool is_quick(const DiskFaults& faults) {
  const DiskFaults usual;
  return faults.call_cost <= usual.call_cost && faults.sync_min <= usual.sync_min &&
         faults.sync_mean <= usual.sync_mean && faults.sync_tail <= usual.sync_tail &&
         faults.sync_tail_mean <= usual.sync_tail_mean;
}

ReachWatch::ReachWatch(World& world, Options options)
    : world_(world),
      options_(std::move(options)),
      reach_(options_.nodes),
      refusals_(options_.spare),
      disks_(options_.nodes) {}

Reach::State ReachWatch::look_at(std::uint32_t node) {
  Host& host = world_.host(node);
  Process* const process = host.process();
  // What failed it stays with a process, and may have met it at its start, before this look.
  Disk& disk = disks_[node];
  const bool fails = host.disk().may_fail();
  const bool failed = std::exchange(disk.fails, fails) || fails;
  if (failed && process != nullptr) disk.failed_under = process->number();
  if (process == nullptr || process->program() == nullptr) return Reach::State::kAway;
  const bool well = options_.serves(*process->program()) && !host.paused() &&
                    host.slowness() == 1 && disk.failed_under != process->number() &&
                    is_quick(host.disk().faults);
  return well ? Reach::State::kWell : Reach::State::kIll;
}

void ReachWatch::look() {
  const MonoTime now = world_.now();
  Wire& wire = world_.wire();
  // Rare ways of the program are no faults, but what one does not send another takes for silence.
  const bool unclear = given_up_ || world_.buggify().on;
  for (std::uint32_t node = 0; node < options_.nodes; ++node) {
    const Reach::State state = look_at(node);
    const Process* const process = world_.host(node).process();
    reach_.see_node(node, unclear ? Reach::State::kIll : state,
                    process == nullptr ? 0 : process->number(), now);
    for (std::uint32_t to = 0; to < options_.nodes; ++to) {
      if (to == node) continue;
      reach_.see_path(node, to, state_of_path(wire.is_cut(node, to), wire.faults(node, to)),
                      wire.resets(node, to), now);
    }
  }
}

void ReachWatch::on_answered(const AnsweredWrite& write) {
  look();
  refusals_.judge(write, reach_);
}

}  // namespace stator::sim

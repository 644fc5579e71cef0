#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "env_sim/partition.h"
#include "env_sim/world.h"
#include "sim/faults.h"
#include "sim/schedule.h"

namespace stator::sim {

struct FaultCounters {
  std::uint64_t crashes = 0;
  std::uint64_t kills = 0;
  std::uint64_t restarts = 0;
  std::uint64_t pauses = 0;
  std::uint64_t cuts = 0;
  std::uint64_t resets = 0;
  std::uint64_t slow = 0;
  std::uint64_t clock_changes = 0;
  std::uint64_t disk_faults = 0;  // failed syncs and calls, full, rotten, wiped
  std::uint64_t very_long = 0;    // cuts and pauses of many minutes
};

/// What the adversary cannot do by itself, since programs are the harness's. All are called between
/// the events of the world.
struct NodeControl {
  std::function<void(std::uint32_t)> start;  // a node that does not run
  std::function<void(std::uint32_t)> stop;   // asks it to end, as SIGTERM does
  /// On a host where nothing runs and the disk is a copy of the second one's: under the name of
  /// that one, which may go on beside it (D3). Empty: is not done.
  std::function<void(std::uint32_t, std::uint32_t)> start_copy{};
  /// That is over, and both have been started anew, each as itself.
  std::function<void(std::uint32_t, std::uint32_t)> copy_ended{};
  /// Some of the records that a node has stored rot. Empty: is not done.
  std::function<void(std::uint32_t, Random)> spoil{};
};

/// Breaks things, from start() to heal(): each family in its own rhythm, each fault for its own
/// time. Strikes are numbered in the order of time, and what each does is drawn from a stream of
/// its own, so that those that a schedule leaves out change nothing for the others. Nodes are the
/// first hosts of the world.
class Adversary {
 public:
  struct Options {
    FaultSet families = 0;
    FaultMenu menu{};
    NumberSet strikes = NumberSet::all();
    Random random{0};
    /// Is told when anything has begun or ended, each time, before anything else happens.
    std::function<void()> struck{};
  };
  Adversary(World& world, std::vector<std::uint32_t> nodes, std::vector<std::uint32_t> clients,
            Options options, NodeControl control);

  /// `until` is when it would end by itself: how long faults last is drawn in proportion.
  void start(MonoTime until);
  /// Ends every fault and starts every node that is down.
  void heal();
  /// Of these nodes alone, and between them and all clients, until heal(): each other one is cut
  /// off from everybody, killed, or without power, as the families of this run allow. Nothing
  /// strikes any more.
  void heal_core(std::span<const std::uint32_t> core);
  [[nodiscard]] const FaultCounters& counters() const { return counters_; }
  /// Strikes so far, those too that were left out.
  [[nodiscard]] std::uint64_t numbered() const { return next_strike_; }
  /// The numbers of those that took place.
  [[nodiscard]] const std::vector<std::uint64_t>& strikes() const { return strikes_; }
  /// When a node first lost its disk, or some of what stood there.
  [[nodiscard]] MonoTime disk_lost_at() const { return disk_lost_at_; }
  /// So many places on the disk of `node` are spoilt, so that it may rightly refuse to start (D30).
  [[nodiscard]] unsigned spoilt(std::uint32_t node) const { return node == loser_ ? spoilt_ : 0; }
  /// The disk of `node` is a copy of another node's, on which it must not run (D3).
  [[nodiscard]] bool has_clone(std::uint32_t node) const { return node == loser_ && cloned_; }
  /// What an operator does about it: `node`, which does not run, gets an empty disk.
  void replace_disk(std::uint32_t node);

 private:
  using Strike = void (Adversary::*)();
  struct Rhythm {
    FaultFamily family;
    Strike strike;
    Duration shortest;  // mean time between two strikes lies between these
    Duration longest;
  };
  struct Flap;
  struct Beat;
  void begin_rhythm(const Rhythm& rhythm);
  void beat(std::unique_ptr<Beat> next);
  void make_strike(const Rhythm& rhythm);
  [[nodiscard]] bool drawn(FaultFamily family, unsigned kind) const {
    return options_.menu.allows(family, kind);
  }

  void set_messages();
  void break_links();
  void set_streams();
  void cut_nodes();
  void cut_one_by_one();
  void flap(std::unique_ptr<Flap> cut);
  void cut_doors();
  void apply(const Cuts& cuts, bool cut);
  void crash();
  void kill();
  void take_down(std::uint32_t node, bool power);
  void restart();
  void restart_one(std::uint32_t node, Duration patience);
  void pause();
  void pause_one(std::uint32_t node);
  void slow_disk();
  void slow_cpu();
  void disturb_clock();
  /// Whose disk fails it from now on.
  std::uint32_t any_node_to_harm();
  void fail_syncs();
  void fail_calls();
  void fill_disk();
  [[nodiscard]] bool rots_records() const;
  void rot();
  void wipe();
  void clone_disk();
  void run_copy(std::uint32_t original);
  void end_copy(std::uint32_t original);
  void tell() {
    if (options_.struck) options_.struck();
  }
  void note_loss() { disk_lost_at_ = std::min(disk_lost_at_, world_.now()); }
  /// The disk of `node` gets these faults for a while.
  void harm_disk(std::uint32_t node, const DiskFaults& faults, const char* what);
  void cure_later(std::uint32_t node);
  void start_if_down(std::uint32_t node);
  void mend(std::uint32_t node);
  [[nodiscard]] FaultFamily draw_exile(Random& random) const;
  void set_apart(std::span<const std::uint32_t> cut_off);
  [[nodiscard]] Duration draw_time(Duration shortest, Duration longest);
  [[nodiscard]] Duration share_of_rest(Duration shortest, int part);
  [[nodiscard]] Duration draw_very_long(const char* what, Duration most);
  [[nodiscard]] std::uint32_t any_node() { return nodes_[random_.below(nodes_.size())]; }
  /// Later, unless all was healed before.
  template <typename Action>
  void later(Duration delay, Action action);

  World& world_;
  std::vector<std::uint32_t> nodes_;
  std::vector<std::uint32_t> clients_;
  Options options_;
  NodeControl control_;
  Random random_{0};  // of the strike that is made
  FaultCounters counters_;
  std::uint64_t next_strike_ = 0;
  std::vector<std::uint64_t> strikes_;
  std::vector<std::uint32_t> stopping_;  // nodes that were asked to end
  std::vector<std::uint32_t> harmed_;    // nodes whose disk failed them: healed by a new start
  std::vector<std::uint32_t> doubled_;   // a copy and its original: the same
  MonoTime until_{};
  bool active_ = false;
  // One node loses what it stored, be it again and again: two may take along what W = 2 have
  // acknowledged (P1).
  std::uint32_t loser_;
  MonoTime disk_lost_at_{INT64_MAX};
  unsigned spoilt_ = 0;        // places of what stands there
  unsigned image_spoilt_ = 0;  // and of what is kept of it
  bool image_cloned_ = false;  // and whether it is the copy of another node's
  bool cloned_ = false;
  MonoTime very_long_until_{};
};

}  // namespace stator::sim

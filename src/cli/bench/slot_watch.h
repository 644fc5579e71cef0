#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/bench/lane.h"
#include "cli/bench/slot_map.h"
#include "env/env.h"

namespace stator::bench {

class SlotWatchEvents {
 public:
  virtual ~SlotWatchEvents() = default;
  /// For the first time, and whenever it has changed.
  virtual void on_slots(const SlotMap& map) = 0;
  /// There is none: no node could be reached (kClosed), or a node has none to tell. Not again after
  /// the first on_slots.
  virtual void on_no_slots(const Error& error) = 0;
};

/// Asks a node who is published for each slot, at the start and every second after that, on a
/// connection of its own; another node when that one is gone. On the loop; lives until it has
/// ended.
class SlotWatch final : private LaneEvents {
 public:
  SlotWatch(env::Env& env, SlotWatchEvents& events, std::vector<env::Address> seeds);
  void start();
  void stop();

 private:
  static constexpr Duration kInterval = seconds(1);
  static constexpr Duration kPatience = seconds(3);

  void on_lane_up(Lane& lane) override;
  void on_lane_down(Lane&) override {}
  void on_dial_failed(Lane& lane, const Error& error) override;
  void on_input(Lane&) override {}
  void on_reply(Lane& lane, const Operation& operation, std::string_view reply) override;
  void on_input_end(Lane&) override {}
  void on_lost(Lane&, const Operation&, Failure) override {}
  void ask();
  void tick();

  env::Env& env_;
  SlotWatchEvents& events_;
  std::vector<env::Address> seeds_;
  Lane lane_;
  std::size_t dials_failed_ = 0;
  std::string last_;  // answer, to see whether it has changed
  bool stopped_ = false;
};

}  // namespace stator::bench

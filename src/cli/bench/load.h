#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "base/callback.h"
#include "cli/bench/clock.h"
#include "cli/bench/fleet.h"
#include "cli/bench/histogram.h"
#include "cli/bench/requests.h"
#include "cli/bench/schedule.h"
#include "cli/bench/slot_watch.h"
#include "cli/bench/stale_check.h"
#include "cli/bench/tally.h"
#include "cli/bench/workload.h"
#include "env/env.h"

namespace stator::bench {

/// What a run shall do. Checked by who makes it (the command).
struct LoadOptions {
  std::vector<env::Address> nodes;  // at least one
  bool cluster = false;             // send each key to the node that CLUSTER SLOTS publishes
  std::uint32_t clients = 50;
  std::uint32_t depth = 1;  // operations under way on one connection
  Mix mix;
  std::uint64_t keys = 100'000;
  double theta = 0;
  std::string prefix = "bench:";
  ValueSizes sizes;
  double rate = 0;               // operations per second of an open loop; 0: closed loop
  Duration duration{};           // 0: until `operations`
  std::uint64_t operations = 0;  // counted ones; 0: until `duration`
  Duration warmup{};             // before `duration`, not counted
  bool fill = false;             // write every key once beforehand, not counted
  bool check = false;            // judge reads (stale_check.h); get and set only
  Duration timeout = seconds(5);
  std::uint64_t seed = 1;
};

struct LoadResult {
  enum class End : std::uint8_t {
    kDone,
    kStopped,      // by stop_early()
    kUnreachable,  // no node, at the start or for a long time: `problem`
    kFailed,       // `problem`
  };
  End end = End::kDone;
  std::string problem;
  Tally tally;
  Duration elapsed{};  // of the counted part
  std::uint64_t filled = 0;
  std::uint64_t fill_failed = 0;
  Duration fill_time{};
};

/// For people who watch: about the last second.
struct Progress {
  bool filling = false;
  Duration elapsed{};            // since the phase began
  std::uint64_t ended_well = 0;  // since the last one
  std::uint64_t failed = 0;      // since the run began, filling and warm-up included
  std::uint64_t filled = 0;
  const Histogram& latency;  // of those that ended well
};

/// A run of the load generator, on one loop: connects, fills, warms up, measures, drains.
///
/// Closed loop: each of clients x depth starts its next operation when the one before has ended,
/// and latency counts from there; it tells what the store can do. Open loop: operations start by a
/// schedule, whether or not others have ended, and latency counts from the start that was meant,
/// however late it became (schedule.h); it tells what users would see at that rate. What was due
/// and could not be sent until `timeout` after the end is counted as not sent.
///
/// Lives until the loop has ended.
class Load final : private LaneEvents, private SlotWatchEvents {
 public:
  /// `done` once, when the result is final; `each_second` may be empty.
  Load(env::Env& env, Clock& clock, LoadOptions options, Callback<void()> done,
       Callback<void(const Progress&)> each_second);

  void start();
  /// Starts no more operations; `done` follows soon.
  void stop_early();
  [[nodiscard]] const LoadResult& result() const { return result_; }

 private:
  enum class Phase : std::uint8_t { kConnecting, kFilling, kRunning, kDone };
  static constexpr Duration kTick = milliseconds(100);
  // Without any node for so long, a run that has no end in time is given up.
  static constexpr Duration kGiveUp = seconds(30);
  // Operations that were drawn but wait for their own node, while others go on.
  static constexpr std::size_t kHeldMax = 64 * 1024;

  // LaneEvents
  void on_lane_up(Lane& lane) override;
  void on_lane_down(Lane& lane) override { fleet_.changed(lane); }
  void on_dial_failed(Lane& lane, const Error& error) override;
  void on_input(Lane& lane) override;
  void on_reply(Lane& lane, const Operation& operation, std::string_view reply) override;
  void on_input_end(Lane& lane) override;
  void on_lost(Lane& lane, const Operation& operation, Failure why) override;
  // SlotWatchEvents
  void on_slots(const SlotMap& map) override;
  void on_no_slots(const Error& error) override;

  // Phases
  void begin_when_tried();
  void begin_filling();
  void begin_run();
  void advance();
  void finish(LoadResult::End end, std::string problem = {});
  void tick();
  void report_second();
  void give_up_without_nodes();

  // Starting operations
  [[nodiscard]] bool open_loop() const { return options_.rate > 0 && phase_ == Phase::kRunning; }
  [[nodiscard]] bool wants_more() const;
  void issue(std::uint32_t client);
  void issue_all();
  void pump();
  bool send_held();
  void drop_backlog();
  void send(Lane& lane, Operation operation);

  // Ending them
  void succeed(const Operation& operation, const Reply& reply);
  void fail(const Operation& operation, Failure why, std::string_view error);
  void judge(const Operation& operation, const Reply& reply);
  void end(const Operation& operation);

  env::Env& env_;
  Clock& clock_;
  const LoadOptions options_;
  Callback<void()> done_;
  Callback<void(const Progress&)> each_second_;

  Workload workload_;
  Requests requests_;
  std::optional<StaleCheck> check_;
  Fleet fleet_;
  SlotWatch watch_;

  Phase phase_ = Phase::kConnecting;
  LoadResult result_;
  std::string last_dial_error_;
  MonoTime now_{};  // as of the input or tick that is handled
  MonoTime phase_began_{};
  MonoTime count_from_{};  // what begins before is warm-up
  MonoTime end_at_{};      // with a duration: nothing starts after it
  MonoTime last_ended_{};  // of counted operations
  MonoTime last_up_{};     // when a node was last known to be reachable
  std::uint64_t under_way_ = 0;
  std::uint64_t counted_ = 0;    // begun
  std::uint64_t next_fill_ = 0;  // key
  bool stopped_ = false;

  std::vector<std::uint32_t> parked_;  // closed loop: by client, what waits for a connection

  Schedule schedule_;
  std::uint64_t next_ = 0;                   // of the schedule
  std::uint64_t limit_ = 0;                  // of the schedule
  std::vector<std::deque<Operation>> held_;  // by group
  std::size_t held_count_ = 0;
  bool waking_ = false;

  Histogram second_;  // since the last report
  std::uint64_t second_failed_ = 0;
  std::uint32_t ticks_ = 0;
};

}  // namespace stator::bench

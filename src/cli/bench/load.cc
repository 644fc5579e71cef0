#include "cli/bench/load.h"

#include <algorithm>
#include <utility>

// The phases of a run. How operations start is in load_start.cc, how they end in load_end.cc.

namespace stator::bench {

Load::Load(env::Env& env, Clock& clock, LoadOptions options, Callback<void()> done,
           Callback<void(const Progress&)> each_second)
    : env_(env),
      clock_(clock),
      options_(std::move(options)),
      done_(std::move(done)),
      each_second_(std::move(each_second)),
      workload_(options_.mix, KeyChooser(options_.keys, options_.theta), options_.sizes,
                options_.seed),
      // Another run with this seed draws the same keys, and yet has values of its own.
      requests_(options_.prefix, options_.sizes.max, options_.seed ^ env.executor.random()),
      fleet_(env, *this, options_.clients, options_.depth),
      watch_(env, *this, options_.nodes),
      parked_(options_.clients) {
  if (options_.check) check_.emplace(options_.keys);
}

void Load::start() {
  now_ = phase_began_ = last_up_ = clock_.now();
  if (options_.cluster) {
    watch_.start();
  } else {
    fleet_.connect(options_.nodes);
    held_.resize(fleet_.groups());
  }
  env_.executor.after(kTick, [this] { tick(); });
}

void Load::on_slots(const SlotMap& map) {
  if (phase_ == Phase::kDone) return;
  if (map.nodes.empty()) {
    if (phase_ == Phase::kConnecting) {
      finish(LoadResult::End::kFailed, "the cluster publishes no slots");
    }
    return;
  }
  fleet_.set_slots(map);
  held_.resize(fleet_.groups());
}

void Load::on_no_slots(const Error& error) {
  const bool unreachable = error.code == ErrorCode::kClosed;
  finish(unreachable ? LoadResult::End::kUnreachable : LoadResult::End::kFailed,
         unreachable ? error.detail : "CLUSTER SLOTS: " + error.detail);
}

void Load::on_lane_up(Lane& lane) {
  fleet_.changed(lane);
  now_ = last_up_ = clock_.now();
  if (phase_ == Phase::kConnecting) return begin_when_tried();
  if (phase_ == Phase::kDone) return;
  if (open_loop()) return pump();
  for (std::uint32_t waiting = std::exchange(parked_[lane.client()], 0); waiting > 0; --waiting) {
    issue(lane.client());
  }
  advance();
}

void Load::on_dial_failed(Lane& lane, const Error& error) {
  last_dial_error_ = error.detail.empty() ? env::to_string(lane.node()) : error.detail;
  begin_when_tried();
}

// All start together: otherwise the first second would measure connecting.
void Load::begin_when_tried() {
  if (phase_ != Phase::kConnecting || !fleet_.all_tried()) return;
  if (!fleet_.any_up()) return finish(LoadResult::End::kUnreachable, last_dial_error_);
  if (options_.fill) return begin_filling();
  begin_run();
}

void Load::begin_filling() {
  phase_ = Phase::kFilling;
  now_ = phase_began_ = clock_.now();
  issue_all();
}

void Load::begin_run() {
  phase_ = Phase::kRunning;
  now_ = phase_began_ = last_ended_ = clock_.now();
  count_from_ = now_ + options_.warmup;
  end_at_ = count_from_ + options_.duration;
  std::fill(parked_.begin(), parked_.end(), 0);
  if (!open_loop()) return issue_all();
  schedule_ = Schedule(now_, options_.rate);
  limit_ = ~std::uint64_t{0};
  if (options_.duration.ns > 0) limit_ = schedule_.before(end_at_);
  if (options_.operations > 0) {
    limit_ = std::min(limit_, schedule_.before(count_from_) + options_.operations);
  }
  pump();
}

// After anything that may have been the last of its phase.
void Load::advance() {
  if (under_way_ > 0) return;
  if (phase_ == Phase::kFilling && next_fill_ == options_.keys) {
    result_.fill_time = now_ - phase_began_;
    return begin_run();
  }
  if (phase_ != Phase::kRunning) return;
  const bool more = open_loop() ? next_ < limit_ || held_count_ > 0 : wants_more();
  if (!more) finish(stopped_ ? LoadResult::End::kStopped : LoadResult::End::kDone);
}

void Load::finish(LoadResult::End end, std::string problem) {
  if (phase_ == Phase::kDone) return;
  if (phase_ == Phase::kRunning) {
    result_.elapsed = std::max(last_ended_ - count_from_, Duration{});
    // A store that answers nothing more has not been faster for it.
    if (options_.duration.ns > 0 && !stopped_) {
      result_.elapsed = std::max(result_.elapsed, options_.duration);
    }
  }
  phase_ = Phase::kDone;
  result_.end = end;
  result_.problem = std::move(problem);
  fleet_.stop();
  watch_.stop();
  done_();
}

void Load::stop_early() {
  if (stopped_ || phase_ == Phase::kDone) return;
  now_ = clock_.now();
  stopped_ = true;
  if (phase_ != Phase::kRunning) return finish(LoadResult::End::kStopped);
  end_at_ = now_;
  if (open_loop()) {
    limit_ = std::min(limit_, std::max(next_, schedule_.before(now_)));
    drop_backlog();
  }
  advance();
}

void Load::tick() {
  if (phase_ == Phase::kDone) return;
  now_ = clock_.now();
  fleet_.expire(now_, options_.timeout);
  if (open_loop() && options_.duration.ns > 0 && now_ >= end_at_ + options_.timeout) {
    drop_backlog();
  }
  if (++ticks_ % 10 == 0) report_second();
  give_up_without_nodes();
  advance();
  if (phase_ != Phase::kDone) env_.executor.after(kTick, [this] { tick(); });
}

void Load::report_second() {
  if (each_second_ && phase_ != Phase::kConnecting) {
    each_second_({.filling = phase_ == Phase::kFilling,
                  .elapsed = now_ - phase_began_,
                  .ended_well = second_.count(),
                  .failed = second_failed_,
                  .filled = result_.filled,
                  .latency = second_});
  }
  second_.clear();
}

void Load::give_up_without_nodes() {
  if (fleet_.any_up()) last_up_ = now_;
  const bool endless =
      phase_ == Phase::kFilling || (phase_ == Phase::kRunning && options_.duration.ns == 0);
  if (!endless || now_ - last_up_ < kGiveUp) return;
  if (phase_ == Phase::kRunning && open_loop()) {
    limit_ = std::min(limit_, std::max(next_, schedule_.before(now_)));
    drop_backlog();
  }
  finish(LoadResult::End::kUnreachable, last_dial_error_);
}

}  // namespace stator::bench

#include "cli/bench/slot_watch.h"

#include <algorithm>

#include "cli/bench/requests.h"

namespace stator::bench {

SlotWatch::SlotWatch(env::Env& env, SlotWatchEvents& events, std::vector<env::Address> seeds)
    : env_(env), events_(events), seeds_(std::move(seeds)), lane_(env, *this, seeds_, 0, 0, 0, 1) {}

void SlotWatch::start() {
  lane_.dial();
  env_.executor.after(kInterval, [this] { tick(); });
}

void SlotWatch::stop() {
  stopped_ = true;
  lane_.stop();
}

void SlotWatch::on_lane_up(Lane&) {
  ask();
}

void SlotWatch::on_dial_failed(Lane& lane, const Error& error) {
  if (!last_.empty() || ++dials_failed_ != seeds_.size()) return;
  events_.on_no_slots(
      {.code = ErrorCode::kClosed,
       .detail = error.detail.empty() ? env::to_string(lane.node()) : error.detail});
}

void SlotWatch::ask() {
  if (stopped_ || !lane_.has_room()) return;
  Operation operation;
  operation.kind = OpKind::kSlots;
  operation.sent = env_.executor.now();
  append_command(lane_.begin(operation), {"CLUSTER", "SLOTS"});
}

void SlotWatch::tick() {
  if (stopped_) return;
  lane_.expire(env_.executor.now(), kPatience);
  ask();
  env_.executor.after(kInterval, [this] { tick(); });
}

void SlotWatch::on_reply(Lane& lane, const Operation&, std::string_view reply) {
  if (stopped_ || reply == last_) return;
  const auto map = parse_slots(reply, lane.node());
  if (!map) {
    if (last_.empty()) events_.on_no_slots(map.error());
    return;  // a node that stops says nothing useful; the next one is asked soon
  }
  last_ = reply;
  std::vector<env::Address> known = seeds_;
  for (const env::Address& node : map->nodes) {
    if (std::find(known.begin(), known.end(), node) == known.end()) known.push_back(node);
  }
  lane_.set_addresses(std::move(known));
  events_.on_slots(*map);
}

}  // namespace stator::bench

#include "cli/alarms.h"

namespace stator::cli {

namespace {

// A cluster that starts together needs a moment until everybody has heard everybody.
constexpr int kLooksOfStart = 5;

std::string page(const char* name) {
  return std::string(" (docs/ops/") + name + ".md)";
}

}  // namespace

void Alarms::look(const node::ClusterView& cluster, const node::NodeStatus& status,
                  const node::Metrics& metrics, const Tell& tell) {
  if (looks_ <= kLooksOfStart) ++looks_;
  members(cluster, tell);
  level(status.clock_skewed, skewed_, "clock-skew",
        "this node's clock is more than 1 s from its peers'; it stamps with their time", tell);
  level(status.no_write, no_write_, "disk-full", "this node cannot store: its engine fails writes",
        tell);
  count(metrics.records_unreadable_total, unreadable_, "unreadable-record",
        "stored records failed their checksum", tell);
  count(metrics.history_refusals_total, refusals_, "history-mismatch",
        "peers hold another membership history", tell);
}

void Alarms::members(const node::ClusterView& cluster, const Tell& tell) {
  for (const node::MemberView& member : cluster.members) {
    if (member.self) continue;
    if (member.healthy) heard_.insert(member.name);
    const bool counts = heard_.contains(member.name) || looks_ > kLooksOfStart;
    if (!member.healthy && counts && down_.insert(member.name).second) {
      tell(Kind::kRaised,
           "node " + member.name + " at " + member.peer_address + " is down" + page("node-down"));
    } else if (member.healthy && down_.erase(member.name) > 0) {
      tell(Kind::kOver, "node " + member.name + " is back");
    }
  }
}

void Alarms::level(bool on, bool& was_on, const char* name, const std::string& text,
                   const Tell& tell) {
  if (on && !was_on) tell(Kind::kRaised, text + page(name));
  if (!on && was_on) tell(Kind::kOver, std::string("over: ") + name);
  was_on = on;
}

void Alarms::count(std::uint64_t now, std::uint64_t& last, const char* name, const char* text,
                   const Tell& tell) {
  if (now > last) {
    tell(Kind::kRaised, std::string(text) + ", " + std::to_string(now - last) +
                            " since the last look" + page(name));
  }
  last = now;
}

}  // namespace stator::cli

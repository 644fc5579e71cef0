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
  level({.on = status.fenced,
         .name = "two-processes",
         .page = "two-processes",
         .text = "its peers refuse this node, since another process runs under its name: end the "
                 "copy, then restart this node"},
        fenced_, tell);
  const DiskState disk = status.disk;
  const bool failed = disk == DiskState::kFailed;
  level({.on = status.clock_skewed,
         .name = "clock-skew",
         .page = "clock-skew",
         .text = "this node's clock is more than 1 s from its peers'; it stamps with their time"},
        skewed_, tell);
  level({.on = disk != DiskState::kRoomy && !failed,
         .name = "disk-low",
         .page = "disk-full",
         .text = "the disk of this node is filling up"},
        low_, tell);
  level({.on = status.no_write && !failed,
         .name = "disk-full",
         .page = "disk-full",
         .text = "this node takes no writes: its disk is full"},
        no_write_, tell);
  level(
      {.on = failed,
       .name = "disk-failed",
       .page = "disk-full",
       .text = "this node takes no writes: its engine failed one; check the disk, then restart it"},
      failed_, tell);
  count(metrics.records_unreadable_total, unreadable_, "unreadable-record",
        "stored records failed their checksum", tell);
  count(metrics.history_refusals_total, refusals_, "history-mismatch",
        "peers hold another membership history", tell);
}

void Alarms::members(const node::ClusterView& cluster, const Tell& tell) {
  for (const node::MemberView& member : cluster.members) {
    if (member.self) continue;
    if (member.fenced && fenced_members_.insert(member.name).second) {
      tell(Kind::kRaised, "two processes run as " + member.name +
                              ", and both are refused: end the copy, then restart the other one" +
                              page("two-processes"));
    } else if (!member.fenced && fenced_members_.erase(member.name) > 0) {
      tell(Kind::kOver, "a new process runs as " + member.name);
    }
    if (member.copy_refused && copied_members_.insert(member.name).second) {
      tell(Kind::kRaised, "another process runs as " + member.name +
                              " elsewhere than at its address, and is refused: end the copy" +
                              page("two-processes"));
    } else if (!member.copy_refused && copied_members_.erase(member.name) > 0) {
      tell(Kind::kOver, "the copy of " + member.name + " is heard no more");
    }
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

void Alarms::level(const Level& now, bool& was_on, const Tell& tell) {
  if (now.on && !was_on) tell(Kind::kRaised, now.text + page(now.page));
  if (!now.on && was_on) tell(Kind::kOver, std::string("over: ") + now.name);
  was_on = now.on;
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

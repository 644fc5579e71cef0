#include "core/health/claimants.h"

#include <algorithm>
#include <utility>

#include "base/probe.h"

namespace stator {
namespace {

// A peer may claim any time.
constexpr std::uint64_t kAges = std::uint64_t{1} << 62;

Duration between(std::uint64_t earlier, std::uint64_t later) {
  return nanoseconds(static_cast<std::int64_t>(std::min(later - earlier, kAges)));
}

bool far_apart(Duration ours, Duration theirs) {
  const Duration off = ours - theirs;
  return off > Claimants::kPaceSlack || Duration{} - off > Claimants::kPaceSlack;
}

}  // namespace

bool Claimants::see(const Sighting& sighting, MonoTime now) {
  Process& process = process_of(sighting, now);
  bool news = false;
  const auto refuse = [&news](Process& one) {
    if (!std::exchange(one.refused, true)) news = true;
  };
  if (on_two_links_at_once(process, sighting)) {
    STATOR_PROBE("claimants: one incarnation runs twice");
    refuse(process);
  }
  keep_pace(process, sighting.sent, now);
  for (Process& other : processes_) {
    if (&other == &process || !side_by_side(process, other)) continue;
    STATOR_PROBE("claimants: two processes run under one name");
    refuse(process);
    refuse(other);
  }
  return news;
}

std::vector<Incarnation> Claimants::refused() const {
  std::vector<Incarnation> all;
  for (const Process& process : processes_) {
    if (process.refused) all.push_back(process.incarnation);
  }
  return all;
}

Claimants::Process& Claimants::process_of(const Sighting& sighting, MonoTime now) {
  for (Process& process : processes_) {
    if (process.incarnation == sighting.incarnation) return process;
  }
  if (processes_.size() >= kProcessesMax) {
    processes_.erase(std::min_element(
        processes_.begin(), processes_.end(),
        [](const Process& a, const Process& b) { return a.heard_until < b.heard_until; }));
  }
  Process& process = processes_.emplace_back();
  process.incarnation = sighting.incarnation;
  process.heard_from = process.heard_until = now;
  process.sent_from = process.sent_until = sighting.sent;
  return process;
}

bool Claimants::on_two_links_at_once(Process& process, const Sighting& sighting) {
  if (sighting.link == 0) return false;
  std::vector<Link>& links = process.links;
  auto at = std::find_if(links.begin(), links.end(), [&](const Link& link) {
    return link.id == sighting.link && link.shard == sighting.shard;
  });
  Link used{sighting.shard, sighting.link, sighting.sent, sighting.sent};
  if (at != links.end()) {
    used.first_sent = std::min(at->first_sent, sighting.sent);
    used.last_sent = std::max(at->last_sent, sighting.sent);
    links.erase(at);
  } else if (links.size() >= kLinksMax) {
    links.erase(links.begin());
  }
  // One that ends in the moment in which the next one begins is no overlap.
  const bool overlap = std::any_of(links.begin(), links.end(), [&](const Link& link) {
    return link.shard == used.shard && link.first_sent < used.last_sent &&
           used.first_sent < link.last_sent;
  });
  links.push_back(used);
  return overlap;
}

void Claimants::keep_pace(Process& process, std::uint64_t sent, MonoTime now) {
  if (sent <= process.sent_until) return;  // overtaken, or come again: that it ran once is known
  const Duration ours = now - process.heard_from;
  if (now - process.heard_until > kGapMax || far_apart(ours, between(process.sent_from, sent))) {
    process.heard_from = now;
    process.sent_from = sent;
  }
  process.heard_until = now;
  process.sent_until = sent;
}

bool Claimants::side_by_side(const Process& a, const Process& b) {
  const MonoTime from = std::max(a.heard_from, b.heard_from);
  const MonoTime until = std::min(a.heard_until, b.heard_until);
  return until - from >= kSideBySide;
}

}  // namespace stator

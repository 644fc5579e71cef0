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

bool far_apart(Duration ours, Duration theirs, Duration most) {
  const Duration off = ours - theirs;
  return off > most || Duration{} - off > most;
}

}  // namespace

std::size_t Claimants::see(const Sighting& sighting, MonoTime now) {
  Process& process = process_of(sighting, now);
  std::size_t news = 0;
  const auto refuse = [&news](Process& one) {
    if (!std::exchange(one.refused, true)) ++news;
  };
  if (on_two_links_at_once(process, sighting, now)) {
    STATOR_PROBE("claimants: one incarnation runs twice");
    refuse(process);
  }
  if (sighting.stopping) return news;
  keep(process.pace, sighting.sent, now);
  for (Process& other : processes_) {
    if (&other == &process || process.refused || other.refused) continue;
    if (!side_by_side(process.pace, other.pace)) continue;
    const MonoTime from = beside_from(process.pace, other.pace);
    const bool this_answers = process.answered_at > from;
    const bool other_answers = other.answered_at > from;
    if (this_answers || other_answers) {
      STATOR_PROBE("claimants: two processes run under one name");
    } else {
      STATOR_PROBE("claimants: of two processes none answers at the address");
    }
    if (other_answers) refuse(process);
    if (this_answers) refuse(other);
  }
  return news;
}

void Claimants::answered(Incarnation process, MonoTime asked) {
  for (Process& one : processes_) {
    if (one.incarnation == process) one.answered_at = std::max(one.answered_at, asked);
  }
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
    processes_.erase(std::min_element(processes_.begin(), processes_.end(),
                                      [](const Process& a, const Process& b) {
                                        return a.pace.heard_until < b.pace.heard_until;
                                      }));
  }
  Process& process = processes_.emplace_back();
  process.incarnation = sighting.incarnation;
  process.pace = begin(sighting.sent, now);
  return process;
}

bool Claimants::on_two_links_at_once(Process& process, const Sighting& sighting, MonoTime now) {
  if (sighting.link == 0) return false;
  std::vector<Link>& links = process.links;
  const auto same_shard = [&](const Link& link) { return link.shard == sighting.shard; };
  const auto at = std::find_if(links.begin(), links.end(), [&](const Link& link) {
    return same_shard(link) && link.id == sighting.link;
  });
  Link used{sighting.shard, sighting.link, sighting.sent, sighting.sent, begin(sighting.sent, now)};
  if (at != links.end()) {
    used = *at;
    used.first_sent = std::min(used.first_sent, sighting.sent);
    used.last_sent = std::max(used.last_sent, sighting.sent);
    keep(used.pace, sighting.sent, now);
    links.erase(at);
  } else if (std::count_if(links.begin(), links.end(), same_shard) >=
             static_cast<std::ptrdiff_t>(kLinksMax)) {
    links.erase(std::find_if(links.begin(), links.end(), same_shard));
  }
  const bool two = std::any_of(links.begin(), links.end(), [&](const Link& link) {
    return same_shard(link) && of_two(link, used);
  });
  links.push_back(used);
  return two;
}

bool Claimants::of_two(const Link& a, const Link& b) {
  // One that ends in the moment in which the next one begins is no overlap.
  if (a.first_sent < b.last_sent && b.first_sent < a.last_sent) return true;
  if (!side_by_side(a.pace, b.pace)) return false;
  const Link& earlier = a.last_sent < b.last_sent ? a : b;
  const Link& later = a.last_sent < b.last_sent ? b : a;
  return far_apart(later.pace.heard_until - earlier.pace.heard_until,
                   between(earlier.pace.sent_until, later.pace.sent_until), kLagMin);
}

Claimants::Pace Claimants::begin(std::uint64_t sent, MonoTime now) {
  return {.heard_from = now,
          .heard_until = now,
          .sent_from = sent,
          .sent_until = sent,
          .longest = {},
          .longest_before = {},
          .stretch_from = sent};
}

void Claimants::keep(Pace& pace, std::uint64_t sent, MonoTime now) {
  if (sent <= pace.sent_until) return;  // overtaken, or come again: that it ran once is known
  const Duration gap = std::max(kGapMax, std::max(pace.longest, pace.longest_before) * 3);
  if (now - pace.heard_until > gap ||
      far_apart(now - pace.heard_from, between(pace.sent_from, sent), kPaceSlack)) {
    pace.heard_from = now;
    pace.sent_from = sent;
  }
  if (between(pace.stretch_from, sent) > kRecent) {
    pace.longest_before = std::exchange(pace.longest, Duration{});
    pace.stretch_from = sent;
  }
  pace.longest = std::max(pace.longest, std::min(between(pace.sent_until, sent), kIntervalMax));
  pace.heard_until = now;
  pace.sent_until = sent;
}

MonoTime Claimants::beside_from(const Pace& a, const Pace& b) {
  return std::max(a.heard_from, b.heard_from);
}

bool Claimants::side_by_side(const Pace& a, const Pace& b) {
  const MonoTime until = std::min(a.heard_until, b.heard_until);
  return until - beside_from(a, b) >= kSideBySide;
}

}  // namespace stator

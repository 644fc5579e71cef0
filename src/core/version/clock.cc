#include "core/version/clock.h"

#include <algorithm>

namespace stator {
namespace {

// Clocks of ordinary objects have a handful of entries: walking them beats halving them.
constexpr std::size_t kWalkMax = 8;

std::size_t position_of(std::span<const Dot> entries, const Actor& actor) {
  std::size_t begin = 0;
  if (entries.size() > kWalkMax) {
    const auto found = std::ranges::lower_bound(entries, actor, {}, &Dot::actor);
    return static_cast<std::size_t>(found - entries.begin());
  }
  while (begin < entries.size() && entries[begin].actor < actor) ++begin;
  return begin;
}

}  // namespace

std::uint64_t Clock::counter_of(const Actor& actor) const {
  const std::span<const Dot> all = entries();
  const std::size_t at = position_of(all, actor);
  return at < all.size() && all[at].actor == actor ? all[at].counter : 0;
}

bool Clock::covers(const Clock& other) const {
  const std::span<const Dot> mine = entries();
  std::size_t at = 0;
  for (const Dot& theirs : other.entries()) {
    while (at < mine.size() && mine[at].actor < theirs.actor) ++at;
    if (at == mine.size() || mine[at].actor != theirs.actor) return false;
    if (mine[at].counter < theirs.counter) return false;
  }
  return true;
}

void Clock::add(const Dot& dot) {
  if (dot.counter == 0) return;
  const std::size_t at = position_of(entries(), dot.actor);
  if (at < entries_.size() && entries_[at].actor == dot.actor) {
    entries_[at].counter = std::max(entries_[at].counter, dot.counter);
  } else {
    entries_.insert(at, dot);
  }
}

void Clock::merge(const Clock& other) {
  std::size_t at = 0;
  for (const Dot& theirs : other.entries()) {
    while (at < entries_.size() && entries_[at].actor < theirs.actor) ++at;
    if (at < entries_.size() && entries_[at].actor == theirs.actor) {
      entries_[at].counter = std::max(entries_[at].counter, theirs.counter);
    } else {
      entries_.insert(at, theirs);
    }
  }
}

}  // namespace stator

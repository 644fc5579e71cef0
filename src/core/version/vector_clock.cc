#include "core/version/vector_clock.h"

#include <algorithm>

namespace stator::paper {

VectorClock::Entry& VectorClock::entry_of(NodeId node) {
  const auto place = std::ranges::lower_bound(entries_, node, {}, &Entry::node);
  if (place != entries_.end() && place->node == node) return *place;
  return *entries_.insert(place, Entry{.node = node});
}

std::uint64_t VectorClock::counter_of(NodeId node) const {
  const auto place = std::ranges::lower_bound(entries_, node, {}, &Entry::node);
  return place != entries_.end() && place->node == node ? place->counter : 0;
}

void VectorClock::advance(NodeId node, std::uint64_t counter, WallTime now) {
  Entry& entry = entry_of(node);
  entry.counter = std::max(entry.counter, counter);
  entry.updated = now;
}

void VectorClock::truncate(std::size_t size_max) {
  while (entries_.size() > size_max) {
    entries_.erase(std::ranges::min_element(entries_, {}, &Entry::updated));
  }
}

void VectorClock::merge(const VectorClock& other) {
  for (const Entry& theirs : other.entries_) {
    Entry& mine = entry_of(theirs.node);
    mine.counter = std::max(mine.counter, theirs.counter);
    mine.updated = std::max(mine.updated, theirs.updated);
  }
}

bool VectorClock::descends_to(const VectorClock& other) const {
  return std::ranges::all_of(
      entries_, [&](const Entry& mine) { return mine.counter <= other.counter_of(mine.node); });
}

VectorClock Store::context() const {
  VectorClock all;
  for (const Version& version : versions_) all.merge(version.clock);
  return all;
}

const Store::Version& Store::put(NodeId self, const VectorClock& context, std::uint64_t value,
                                 WallTime now, std::size_t truncate_at) {
  // The counter goes on from all that this node holds, so that no event is named twice.
  std::uint64_t counter = context.counter_of(self);
  for (const Version& version : versions_) {
    counter = std::max(counter, version.clock.counter_of(self));
  }
  Version next{context, value};
  // The coordinator still has the whole clock when it drops what the write replaces.
  next.clock.advance(self, counter + 1, now);
  std::erase_if(versions_, [&](const Version& old) { return old.clock.descends_to(next.clock); });
  next.clock.truncate(truncate_at);
  versions_.push_back(next);
  return versions_.back();
}

void Store::receive(const Version& version) {
  for (const Version& mine : versions_) {
    if (version.clock.descends_to(mine.clock)) return;
  }
  std::erase_if(versions_,
                [&](const Version& mine) { return mine.clock.descends_to(version.clock); });
  versions_.push_back(version);
}

}  // namespace stator::paper

#include "node/hint_backlog.h"

#include <algorithm>
#include <utility>

#include "base/hash.h"
#include "node/hint_place.h"

namespace stator::node {
namespace {

std::int64_t second_of(MonoTime now) {
  return now.ns / seconds(1).ns;
}

}  // namespace

void DrainRate::note(MonoTime now) {
  const std::int64_t second = second_of(now);
  const auto at = static_cast<std::size_t>(second % (kSeconds + 1));
  if (seconds_[at] != second) counts_[at] = 0;
  seconds_[at] = second;
  ++counts_[at];
}

double DrainRate::per_second(MonoTime now) const {
  const std::int64_t second = second_of(now);
  std::uint64_t sum = 0;
  for (std::size_t at = 0; at < counts_.size(); ++at) {
    if (seconds_[at] > second - kSeconds && seconds_[at] <= second) sum += counts_[at];
  }
  return static_cast<double>(sum) / kSeconds;
}

bool DrainRate::settled(MonoTime now) const {
  const std::int64_t second = second_of(now);
  std::uint64_t earlier = 0;
  std::uint64_t later = 0;
  for (std::size_t at = 0; at < counts_.size(); ++at) {
    const std::int64_t ago = second - seconds_[at];
    if (ago == 3 || ago == 4) earlier += counts_[at];
    if (ago == 1 || ago == 2) later += counts_[at];
  }
  return earlier > 0 && later <= 2 * earlier && earlier <= 2 * later;
}

WallTime HintBacklog::Owner::oldest() const {
  WallTime oldest{};
  for (const auto& [range, hints] : ranges) {
    if (oldest.us == 0 || hints.oldest < oldest) oldest = hints.oldest;
  }
  return oldest;
}

HintBacklog::Range& HintBacklog::add(PartitionId range, NodeId owner, std::size_t bytes,
                                     WallTime since) {
  Owner& of = owners_[owner];
  if (of.keys == 0) of.delivered = 0;
  Range& hints = of.ranges[range];
  if (hints.keys == 0 || since < hints.oldest) hints.oldest = since;
  ++hints.keys;
  ++of.keys;
  ++keys_;
  ++keys_in_[range];
  hints.bytes += bytes;
  of.bytes += bytes;
  bytes_ += bytes;
  return hints;
}

void HintBacklog::remove(PartitionId range, NodeId owner, std::uint64_t keys, std::uint64_t bytes) {
  Owner& of = owners_[owner];
  const auto found = of.ranges.find(range);
  if (found == of.ranges.end()) return;
  Range& hints = found->second;
  keys = std::min(keys, hints.keys);
  bytes = keys == hints.keys ? hints.bytes : std::min(bytes, hints.bytes);
  hints.keys -= keys;
  of.keys -= keys;
  keys_ -= keys;
  hints.bytes -= bytes;
  of.bytes -= bytes;
  bytes_ -= bytes;
  if (hints.keys == 0) of.ranges.erase(found);
  const auto in = keys_in_.find(range);
  if (in != keys_in_.end() && (in->second -= std::min(keys, in->second)) == 0) keys_in_.erase(in);
}

void HintBacklog::stored(PartitionId hint_partition, std::string_view hint_key, std::size_t before,
                         std::size_t bytes, Moment at) {
  const auto key = parse_hint_key(hint_key);
  if (!key) return;
  const PartitionId range = range_of_hints(hint_partition);
  if (before == 0) {
    if (!counted_in(range)) came_meanwhile_.insert(hash64(hint_key, hint_partition.value));
    Range& hints = add(range, key->owner, bytes, at.wall);
    hints.batch = std::max(hints.batch, at.batch);
    if (keys_ == 1 && wake_) wake_();
    return;
  }
  Owner& of = owners_[key->owner];
  const auto found = of.ranges.find(range);
  if (found == of.ranges.end()) return;  // not counted yet: it will be met as it is now
  found->second.batch = std::max(found->second.batch, at.batch);
  const std::uint64_t without =
      found->second.bytes - std::min<std::uint64_t>(found->second.bytes, before);
  const std::uint64_t now = without + bytes;
  of.bytes += now - found->second.bytes;  // modulo 2^64: it may shrink
  bytes_ += now - found->second.bytes;
  found->second.bytes = now;
}

void HintBacklog::delivered(PartitionId range, NodeId owner, std::size_t bytes, MonoTime now) {
  // Where not all are counted this one may not be: a walk that meets none there corrects it.
  if (counted_in(range)) remove(range, owner, 1, bytes);
  Owner& of = owners_[owner];
  ++of.delivered;
  ++of.delivered_total;
  of.rate.note(now);
}

void HintBacklog::found(PartitionId hint_partition, std::string_view hint_key, std::size_t bytes,
                        WallTime since) {
  const auto key = parse_hint_key(hint_key);
  if (!key || came_meanwhile_.contains(hash64(hint_key, hint_partition.value))) return;
  add(range_of_hints(hint_partition), key->owner, bytes, since);
}

void HintBacklog::end_count(std::set<PartitionId> unread) {
  walked_ = true;
  unread_ = std::move(unread);
  if (unread_.empty()) came_meanwhile_ = {};
}

bool HintBacklog::catches_up(NodeId owner, MonoTime now) const {
  if (keys_ == 0) return false;
  const auto found = owners_.find(owner);
  if (found == owners_.end() || found->second.keys == 0) return false;
  // One that nobody can deliver (damaged, refused) says nothing of what the owner has.
  return found->second.rate.per_second(now) > 0;
}

void HintBacklog::correct(PartitionId range, NodeId owner) {
  remove(range, owner, UINT64_MAX, 0);
}

}  // namespace stator::node

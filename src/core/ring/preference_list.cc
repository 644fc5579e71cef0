#include "core/ring/preference_list.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "base/assert.h"
#include "base/hash.h"
#include "core/ring/claim.h"

namespace stator {
namespace {

/// Order of stand-ins: the larger, the earlier. A bijection of the id for each partition, so never
/// a tie.
std::uint64_t rendezvous(PartitionId p, NodeId node) {
  return mix64(mix64(p.value) ^ node.value);
}

}  // namespace

void make_preference_list(PartitionId p, std::span<const NodeId> owners, const ZonedMembers& all,
                          std::size_t length, PreferenceList& out) {
  STATOR_ASSERT(all.members.size() <= kMaxMembers && all.zones <= all.members.size());
  out.assign(owners.begin(), owners.begin() + std::min(length, owners.size()));
  length = std::min(length, all.members.size());
  if (out.size() == length) return;

  struct Candidate {
    std::uint64_t rank;
    std::uint16_t member;
  };
  std::array<Candidate, kMaxMembers> candidates;  // not initialised: only the used part is touched
  std::array<bool, kMaxMembers> covered;          // per zone
  std::fill_n(covered.begin(), all.zones, false);
  std::size_t uncovered = all.zones;
  const auto cover = [&](std::size_t member) {
    bool& zone = covered[all.zone_of[member]];
    if (zone) return false;
    zone = true;
    --uncovered;
    return true;
  };
  std::size_t left = 0;
  for (std::size_t i = 0; i < all.members.size(); ++i) {
    const NodeId id = all.members[i].id;
    if (std::ranges::find(owners, id) != owners.end()) {
      cover(i);
    } else {
      candidates[left++] = {rendezvous(p, id), static_cast<std::uint16_t>(i)};
    }
  }
  // A heap, because a request seldom needs more than the first one or two.
  const auto heap = candidates.begin();
  const auto lower = [](const Candidate& a, const Candidate& b) { return a.rank < b.rank; };
  std::make_heap(heap, heap + static_cast<std::ptrdiff_t>(left), lower);
  const auto take = [&] {
    std::pop_heap(heap, heap + static_cast<std::ptrdiff_t>(left), lower);
    return candidates[--left].member;
  };
  std::array<std::uint16_t, kMaxMembers> put_off;  // in zones covered before, by rank
  std::size_t put_off_count = 0;
  while (uncovered > 0 && out.size() < length) {
    const std::uint16_t member = take();
    if (cover(member)) {
      out.push_back(all.members[member].id);
    } else {
      put_off[put_off_count++] = member;
    }
  }
  for (std::size_t i = 0; i < put_off_count && out.size() < length; ++i) {
    out.push_back(all.members[put_off[i]].id);
  }
  while (out.size() < length) out.push_back(all.members[take()].id);
}

}  // namespace stator

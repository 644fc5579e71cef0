#include "core/ring/ring.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "base/assert.h"
#include "base/bytes.h"
#include "core/ring/claim.h"
#include "core/ring/first_owners.h"

namespace stator {
namespace {

bool distinct(std::span<const NodeId> row) {
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (std::ranges::find(row.first(i), row[i]) != row.first(i).end()) return false;
  }
  return true;
}

}  // namespace

Ring::Ring(std::uint32_t q, std::uint32_t n, std::vector<RingMember> members)
    : replicas_(n), members_(std::move(members)), table_(claim(q, n, members_)) {
  build();
}

Ring::Ring(std::uint32_t n, std::vector<RingMember> members, PlacementTable table)
    : replicas_(n), members_(std::move(members)), table_(std::move(table)) {
  build();
}

void Ring::build() {
  STATOR_ASSERT(valid_partition_count(table_.partitions));
  STATOR_ASSERT(!members_.empty() && members_.size() <= kMaxMembers);
  STATOR_ASSERT(table_.width >= 1 && table_.width <= replicas_);
  STATOR_ASSERT(table_.places.size() == std::size_t{table_.partitions} * table_.width);
  std::ranges::sort(members_, {}, &RingMember::id);
  for (std::uint32_t p = 0; p < table_.partitions; ++p) {
    STATOR_ASSERT(distinct(table_.row({p})));
    for (const NodeId owner : table_.row({p})) STATOR_ASSERT(find(owner) != nullptr);
  }

  std::vector<std::string_view> names;
  for (const RingMember& member : members_) names.push_back(member.zone);
  std::ranges::sort(names);
  names.erase(std::ranges::unique(names).begin(), names.end());
  zones_ = static_cast<std::uint16_t>(names.size());
  for (const RingMember& member : members_) {
    const auto found = std::ranges::lower_bound(names, std::string_view(member.zone));
    zone_of_.push_back(static_cast<std::uint16_t>(found - names.begin()));
  }

  // The first owner in front, the others behind it as they stand in the row, around its end.
  owners_ = table_.places;
  const auto firsts = first_owners(table_);
  for (std::uint32_t p = 0; p < table_.partitions; ++p) {
    const auto row = owners_.begin() + static_cast<std::ptrdiff_t>(std::size_t{p} * table_.width);
    std::rotate(row, row + firsts[p], row + table_.width);
  }
  make_digest();
}

void Ring::make_digest() {
  std::string bytes;
  append_u32(bytes, table_.partitions);
  append_u32(bytes, replicas_);
  append_u32(bytes, table_.width);
  append_u64(bytes, members_.size());
  for (const RingMember& member : members_) {
    append_u64(bytes, member.id.value);
    append_sized(bytes, member.zone);
    append_u64(bytes, std::bit_cast<std::uint64_t>(member.weight));
  }
  for (const NodeId node : table_.places) append_u64(bytes, node.value);
  digest_ = hash128(bytes);
}

std::size_t Ring::index_of(NodeId id) const {
  const auto found = std::ranges::lower_bound(members_, id, {}, &RingMember::id);
  return found != members_.end() && found->id == id
             ? static_cast<std::size_t>(found - members_.begin())
             : members_.size();
}

const RingMember* Ring::find(NodeId id) const {
  const std::size_t index = index_of(id);
  return index < members_.size() ? &members_[index] : nullptr;
}

void Ring::preference_list(PartitionId p, PreferenceList& out, std::size_t length) const {
  make_preference_list(p, owners(p), {.members = members_, .zone_of = zone_of_, .zones = zones_},
                       length, out);
}

PreferenceList Ring::preference_list(PartitionId p) const {
  PreferenceList out;
  preference_list(p, out);
  return out;
}

RingBalance Ring::balance() const {
  RingBalance balance;
  double weights = 0;
  for (const RingMember& member : members_) {
    balance.nodes.push_back({member.id, 0, 0});
    weights += member.weight;
  }
  for (std::uint32_t p = 0; p < table_.partitions; ++p) {
    for (const NodeId owner : owners({p})) ++balance.nodes[index_of(owner)].places;
    ++balance.nodes[index_of(owners({p}).front())].firsts;
  }
  double max_first = 0;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    const double part = members_[i].weight / weights * table_.partitions;
    const double share = balance.nodes[i].places / (part * table_.width);
    balance.min_share = i == 0 ? share : std::min(balance.min_share, share);
    balance.max_share = std::max(balance.max_share, share);
    max_first = std::max(max_first, balance.nodes[i].firsts / part);
  }
  balance.efficiency = 1 / balance.max_share;
  balance.first_efficiency = 1 / max_first;
  return balance;
}

}  // namespace stator

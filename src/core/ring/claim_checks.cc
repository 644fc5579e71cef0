#include "core/ring/claim_checks.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace stator::testing {
namespace {

struct ZoneRules {
  std::map<std::string, std::size_t> sizes;
  std::size_t level = 1;  // nodes of a zone in a partition: level - 1 or level, or all it has

  [[nodiscard]] std::size_t least(const std::string& zone) const {
    return std::min(sizes.at(zone), level - 1);
  }
  [[nodiscard]] std::size_t most(const std::string& zone) const {
    return std::min(sizes.at(zone), level);
  }
};

ZoneRules zone_rules(const std::vector<RingMember>& members, std::size_t width) {
  ZoneRules rules;
  for (const RingMember& member : members) ++rules.sizes[member.zone];
  for (;; ++rules.level) {
    std::size_t room = 0;
    for (const auto& [zone, size] : rules.sizes) room += rules.most(zone);
    if (room >= width) return rules;
  }
}

/// Fair shares by floating-point water filling: raise one level until all places are given.
std::map<NodeId, double> fair_shares(const std::vector<RingMember>& members, double q, double width,
                                     const ZoneRules& rules) {
  const auto share = [&](const RingMember& member, double level) {
    return std::min(q, level * member.weight);
  };
  const auto zone_total = [&](const std::string& zone, double level) {
    double sum = 0;
    for (const RingMember& member : members) {
      if (member.zone == zone) sum += share(member, level);
    }
    return sum;
  };
  const auto bounded = [&](const std::string& zone, double level) {
    return std::clamp(zone_total(zone, level), q * static_cast<double>(rules.least(zone)),
                      q * static_cast<double>(rules.most(zone)));
  };
  const auto level_for = [&](double wanted, auto&& amount) {
    double low = 0;
    double high = q * 1000.0;  // above every share, since weights are at least 0.001
    for (int i = 0; i < 200; ++i) {
      const double middle = (low + high) / 2;
      (amount(middle) <= wanted ? low : high) = middle;
    }
    return low;
  };
  const double common = level_for(q * width, [&](double level) {
    double sum = 0;
    for (const auto& [zone, size] : rules.sizes) sum += bounded(zone, level);
    return sum;
  });
  std::map<NodeId, double> shares;
  for (const auto& [zone, size] : rules.sizes) {
    const double level =
        level_for(bounded(zone, common), [&](double l) { return zone_total(zone, l); });
    for (const RingMember& member : members) {
      if (member.zone == zone) shares[member.id] = share(member, level);
    }
  }
  return shares;
}

std::string broken_row(std::span<const NodeId> row, const std::map<NodeId, std::string>& zone_of,
                       const ZoneRules& rules) {
  std::set<NodeId> nodes;
  std::map<std::string, std::size_t> in_zone;
  for (const NodeId node : row) {
    if (!zone_of.contains(node)) return "a stranger holds a place";
    if (!nodes.insert(node).second) return "a node holds two places of one partition";
    ++in_zone[zone_of.at(node)];
  }
  for (const auto& [zone, size] : rules.sizes) {
    const std::size_t count = in_zone[zone];
    if (count < rules.least(zone) || count > rules.most(zone)) return "zones not used evenly";
  }
  if (in_zone.size() < std::min(row.size(), rules.sizes.size())) return "a zone not covered";
  return {};
}

}  // namespace

std::string broken_rule(const PlacementTable& table, std::uint32_t q, std::uint32_t n,
                        const std::vector<RingMember>& members) {
  const std::size_t width = std::min<std::size_t>(n, members.size());
  if (table.partitions != q || table.width != width) return "wrong size";
  if (table.places.size() != q * width) return "wrong number of places";
  const ZoneRules rules = zone_rules(members, width);
  std::map<NodeId, std::string> zone_of;
  for (const RingMember& member : members) zone_of[member.id] = member.zone;
  std::map<NodeId, double> loads;
  for (std::uint32_t p = 0; p < q; ++p) {
    const std::string broken = broken_row(table.row({p}), zone_of, rules);
    if (!broken.empty()) return broken + " in partition " + std::to_string(p);
    for (const NodeId node : table.row({p})) loads[node] += 1;
  }
  constexpr double kTolerance = 0.002;  // of the two ways to compute a share
  for (const auto& [node, share] : fair_shares(members, q, static_cast<double>(width), rules)) {
    if (loads[node] < std::floor(share - kTolerance) ||
        loads[node] > std::ceil(share + kTolerance)) {
      return "node " + std::to_string(node.value) + " holds " + std::to_string(loads[node]) +
             " of a fair " + std::to_string(share);
    }
  }
  return {};
}

std::size_t copies_made(const PlacementTable& before, const PlacementTable& after) {
  std::size_t made = 0;
  for (std::uint32_t p = 0; p < after.partitions; ++p) {
    const auto old_row = before.row({p});
    for (const NodeId node : after.row({p})) {
      if (std::ranges::find(old_row, node) == old_row.end()) ++made;
    }
  }
  return made;
}

std::size_t copies_needed(const PlacementTable& before, const PlacementTable& after) {
  std::map<NodeId, std::int64_t> gained;
  for (const NodeId node : after.places) ++gained[node];
  for (const NodeId node : before.places) --gained[node];
  std::size_t needed = 0;
  for (const auto& [node, gain] : gained) {
    if (gain > 0) needed += static_cast<std::size_t>(gain);
  }
  return needed;
}

std::vector<RingMember> random_members(SplitMix64& random, std::size_t count, std::size_t zones,
                                       bool weighted) {
  std::vector<RingMember> members;
  for (std::size_t i = 0; i < count; ++i) {
    RingMember member{{random.next() | 1}, "n" + std::to_string(i), "", 1.0};
    if (zones > 0) member.zone = "z" + std::to_string(random.below(zones));
    if (weighted) member.weight = 0.25 * static_cast<double>(random.between(1, 16));
    members.push_back(member);
  }
  return members;
}

std::vector<RingMember> cluster(std::size_t count, std::size_t zones, std::uint64_t seed) {
  SplitMix64 random(seed);
  return random_members(random, count, zones, false);
}

}  // namespace stator::testing

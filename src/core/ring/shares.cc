#include "core/ring/shares.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string_view>

#include "base/assert.h"
#include "base/hash.h"
#include "core/ring/claim.h"

// A share is min(Q, level x weight) with one water level for all nodes, found by bisection. Two
// things bend it: a node cannot hold a partition twice (Q), and a zone whose nodes would hold less
// or more than zone_least x Q or zone_most x Q gets a level of its own that meets the bound.
//
// Why a table with the rounded shares always exists: let every partition hold share/Q of every
// node. That meets all bounds (row sums, zone bounds per row, at most one place per node and row,
// node totals), and these form a flow network (rows -> zones of a row -> nodes), whose solutions
// can be made whole without leaving the bounds rounded down and up.
//
// Integers only, so that every machine comes to the same table: shares count in 2^-36 places.

namespace stator {
namespace {

constexpr int kFractionBits = 36;
constexpr std::uint64_t kOne = 1ULL << kFractionBits;
// A share this little below a whole number is that number, missed by the bisection.
constexpr std::uint64_t kNearlyOne = kOne - (kOne >> 12);

struct Water {
  const ClaimProblem& problem;
  std::uint64_t cap;  // Q places

  [[nodiscard]] std::uint64_t share(std::size_t node, std::uint64_t level) const {
    const std::uint64_t weight = problem.weights[node];
    return level >= cap / weight ? cap : level * weight;
  }
  [[nodiscard]] std::vector<std::uint64_t> zone_sums(std::uint64_t level) const {
    std::vector<std::uint64_t> sums(problem.zone_most.size());
    for (std::size_t i = 0; i < problem.nodes(); ++i) sums[problem.zones[i]] += share(i, level);
    return sums;
  }
  [[nodiscard]] std::uint64_t least(std::size_t zone) const {
    return problem.zone_least[zone] * cap;
  }
  [[nodiscard]] std::uint64_t most(std::size_t zone) const { return problem.zone_most[zone] * cap; }
  /// What all zones hold at this level, each within its bounds.
  [[nodiscard]] std::uint64_t held(std::uint64_t level) const {
    const auto sums = zone_sums(level);
    std::uint64_t total = 0;
    for (std::size_t z = 0; z < sums.size(); ++z) total += std::clamp(sums[z], least(z), most(z));
    return total;
  }
};

/// The highest level whose amount does not exceed `wanted`.
template <typename Amount>
std::uint64_t highest_level(std::uint64_t cap, std::uint64_t wanted, Amount&& amount) {
  std::uint64_t low = 0;
  std::uint64_t high = cap;  // fills every node, since weights are at least 1
  while (low < high) {
    const std::uint64_t middle = high - (high - low) / 2;
    if (amount(middle) <= wanted) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

std::vector<std::uint64_t> fair_shares(const ClaimProblem& problem) {
  const Water water{problem, std::uint64_t{problem.partitions} << kFractionBits};
  const std::uint64_t common = highest_level(
      water.cap, water.cap * problem.width, [&](std::uint64_t level) { return water.held(level); });
  const auto sums = water.zone_sums(common);
  std::vector<std::uint64_t> levels(sums.size(), common);
  for (std::size_t z = 0; z < sums.size(); ++z) {
    const std::uint64_t bounded = std::clamp(sums[z], water.least(z), water.most(z));
    if (bounded == sums[z]) continue;
    levels[z] = highest_level(water.cap, bounded,
                              [&](std::uint64_t level) { return water.zone_sums(level)[z]; });
  }
  std::vector<std::uint64_t> shares(problem.nodes());
  for (std::size_t i = 0; i < shares.size(); ++i) {
    shares[i] = water.share(i, levels[problem.zones[i]]);
    if (shares[i] % kOne >= kNearlyOne) shares[i] += kOne - shares[i] % kOne;
  }
  return shares;
}

std::uint32_t thousandths(double weight) {
  if (!(weight > 0.001)) return 1;  // also NaN
  return static_cast<std::uint32_t>(std::lround(std::min(weight, 1000.0) * 1000.0));
}

/// Zones are filled evenly: in each partition a zone has `level` or `level - 1` of its nodes, or
/// all that it has.
void bound_zones(ClaimProblem& problem, std::span<const std::uint32_t> sizes) {
  const auto placed = [&](std::uint32_t level) {
    std::uint32_t sum = 0;
    for (const std::uint32_t size : sizes) sum += std::min(size, level);
    return sum;
  };
  std::uint32_t level = 1;
  while (placed(level) < problem.width) ++level;
  for (const std::uint32_t size : sizes) {
    problem.zone_least.push_back(std::min(size, level - 1));
    problem.zone_most.push_back(std::min(size, level));
  }
}

}  // namespace

ClaimProblem make_claim_problem(std::uint32_t q, std::uint32_t n,
                                std::span<const RingMember> members) {
  STATOR_ASSERT(q >= 1 && q <= kMaxClaimPartitions);
  STATOR_ASSERT(n >= 1 && n <= kMaxReplicas);
  STATOR_ASSERT(!members.empty() && members.size() <= kMaxMembers);
  std::vector<const RingMember*> sorted;
  std::vector<std::string_view> zone_names;
  for (const RingMember& member : members) {
    sorted.push_back(&member);
    zone_names.push_back(member.zone);
  }
  std::ranges::sort(sorted, {}, [](const RingMember* member) { return member->id; });
  std::ranges::sort(zone_names);
  zone_names.erase(std::ranges::unique(zone_names).begin(), zone_names.end());

  ClaimProblem problem;
  problem.partitions = q;
  problem.width = std::min(n, static_cast<std::uint32_t>(members.size()));
  std::vector<std::uint32_t> sizes(zone_names.size());
  NodeId last{};  // ids are not 0, and not twice
  for (const RingMember* member : sorted) {
    STATOR_ASSERT(member->id > last);
    last = member->id;
    const auto zone = std::ranges::lower_bound(zone_names, std::string_view(member->zone));
    const auto number = static_cast<std::uint16_t>(zone - zone_names.begin());
    problem.ids.push_back(member->id);
    problem.weights.push_back(thousandths(member->weight));
    problem.zones.push_back(number);
    ++sizes[number];
  }
  bound_zones(problem, sizes);
  return problem;
}

std::vector<std::uint32_t> place_targets(const ClaimProblem& problem,
                                         std::span<const std::uint32_t> held) {
  const auto shares = fair_shares(problem);
  const std::uint64_t q = problem.partitions;
  std::vector<std::uint32_t> targets(problem.nodes());
  std::vector<std::uint64_t> zone_sum(problem.zone_most.size());
  std::uint64_t left = q * problem.width;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    targets[i] = static_cast<std::uint32_t>(shares[i] >> kFractionBits);
    zone_sum[problem.zones[i]] += targets[i];
    STATOR_ASSERT(left >= targets[i]);
    left -= targets[i];
  }
  // Who is rounded up: first who would otherwise have to give a place away, then the larger part.
  std::vector<std::size_t> order(targets.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
    const bool keeps_a = held[a] > targets[a];
    const bool keeps_b = held[b] > targets[b];
    if (keeps_a != keeps_b) return keeps_a;
    if (shares[a] % kOne != shares[b] % kOne) return shares[a] % kOne > shares[b] % kOne;
    return mix64(problem.ids[a].value) < mix64(problem.ids[b].value);
  });
  std::vector<bool> raised(targets.size());
  const auto raise = [&](auto&& allowed) {
    for (const std::size_t i : order) {
      if (left == 0) return;
      if (raised[i] || targets[i] == q || !allowed(i, zone_sum[problem.zones[i]])) continue;
      raised[i] = true;
      ++targets[i];
      ++zone_sum[problem.zones[i]];
      --left;
    }
  };
  const auto parted = [&](std::size_t i) { return shares[i] % kOne != 0; };
  raise([&](std::size_t i, std::uint64_t sum) {
    return parted(i) && sum < q * problem.zone_least[problem.zones[i]];
  });
  raise([&](std::size_t i, std::uint64_t sum) {
    return parted(i) && sum < q * problem.zone_most[problem.zones[i]];
  });
  STATOR_ASSERT(left == 0);
  return targets;
}

}  // namespace stator

#include "core/ring/claim.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include "base/assert.h"
#include "base/hash.h"
#include "core/ring/shares.h"

// Second half of the claim: a table that gives every node exactly its target (shares.h).
//
// It keeps what the previous table has and the rules allow, fills the holes with the nodes that are
// furthest below their target, and then moves places from nodes above to nodes below. Greedy moves
// alone sometimes end with a node that lacks a place and may enter none of the rows that could give
// one. Therefore the last step looks for a chain of replacements: a gives a place to b in one row,
// b gives one to c in another. Nodes with "may take a place from" as edges are the residual graph
// of the flow network in shares.cc; a table with the targets exists, so while any node is above its
// target there is a path to one below, and a shortest one uses no row twice in a way that matters
// (two edges in one row would have a short cut). Each path brings the table one place nearer.

namespace stator {
namespace {

using NodeIndex = std::uint16_t;
constexpr NodeIndex kHole = std::numeric_limits<NodeIndex>::max();

class Claimer {
 public:
  explicit Claimer(const ClaimProblem& problem)
      : problem_(problem),
        cells_(std::size_t{problem.partitions} * problem.width, kHole),
        before_(cells_),
        loads_(problem.nodes()),
        rows_of_(problem.nodes()) {}

  PlacementTable run(const PlacementTable* previous) {
    order_rows();
    if (previous != nullptr) take_over(*previous);
    targets_ = place_targets(problem_, loads_);
    for (const std::uint32_t row : order_) make_room(row);
    for (const std::uint32_t row : order_) fill_holes(row);
    for (const std::uint32_t row : order_) {
      for (const NodeIndex node : cells(row)) rows_of_[node].push_back(row);
    }
    move_directly();
    while (move_along_chain()) {
    }
    return table();
  }

 private:
  [[nodiscard]] std::span<NodeIndex> cells(std::uint32_t row) {
    return {cells_.data() + std::size_t{row} * problem_.width, problem_.width};
  }
  [[nodiscard]] bool holds(std::uint32_t row, NodeIndex node) {
    return std::ranges::find(cells(row), node) != cells(row).end();
  }
  [[nodiscard]] bool held_before(std::uint32_t row, NodeIndex node) const {
    const auto* first = before_.data() + std::size_t{row} * problem_.width;
    return std::find(first, first + problem_.width, node) != first + problem_.width;
  }
  [[nodiscard]] std::uint32_t count_in_zone(std::uint32_t row, std::uint16_t zone) {
    std::uint32_t count = 0;
    for (const NodeIndex node : cells(row)) {
      count += node != kHole && problem_.zones[node] == zone ? 1 : 0;
    }
    return count;
  }
  [[nodiscard]] bool above(NodeIndex node) const { return loads_[node] > targets_[node]; }
  [[nodiscard]] bool below(NodeIndex node) const { return loads_[node] < targets_[node]; }
  [[nodiscard]] std::uint64_t rank(std::uint32_t row, NodeIndex node) const {
    return mix64(mix64(row) ^ problem_.ids[node].value);
  }
  /// `a` lacks a larger part of its target than `b`.
  [[nodiscard]] bool hungrier(NodeIndex a, NodeIndex b) const {
    const auto lacks = [&](NodeIndex node) {
      return std::int64_t{targets_[node]} - std::int64_t{loads_[node]};
    };
    const auto scale = [&](NodeIndex node) {
      return std::max(std::int64_t{1}, std::int64_t{targets_[node]});
    };
    return lacks(a) * scale(b) > lacks(b) * scale(a);
  }

  /// Rows in an order that is spread over the ring from its first element on, so that whatever
  /// moves to one node does not lie side by side.
  void order_rows() {
    const int bits = std::bit_width(problem_.partitions - 1);
    order_.reserve(problem_.partitions);
    for (std::uint32_t i = 0; i < (1U << bits); ++i) {
      std::uint32_t reversed = 0;
      for (int bit = 0; bit < bits; ++bit) reversed |= ((i >> bit) & 1U) << (bits - 1 - bit);
      if (reversed < problem_.partitions) order_.push_back(reversed);
    }
  }

  /// Places of nodes that are still members stay where they are. A narrower table moves those
  /// beyond its width into the places that became free.
  void take_over(const PlacementTable& previous) {
    for (std::uint32_t row = 0; row < problem_.partitions; ++row) {
      const auto old_row = previous.row({row});
      const auto now = cells(row);
      const auto put = [&](std::uint32_t place, NodeIndex node) {
        now[place] = node;
        ++loads_[node];
      };
      for (std::uint32_t place = 0; place < std::min(previous.width, problem_.width); ++place) {
        const NodeIndex node = index_of(old_row[place]);
        if (node != kHole) put(place, node);
      }
      for (std::uint32_t place = problem_.width; place < previous.width; ++place) {
        const NodeIndex node = index_of(old_row[place]);
        const auto hole = std::ranges::find(now, kHole);
        if (node != kHole && hole != now.end()) {
          put(static_cast<std::uint32_t>(hole - now.begin()), node);
        }
      }
    }
    before_ = cells_;
  }
  [[nodiscard]] NodeIndex index_of(NodeId id) const {
    const auto found = std::ranges::lower_bound(problem_.ids, id);
    if (found == problem_.ids.end() || *found != id) return kHole;
    return static_cast<NodeIndex>(found - problem_.ids.begin());
  }

  /// Evicts from zones that have too many nodes in this row, and where zones have too few, until
  /// the holes suffice to bring them in. Zones appear and grow, so a good row may become a bad one.
  void make_room(std::uint32_t row) {
    const std::size_t zones = problem_.zone_most.size();
    for (std::size_t z = 0; z < zones; ++z) {
      const auto zone = static_cast<std::uint16_t>(z);
      while (count_in_zone(row, zone) > problem_.zone_most[z]) {
        evict(row, [&](NodeIndex node) { return problem_.zones[node] == zone; });
      }
    }
    while (missing_in_zones(row) > holes(row)) {
      evict(row, [&](NodeIndex node) {
        const std::uint16_t zone = problem_.zones[node];
        return count_in_zone(row, zone) > problem_.zone_least[zone];
      });
    }
  }
  [[nodiscard]] std::uint32_t holes(std::uint32_t row) {
    return static_cast<std::uint32_t>(std::ranges::count(cells(row), kHole));
  }
  /// Nodes that this row needs in zones that have too few in it.
  [[nodiscard]] std::uint32_t missing_in_zones(std::uint32_t row) {
    if (needed_at_all_ == kUnknown) {
      needed_at_all_ = 0;
      for (const std::uint32_t least : problem_.zone_least) needed_at_all_ += least;
    }
    if (needed_at_all_ == 0) return 0;  // at least as many zones as replicas
    std::uint32_t missing = 0;
    for (std::size_t z = 0; z < problem_.zone_least.size(); ++z) {
      const std::uint32_t least = problem_.zone_least[z];
      const std::uint32_t present = count_in_zone(row, static_cast<std::uint16_t>(z));
      if (present < least) missing += least - present;
    }
    return missing;
  }
  template <typename Allowed>
  void evict(std::uint32_t row, Allowed&& allowed) {
    NodeIndex* victim = nullptr;
    for (NodeIndex& cell : cells(row)) {
      if (cell == kHole || !allowed(cell)) continue;
      if (victim == nullptr || hungrier(*victim, cell)) victim = &cell;
    }
    STATOR_ASSERT(victim != nullptr);
    --loads_[*victim];
    *victim = kHole;
  }

  void fill_holes(std::uint32_t row) {
    std::uint32_t left = holes(row);
    for (NodeIndex& cell : cells(row)) {
      if (cell != kHole) continue;
      const bool only_missing = missing_in_zones(row) == left;
      NodeIndex best = kHole;
      for (NodeIndex node = 0; node < problem_.nodes(); ++node) {
        if (best != kHole && !preferred(row, node, best)) continue;
        const std::uint16_t zone = problem_.zones[node];
        const std::uint32_t bound =
            only_missing ? problem_.zone_least[zone] : problem_.zone_most[zone];
        if (!holds(row, node) && count_in_zone(row, zone) < bound) best = node;
      }
      STATOR_ASSERT(best != kHole);
      cell = best;
      ++loads_[best];
      --left;
    }
  }
  [[nodiscard]] bool preferred(std::uint32_t row, NodeIndex a, NodeIndex b) const {
    if (hungrier(a, b)) return true;
    return !hungrier(b, a) && rank(row, a) > rank(row, b);
  }

  /// `from` stands in this row, and `to` may stand there in its place.
  [[nodiscard]] bool may_replace(std::uint32_t row, NodeIndex from, NodeIndex to) {
    if (holds(row, to) || !holds(row, from)) return false;
    const std::uint16_t zone_from = problem_.zones[from];
    const std::uint16_t zone_to = problem_.zones[to];
    return zone_from == zone_to ||
           (count_in_zone(row, zone_from) > problem_.zone_least[zone_from] &&
            count_in_zone(row, zone_to) < problem_.zone_most[zone_to]);
  }
  void replace(std::uint32_t row, NodeIndex from, NodeIndex to) {
    *std::ranges::find(cells(row), from) = to;
    --loads_[from];
    ++loads_[to];
    rows_of_[to].push_back(row);
  }
  /// Places that change hands more (1), or less (-1), by this replacement.
  [[nodiscard]] int cost(std::uint32_t row, NodeIndex from, NodeIndex to) const {
    return (held_before(row, to) ? 0 : 1) - (held_before(row, from) ? 0 : 1);
  }

  void move_directly() {
    for (NodeIndex from = 0; from < problem_.nodes(); ++from) {
      // Places that are new to this node anyway go first: they cost nothing.
      for (const bool new_ones : {true, false}) {
        if (!above(from)) break;
        const std::vector<std::uint32_t> rows = rows_of_[from];
        for (const std::uint32_t row : rows) {
          if (!above(from)) break;
          if (held_before(row, from) == new_ones) continue;
          const NodeIndex to = hungriest_for(row, from);
          if (to != kHole) replace(row, from, to);
        }
      }
    }
  }
  [[nodiscard]] NodeIndex hungriest_for(std::uint32_t row, NodeIndex from) {
    NodeIndex best = kHole;
    for (NodeIndex node = 0; node < problem_.nodes(); ++node) {
      if (!below(node) || (best != kHole && !preferred(row, node, best))) continue;
      if (may_replace(row, from, node)) best = node;
    }
    return best;
  }

  /// One place nearer to the targets, or false when they are reached.
  bool move_along_chain() {
    struct Step {
      NodeIndex from = kHole;  // kHole: not reached yet; itself: a start
    };
    std::vector<Step> steps(problem_.nodes());
    std::vector<NodeIndex> queue;
    std::vector<NodeIndex> unreached;
    for (NodeIndex node = 0; node < problem_.nodes(); ++node) {
      if (above(node)) {
        steps[node].from = node;
        queue.push_back(node);
      } else {
        unreached.push_back(node);
      }
    }
    if (queue.empty()) return false;
    for (std::size_t next = 0; next < queue.size(); ++next) {
      const NodeIndex from = queue[next];
      for (const std::uint32_t row : rows_of_[from]) {
        if (unreached.empty()) break;
        std::erase_if(unreached, [&](NodeIndex to) {
          if (!may_replace(row, from, to)) return false;
          steps[to].from = from;
          queue.push_back(to);
          return true;
        });
      }
      // The first one found has the shortest chain: levels are searched in order.
      const auto end = std::find_if(queue.begin() + static_cast<std::ptrdiff_t>(next) + 1,
                                    queue.end(), [&](NodeIndex node) { return below(node); });
      if (end == queue.end()) continue;
      for (NodeIndex to = *end; steps[to].from != to; to = steps[to].from) {
        replace(cheapest_row(steps[to].from, to), steps[to].from, to);
      }
      return true;
    }
    STATOR_ASSERT(false && "a table with these targets exists");
    return false;
  }
  [[nodiscard]] std::uint32_t cheapest_row(NodeIndex from, NodeIndex to) {
    std::uint32_t best = 0;
    int best_cost = 2;
    for (const std::uint32_t row : rows_of_[from]) {
      if (best_cost == -1) break;
      if (!may_replace(row, from, to)) continue;
      const int this_cost = cost(row, from, to);
      if (this_cost < best_cost) {
        best = row;
        best_cost = this_cost;
      }
    }
    STATOR_ASSERT(best_cost < 2);
    return best;
  }

  [[nodiscard]] PlacementTable table() const {
    PlacementTable out{problem_.partitions, problem_.width, {}};
    out.places.reserve(cells_.size());
    for (const NodeIndex node : cells_) out.places.push_back(problem_.ids[node]);
    return out;
  }

  static constexpr std::uint32_t kUnknown = std::numeric_limits<std::uint32_t>::max();

  const ClaimProblem& problem_;
  std::vector<NodeIndex> cells_;   // partitions x width
  std::vector<NodeIndex> before_;  // the previous table, as far as it can stay
  std::vector<std::uint32_t> loads_;
  std::vector<std::uint32_t> targets_;
  // Per node, from the moving steps on: the rows that it holds, and some that it has given away.
  std::vector<std::vector<std::uint32_t>> rows_of_;
  std::vector<std::uint32_t> order_;
  std::uint32_t needed_at_all_ = kUnknown;
};

}  // namespace

PlacementTable claim(std::uint32_t q, std::uint32_t n, std::span<const RingMember> members,
                     const PlacementTable* previous) {
  const ClaimProblem problem = make_claim_problem(q, n, members);
  STATOR_ASSERT(previous == nullptr || previous->partitions == q);
  return Claimer(problem).run(previous);
}

}  // namespace stator

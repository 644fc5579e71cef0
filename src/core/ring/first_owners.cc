#include "core/ring/first_owners.h"

#include <algorithm>
#include <cstddef>
#include <limits>

#include "base/assert.h"

namespace stator {
namespace {

using NodeIndex = std::uint16_t;
constexpr NodeIndex kNone = std::numeric_limits<NodeIndex>::max();

class FirstOwners {
 public:
  explicit FirstOwners(const PlacementTable& table)
      : width_(table.width), first_(table.partitions, 0) {
    std::vector<NodeId> ids = table.places;
    std::ranges::sort(ids);
    ids.erase(std::ranges::unique(ids).begin(), ids.end());
    held_.resize(ids.size());
    led_.resize(ids.size());
    cells_.reserve(table.places.size());
    for (const NodeId id : table.places) {
      const auto found = std::ranges::lower_bound(ids, id);
      cells_.push_back(static_cast<NodeIndex>(found - ids.begin()));
      ++held_[cells_.back()];
    }
    for (std::uint32_t row = 0; row < table.partitions; ++row) led_[cell(row, 0)].push_back(row);
  }

  std::vector<std::uint8_t> run() {
    // First nobody above the ceiling, then nobody below the floor; the second keeps the first.
    while (shift([&](NodeIndex n) { return led(n) > most(n); },
                 [&](NodeIndex n) { return led(n) < most(n); })) {
    }
    while (shift([&](NodeIndex n) { return led(n) > least(n); },
                 [&](NodeIndex n) { return led(n) < least(n); })) {
    }
    return first_;
  }

 private:
  [[nodiscard]] NodeIndex cell(std::uint32_t row, std::uint32_t place) const {
    return cells_[std::size_t{row} * width_ + place];
  }
  [[nodiscard]] std::size_t led(NodeIndex node) const { return led_[node].size(); }
  [[nodiscard]] std::size_t least(NodeIndex node) const { return held_[node] / width_; }
  [[nodiscard]] std::size_t most(NodeIndex node) const {
    return (held_[node] + width_ - 1) / width_;
  }

  /// Moves one lead along the shortest chain from a node that `gives` to one that `takes`: each
  /// node on the way hands a row that it leads to the next, which is in that row. False when nobody
  /// takes or nobody gives.
  template <typename Gives, typename Takes>
  bool shift(Gives&& gives, Takes&& takes) {
    std::vector<Link> links(led_.size());
    std::vector<NodeIndex> queue;
    for (NodeIndex node = 0; node < led_.size(); ++node) {
      if (!gives(node)) continue;
      links[node].from = node;
      queue.push_back(node);
    }
    for (std::size_t next = 0; next < queue.size(); ++next) {
      const NodeIndex from = queue[next];
      for (const std::uint32_t row : led_[from]) {
        for (std::uint32_t place = 0; place < width_; ++place) {
          const NodeIndex to = cell(row, place);
          if (links[to].from != kNone) continue;
          links[to] = {from, row, static_cast<std::uint8_t>(place)};
          if (takes(to)) {
            follow(links, to);
            return true;
          }
          queue.push_back(to);
        }
      }
    }
    return false;
  }

  struct Link {
    NodeIndex from = kNone;  // itself: a start
    std::uint32_t row = 0;
    std::uint8_t place = 0;
  };
  void follow(const std::vector<Link>& links, NodeIndex to) {
    for (; links[to].from != to; to = links[to].from) {
      const Link& link = links[to];
      first_[link.row] = link.place;
      std::erase(led_[link.from], link.row);
      led_[to].push_back(link.row);
    }
  }

  std::uint32_t width_;
  std::vector<NodeIndex> cells_;
  std::vector<std::uint32_t> held_;
  std::vector<std::vector<std::uint32_t>> led_;  // rows in which a node is first
  std::vector<std::uint8_t> first_;
};

}  // namespace

std::vector<std::uint8_t> first_owners(const PlacementTable& table) {
  STATOR_ASSERT(table.width >= 1);
  return FirstOwners(table).run();
}

}  // namespace stator

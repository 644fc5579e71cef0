#include "sim/key_graph.h"

#include <algorithm>
#include <functional>
#include <iterator>

namespace stator::sim {
namespace {

// Nothing that was born later lies below the write.
MonoTime horizon(const KeyGraph::Node& write) {
  return write.minted ? write.sees_until : MonoTime{INT64_MAX};
}

}  // namespace

KeyGraph::KeyGraph(const KeyLog& log, bool mints_known) {
  add_calls(log);
  if (mints_known) {
    add_mints(log);
    trace_unanswered(log);
  } else {
    guess_mints();
  }
  find_horizons();
  sort_covers();
  visited_.assign(nodes_.size(), 0);
}

KeyGraph::Index KeyGraph::find(const WriteId& id) const {
  const auto found = index_.find(id);
  return found == index_.end() ? kNone : found->second;
}

KeyGraph::Index KeyGraph::node_for(const WriteId& id) {
  const auto [at, added] = index_.emplace(id, static_cast<Index>(nodes_.size()));
  if (added) nodes_.push_back({.id = id});
  return at->second;
}

void KeyGraph::add_calls(const KeyLog& log) {
  for (const WriteCall& call : log.writes) {
    if (!call.id) continue;
    const Index index = node_for(call.id);
    std::vector<Index> seen;
    for (const WriteId& id : call.seen) seen.push_back(node_for(id));
    Node& node = nodes_[index];
    node.asked = true;
    node.plain = call.plain;
    node.tombstone = call.tombstone;
    node.value_hash = call.value_hash;
    node.asked_at = std::min(node.asked_at, call.begin);
    node.asked_last = std::max(node.asked_last, call.begin);
    if (call.outcome == Outcome::kUnknown) node.maybe_applied = true;
    if (call.outcome == Outcome::kOk) {
      node.acknowledged = true;
      if (call.end < node.acked_at) {
        node.acked_at = call.end;
        node.acked_by = owners_behind(call.evidence, call.quorum, call.owners);
      }
    }
    if (!call.plain) {
      for (const Index each : seen) {
        if (each != index && std::ranges::find(node.covers, each) == node.covers.end()) {
          node.covers.push_back(each);
        }
      }
    }
  }
}

void KeyGraph::add_mints(const KeyLog& log) {
  for (const MintEvent& mint : log.mints) {
    const Index index = node_for(mint.id);
    std::vector<Index> superseded;
    for (const WriteId& id : mint.superseded) {
      if (id != mint.id) superseded.push_back(node_for(id));
    }
    Node& node = nodes_[index];
    if (!node.minted) {
      node.minted = true;
      node.born_at = mint.when;
      // Of a write without a call that names it: only plain ones get their id from the node.
      if (!node.asked) node.plain = true;
      if (node.plain) node.covers_first = superseded;
    }
    node.sees_until = mint.when;
    if (node.plain) {
      for (const Index each : superseded) {
        if (std::ranges::find(node.covers, each) == node.covers.end()) node.covers.push_back(each);
      }
    }
  }
}

// Calls that were never answered and got their id from a node that died: each explains one minted
// write that nobody else asked for. Which one explains which is not known, nor needed.
void KeyGraph::trace_unanswered(const KeyLog& log) {
  std::vector<const WriteCall*> open;
  for (const WriteCall& call : log.writes) {
    if (!call.id && call.outcome == Outcome::kUnknown) open.push_back(&call);
  }
  std::vector<Index> unasked;
  for (Index i = 0; i < nodes_.size(); ++i) {
    if (!nodes_[i].asked && nodes_[i].minted) unasked.push_back(i);
  }
  std::ranges::sort(unasked, {}, [this](Index i) { return nodes_[i].born_at; });
  std::ranges::sort(open, {}, [](const WriteCall* call) { return call->begin; });
  auto next = open.begin();
  for (const Index i : unasked) {
    if (next == open.end() || (*next)->begin > nodes_[i].born_at) continue;
    nodes_[i].asked = true;
    nodes_[i].nameless = true;
    nodes_[i].maybe_applied = true;
    nodes_[i].asked_at = (*next)->begin;
    ++next;
  }
}

// A plain write may have met whatever was asked for before its answer; one without an answer may
// have been minted at any time. What a context covers was there before the write was asked for. So
// whatever lies below a plain write, along any path, is all that was asked before some time.
void KeyGraph::guess_mints() {
  struct Reach {
    MonoTime from{};
    MonoTime until{};
  };
  std::vector<Reach> plain;
  for (Node& node : nodes_) {
    if (!node.asked) continue;
    node.minted = true;
    node.born_at = node.asked_at;
    node.sees_until = node.asked_last;
    node.guessed = node.plain;
    if (node.plain) plain.push_back({node.asked_at, node.acked_at});
  }
  std::ranges::sort(plain, {}, &Reach::from);
  // The furthest that one of the first so many reaches; later ones that it meets carry it on.
  for (std::size_t i = 1; i < plain.size(); ++i) {
    plain[i].until = std::max(plain[i].until, plain[i - 1].until);
  }
  for (Node& node : nodes_) {
    if (!node.guessed) continue;
    MonoTime until = node.acked_at;
    for (;;) {
      const auto met = std::ranges::lower_bound(plain, until, {}, &Reach::from);
      if (met == plain.begin() || std::prev(met)->until <= until) break;
      until = std::prev(met)->until;
    }
    node.may_cover_until = node.sees_until = until;
  }
}

// A write sees what was there at its last mint; and what lies below a write that it covers, even
// where that was renewed over younger ones later. Writes are in about the order of their birth, so
// that few rounds are needed.
void KeyGraph::find_horizons() {
  for (bool changed = true; changed;) {
    changed = false;
    for (Node& node : nodes_) {
      for (const Index each : node.covers) {
        if (nodes_[each].sees_until <= node.sees_until) continue;
        node.sees_until = nodes_[each].sees_until;
        changed = true;
      }
    }
  }
}

// Thousands may lie below a write of a hot key; a search looks at those only that may reach as far
// as it must.
void KeyGraph::sort_covers() {
  const auto furthest = [this](Index each) { return horizon(nodes_[each]); };
  for (Node& node : nodes_) {
    std::ranges::sort(node.covers, std::greater{}, furthest);
    std::ranges::sort(node.covers_first, std::greater{}, furthest);
  }
}

bool KeyGraph::search(std::span<const Index> tops, Index low, bool surely) {
  if (std::ranges::find(tops, low) != tops.end()) return true;
  ++round_;
  const Node& sought = nodes_[low];
  // Nobody can have seen it before.
  const MonoTime since = sought.minted  ? sought.born_at
                         : sought.asked ? sought.asked_at
                                        : MonoTime{};
  stack_.clear();
  // False: neither this one nor, in the order of sorted covers, one that follows.
  const auto open = [&](Index at) {
    if (horizon(nodes_[at]) < since) return false;
    if (visited_[at] != round_) {
      visited_[at] = round_;
      stack_.push_back(at);
    }
    return true;
  };
  for (const Index top : tops) open(top);
  while (!stack_.empty()) {
    const Node& node = nodes_[stack_.back()];
    stack_.pop_back();
    if (!surely && sought.asked_at < node.may_cover_until) return true;
    for (const Index each : surely ? node.covers_surely() : node.covers) {
      if (each == low) return true;
      if (!open(each)) break;
    }
  }
  return false;
}

bool KeyGraph::reaches(std::span<const Index> tops, Index low) {
  return search(tops, low, false);
}

std::vector<bool> KeyGraph::closure(std::span<const Index> tops, bool surely) const {
  std::vector<bool> marked(nodes_.size(), false);
  std::vector<Index> open(tops.begin(), tops.end());
  MonoTime until{};
  while (!open.empty()) {
    const Index at = open.back();
    open.pop_back();
    if (marked[at]) continue;
    marked[at] = true;
    until = std::max(until, nodes_[at].may_cover_until);
    const std::vector<Index>& next = surely ? nodes_[at].covers_surely() : nodes_[at].covers;
    open.insert(open.end(), next.begin(), next.end());
  }
  if (surely) return marked;
  for (Index i = 0; i < nodes_.size(); ++i) {
    if (nodes_[i].asked_at < until) marked[i] = true;
  }
  return marked;
}

}  // namespace stator::sim

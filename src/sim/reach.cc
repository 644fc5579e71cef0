#include "sim/reach.h"

#include <algorithm>

namespace stator::sim {

Reach::Reach(std::size_t nodes) : nodes_(nodes), paths_(nodes * nodes) {}

void Reach::Thing::see(State now_is, std::uint64_t now_which, MonoTime now) {
  if (seen && now_is == state && now_which == which) return;
  // What an illness has left may last longer than what came between.
  if (seen) changed = std::max(changed, state == State::kIll ? now + kIllLasts : now);
  seen = true;
  state = now_is;
  which = now_which;
}

void Reach::see_node(std::size_t node, State state, std::uint64_t process, MonoTime now) {
  nodes_.at(node).see(state, process, now);
}

void Reach::see_path(std::size_t from, std::size_t to, State state, std::uint64_t resets,
                     MonoTime now) {
  paths_.at(from * nodes_.size() + to).see(state, resets, now);
}

bool Reach::meet(std::size_t a, std::size_t b, MonoTime since) const {
  if (!nodes_.at(a).well(since) || !nodes_.at(b).well(since)) return false;
  return a == b || (path(a, b).well(since) && path(b, a).well(since));
}

bool Reach::apart(std::size_t a, std::size_t b, MonoTime since) const {
  return nodes_.at(b).away(since) || (path(a, b).away(since) && path(b, a).away(since));
}

std::size_t Reach::reached(std::size_t node, MonoTime since) const {
  std::size_t count = 0;
  for (std::size_t other = 0; other < nodes_.size(); ++other) {
    if (meet(node, other, since)) ++count;
  }
  return count;
}

bool Reach::plainly_reaches(std::size_t node, std::size_t needed, MonoTime since) const {
  if (reached(node, since) < needed) return false;
  for (std::size_t other = 0; other < nodes_.size(); ++other) {
    if (other == node || apart(node, other, since)) continue;
    if (!meet(node, other, since) || reached(other, since) < needed) return false;
  }
  return true;
}

}  // namespace stator::sim

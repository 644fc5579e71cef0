#pragma once

#include <compare>
#include <cstdint>
#include <span>

#include "base/ids.h"
#include "base/small_vector.h"

// Causality of one key (paper 4.4; dotted version vectors, D1, D4, D5).
//
// An event is a dot. Its actor is (incarnation, life): the incarnation is random and made at every
// start of a process; a life begins at the first mint on a key whose local record holds no dot of
// the current life and is named by that first counter. So no counter is ever continued after a
// record was lost, moved or refilled. Counters of one incarnation rise within a partition; those of
// one actor rise on the key.

namespace stator {

struct Actor {
  Incarnation incarnation{};
  std::uint64_t life = 0;
  auto operator<=>(const Actor&) const = default;
};

struct Dot {
  Actor actor{};
  std::uint64_t counter = 0;  // from 1; 0 is "no dot"
  auto operator<=>(const Dot&) const = default;
};

/// A version vector: for each actor the highest counter seen. "Seen" means the event or one that
/// superseded it. Entries are kept sorted by actor, so that equal clocks have equal bytes. Never
/// pruned (D5).
class Clock {
 public:
  [[nodiscard]] bool covers(const Dot& dot) const { return counter_of(dot.actor) >= dot.counter; }
  [[nodiscard]] bool covers(const Clock& other) const;
  /// 0 when the actor is not in the clock.
  [[nodiscard]] std::uint64_t counter_of(const Actor& actor) const;
  /// Raises the actor's entry to the dot's counter; never lowers one.
  void add(const Dot& dot);
  void merge(const Clock& other);
  void clear() { entries_.clear(); }
  [[nodiscard]] bool empty() const { return entries_.empty(); }
  [[nodiscard]] std::span<const Dot> entries() const { return entries_.view(); }
  bool operator==(const Clock& other) const = default;

 private:
  SmallVector<Dot, 4> entries_;
};

}  // namespace stator

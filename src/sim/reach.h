#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/time.h"

namespace stator::sim {

/// Who reaches whom in a run, and since when, as one knows who makes its faults: by this refusals
/// are judged (refusals.h). It says only what is plain. Nodes find out what has changed after a
/// while only, and between there and away lies much of which nobody can say what follows: of that
/// it says nothing.
///
/// It is told how each node and each path is, after each change, so that no state comes and goes
/// unseen. What it is told first has been so for ever. Pure.
class Reach {
 public:
  enum class State : std::uint8_t {
    kWell,  // a node that runs; a path on which everything arrives soon
    kAway,  // a node of which nothing runs; a path that is cut
    kIll,   // anything between: slow, lossy, stands still, about to end, a disk that fails
  };
  explicit Reach(std::size_t nodes);

  /// `process`: which one of that node, so that one which was started anew is another.
  void see_node(std::size_t node, State state, std::uint64_t process, MonoTime now);
  /// In one direction. `resets`: how often its connections were broken.
  void see_path(std::size_t from, std::size_t to, State state, std::uint64_t resets, MonoTime now);

  [[nodiscard]] std::size_t nodes() const { return nodes_.size(); }
  /// Itself, if it is well, and those that are and with which it exchanges messages: all the time
  /// from `since` to the last look, and for so long before that everybody knows it.
  [[nodiscard]] std::size_t reached(std::size_t node, MonoTime since) const;
  /// Whoever asks `node` for what takes `needed` nodes gets it, whomever it hands that on to: it
  /// reaches so many, and so does each of those; and who is none of them has been away for it all
  /// the time from `since` on.
  [[nodiscard]] bool plainly_reaches(std::size_t node, std::size_t needed, MonoTime since) const;

  /// Until all others have found that a node or a path is well again: a dial that nobody answers is
  /// begun anew after a second, and the next ping comes after two at most (LimitPlan). That one is
  /// away nobody need have found: who is taken to be there is no reason to refuse.
  static constexpr Duration kSettle = seconds(4);
  /// What was held up on a path may come so much later, in front of all that was sent behind it
  /// (NetworkLimits::keep_alive_min).
  static constexpr Duration kIllLasts = seconds(5);

 private:
  struct Thing {
    void see(State now_is, std::uint64_t now_which, MonoTime now);
    [[nodiscard]] bool well(MonoTime since) const {
      return state == State::kWell && changed + kSettle <= since;
    }
    [[nodiscard]] bool away(MonoTime since) const {
      return state == State::kAway && changed <= since;
    }

    State state = State::kWell;
    bool seen = false;
    std::uint64_t which = 0;
    MonoTime changed{INT64_MIN / 2};
  };
  [[nodiscard]] const Thing& path(std::size_t from, std::size_t to) const {
    return paths_.at(from * nodes_.size() + to);
  }
  [[nodiscard]] bool meet(std::size_t a, std::size_t b, MonoTime since) const;
  [[nodiscard]] bool apart(std::size_t a, std::size_t b, MonoTime since) const;

  std::vector<Thing> nodes_;
  std::vector<Thing> paths_;  // by from, then to
};

}  // namespace stator::sim

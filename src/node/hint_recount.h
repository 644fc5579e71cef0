#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "env/executor.h"
#include "storage/engine.h"

namespace stator::node {

struct ShardContext;

/// Finds the hints that an earlier process of this node left in its store, and counts them into the
/// shard's HintBacklog: in bounded steps, so that a start waits for nothing (D14, D19). A range
/// that cannot be read to its end holds up no other one: what was met of it is counted, and the
/// rest is looked for again and again. One per shard, on its loop only.
class HintRecount {
 public:
  explicit HintRecount(ShardContext& context) : context_(context) {}
  ~HintRecount() { stop(); }
  HintRecount(const HintRecount&) = delete;
  HintRecount& operator=(const HintRecount&) = delete;

  /// `on_counted` when all that can be read is counted, and whenever more of the rest was looked
  /// for.
  void start(Callback<void()> on_counted);
  void stop();

 private:
  /// A range that could not be read to its end.
  struct Rest {
    std::uint32_t range = 0;
    std::string after;  // the last key counted in it
  };
  void step();
  void step_after(Duration pause);
  void count_some(std::uint32_t ranges);
  [[nodiscard]] bool count_again();
  [[nodiscard]] bool count_in(std::uint32_t range, std::string& after, std::size_t& seen);

  ShardContext& context_;
  std::uint32_t range_ = 0;  // the next of this shard's
  std::string after_;        // the last key counted in it
  std::deque<Rest> unread_;
  Callback<void()> on_counted_;
  env::TimerId timer_{};
};

}  // namespace stator::node

#pragma once

#include "env/executor.h"
#include "storage/engine.h"

namespace stator::node {

struct ShardContext;

/// Finds the hints that an earlier process of this node left in its store, and counts them into the
/// shard's HintBacklog: in bounded steps, so that a start waits for nothing (D14, D19). What cannot
/// be scanned now is tried again. One per shard, on its loop only.
class HintRecount {
 public:
  explicit HintRecount(ShardContext& context) : context_(context) {}
  ~HintRecount() { stop(); }
  HintRecount(const HintRecount&) = delete;
  HintRecount& operator=(const HintRecount&) = delete;

  /// `done` when all are counted.
  void start(Callback<void()> done);
  void stop();

 private:
  void step();
  void step_after(Duration pause);
  /// False: the store could not be read now.
  [[nodiscard]] bool count_some();

  ShardContext& context_;
  std::uint32_t range_ = 0;  // the next of this shard's
  std::string after_;        // the last key counted in it
  Callback<void()> done_;
  env::TimerId timer_{};
};

}  // namespace stator::node

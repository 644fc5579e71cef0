#pragma once

#include <cmath>
#include <cstdint>

#include "base/hash.h"
#include "env/buggify.h"
#include "env_sim/random.h"

namespace stator::sim {

/// Of one world: which points strike in this run, and how often. A quarter of them does, each at a
/// rate of its own between one in 500 and one in four.
class BuggifyPlan {
 public:
  explicit BuggifyPlan(std::uint64_t seed) : seed_(seed) {}

  bool on = false;  // switched by the adversary; a world is healthy until then

  /// For tests: switches it on, so that this point strikes at each visit and no other does.
  void force(env::BuggifyPoint point) {
    on = true;
    forced_ = point.hash;
  }

  /// The share of its visits in which a point strikes.
  [[nodiscard]] double rate(env::BuggifyPoint point) const {
    if (forced_ != 0) return point.hash == forced_ ? 1 : 0;
    const std::uint64_t draw = mix64(seed_ ^ point.hash);
    if ((draw & 3U) != 0) return 0;
    const double position = static_cast<double>(draw >> 11) * 0x1p-53;
    return kRarest * std::pow(kOftenest / kRarest, position);
  }

 private:
  static constexpr double kRarest = 0.002;
  static constexpr double kOftenest = 0.25;
  std::uint64_t seed_;
  std::uint64_t forced_ = 0;  // the hash of a point
};

/// Of one shard.
class SimBuggify final : public env::Buggify {
 public:
  SimBuggify(const BuggifyPlan& plan, Random random) : plan_(plan), random_(random) {}
  [[nodiscard]] bool strikes(env::BuggifyPoint point) override {
    return plan_.on && random_.chance(plan_.rate(point));
  }

 private:
  const BuggifyPlan& plan_;
  Random random_;
};

}  // namespace stator::sim

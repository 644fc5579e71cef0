#pragma once

#include <algorithm>
#include <cstdint>

namespace stator {

/// How many requests may be asked twice. A hedge helps the few that are late; when all are late it
/// only doubles the load. So hedges are at most one in ten requests, and a few per second where
/// there are few requests, in bursts of at most kBurst. Pure; one per shard.
class HedgeBudget {
 public:
  void on_request() { credit_ = std::min(credit_ + 1, kBurst * kRequestsPerHedge); }
  /// A hundred times per second, while requests wait.
  void on_tick() { credit_ = std::min(credit_ + kRequestsPerHedge, kBurst * kRequestsPerHedge); }
  [[nodiscard]] bool available() const { return credit_ >= kRequestsPerHedge; }
  void spend(std::int64_t hedges) { credit_ -= hedges * kRequestsPerHedge; }

  static constexpr std::int64_t kRequestsPerHedge = 10;
  static constexpr std::int64_t kBurst = 200;

 private:
  std::int64_t credit_ = kBurst * kRequestsPerHedge;
};

}  // namespace stator

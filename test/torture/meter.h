#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "env/executor.h"
#include "sim/client.h"

namespace stator::torture {

/// Counts what clients see between two questions, and hands all on to the history. On the loop.
class Meter final : public sim::CallWitness {
 public:
  Meter(const env::Executor& executor, sim::CallWitness& history)
      : executor_(executor), history_(history) {}

  void sent(sim::Operation& operation) override;
  void answered(const sim::Operation& operation, const sim::Reply& reply) override;
  void unanswered(const sim::Operation& operation) override;

  /// Since the last question, as the members of a JSON object. Latencies, in milliseconds, are of
  /// operations that ended well, from the time at which they were due. `failed_since` counts those
  /// that were due since then; others may have failed that were begun before.
  [[nodiscard]] std::string take_window();

  [[nodiscard]] std::uint64_t acknowledged() const { return acknowledged_; }

 private:
  void failed(const sim::Operation& operation);

  const env::Executor& executor_;
  sim::CallWitness& history_;
  std::vector<std::uint32_t> took_us_;
  std::uint64_t errors_ = 0;
  std::uint64_t unanswered_ = 0;
  std::uint64_t failed_since_ = 0;
  MonoTime asked_at_{};
  std::uint64_t in_flight_ = 0;
  std::uint64_t acknowledged_ = 0;  // writes, in all
};

}  // namespace stator::torture

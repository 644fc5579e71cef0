#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "sim/schedule.h"

// Makes a failed run small: leaves out what it fails without (delta debugging, Zeller 2002). What
// is left is a list of few strikes and few operations that a person can follow.

namespace stator::sim {

/// How large a run is that is to be shrunk.
struct ShrinkInput {
  Schedule schedule;  // that breaks
  Duration length{};  // of the part with faults
  /// The numbers of all strikes and operations that took place, in rising order.
  std::vector<std::uint64_t> strikes;
  std::vector<std::uint64_t> operations;
  /// Those among them that touch what broke: a first guess of what is enough.
  std::vector<std::uint64_t> suspects;
  std::uint64_t runs_max = 400;
};

struct Shrunk {
  Schedule schedule;  // breaks too
  std::vector<std::uint64_t> strikes;
  std::vector<std::uint64_t> operations;
  std::uint64_t runs = 0;

  [[nodiscard]] std::size_t events() const { return strikes.size() + operations.size(); }
};

/// Runs a schedule: whether it breaks what the whole one broke.
using Breaks = std::function<bool(const Schedule&)>;

/// Depends on nothing but its arguments. A run that is left something out is another run, in which
/// chance falls differently: so what does not break is tried in a few variations before it counts
/// as needed.
[[nodiscard]] Shrunk shrink(const ShrinkInput& input, const Breaks& breaks);

}  // namespace stator::sim

#include "sim/limits.h"

#include <cmath>

namespace stator::sim {
namespace {

constexpr double kOtherLimits = 0.3;  // of restarts
constexpr double kTouched = 0.5;      // of the settings on the menu

double log_uniform(Random& random, double low, double high) {
  return low * std::pow(high / low, random.fraction());
}

std::uint64_t draw_bytes(Random& random, std::uint64_t low, std::uint64_t high) {
  return static_cast<std::uint64_t>(
      log_uniform(random, static_cast<double>(low), static_cast<double>(high)));
}

// The adversary leaves 64 KiB on a full disk at most: marks beyond that are passed at once.
WaterMarks draw_marks(Random& random) {
  WaterMarks marks;
  marks.refuse = draw_bytes(random, 4 << 10, 64 << 10);
  marks.low = 2 * marks.refuse;
  marks.read_only = random.below(marks.refuse);
  return marks;
}

Duration draw_ms(Random& random, double low, double high) {
  return microseconds(static_cast<std::int64_t>(1'000 * log_uniform(random, low, high)));
}

}  // namespace

void LimitPlan::draw(std::uint32_t node, node::NodeOptions& options) {
  std::uint64_t& draws = draws_.at(node);
  if (draws == 0 || random_.chance(kOtherLimits)) ++draws;
  Random random = random_.fork("node", (std::uint64_t{node} << 32) | draws);
  unsigned kind = 0;
  const auto touched_by = [this, &kind](Random& from) {
    const bool allowed = menu_.allows(FaultFamily::kLimits, kind++);
    return from.chance(kTouched) && allowed;
  };
  const auto touched = [&] { return touched_by(random); };
  if (touched()) {
    options.operations_max = static_cast<std::size_t>(log_uniform(random, 100, 10'000));
  }
  if (touched()) options.request_timeout = draw_ms(random, 300, 3'000);
  if (touched()) options.hedge_after = draw_ms(random, 2, 500);
  if (touched()) options.ping_interval = draw_ms(random, 100, 2'000);
  if (touched()) options.silence_max = draw_ms(random, 150, 3'000);
  if (touched()) {
    options.read_repair_share_ppm =
        random.chance(0.3) ? 0 : static_cast<std::uint32_t>(log_uniform(random, 1'000, 1'000'000));
  }
  if (touched()) {
    options.limits.siblings_max = static_cast<std::size_t>(log_uniform(random, 2, 100));
  }
  if (touched() && keeps_files_) {
    options.durability = random.chance(0.7) ? node::Durability::kOne : node::Durability::kNone;
  }
  Random room = random.fork("room");
  // Hints have two minutes, and the audit twenty passes, of what is left undone in the first ones.
  if (touched_by(room)) {
    options.background_bytes_per_second = draw_bytes(room, 8 << 20, 64 << 20);
  }
  if (touched_by(room)) options.hint_bytes_max = draw_bytes(room, 1 << 10, 16 << 20);
  if (touched_by(room)) options.disk.marks = draw_marks(room);
}

}  // namespace stator::sim

#include "sim/shrink.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace stator::sim {
namespace {

using Numbers = std::vector<std::uint64_t>;

constexpr int kHalvings = 7;                // of the length
constexpr std::uint64_t kVariations = 3;    // of each attempt
constexpr std::size_t kFewOperations = 64;  // beyond, single ones are not looked for
constexpr int kRoundsMax = 3;

class Shrinker {
 public:
  Shrinker(const ShrinkInput& input, const Breaks& breaks) : breaks_(breaks), input_(input) {
    best_.schedule = input.schedule;
    best_.strikes = input.strikes;
    best_.operations = input.operations;
  }

  Shrunk run() {
    shorten();
    if (!input_.suspects.empty()) try_operations(common(input_.suspects, best_.operations));
    if (!best_.strikes.empty()) try_strikes({});
    for (int round = 0; round < kRoundsMax; ++round) {
      const std::size_t before = best_.events();
      reduce(best_.strikes, 1, [this](Numbers kept) { return try_strikes(std::move(kept)); });
      const std::size_t grain = std::max<std::size_t>(1, best_.operations.size() / kFewOperations);
      reduce(best_.operations, grain,
             [this](Numbers kept) { return try_operations(std::move(kept)); });
      if (best_.events() == before) break;
    }
    return best_;
  }

 private:
  [[nodiscard]] bool exhausted() const { return best_.runs >= input_.runs_max; }

  // The variation that worked last is tried first: chance that fell right once may do so again.
  std::optional<Schedule> attempt(Schedule schedule) {
    const std::uint64_t first = schedule.variation;
    for (std::uint64_t i = 0; i < kVariations && !exhausted(); ++i) {
      schedule.variation = first + i;
      ++best_.runs;
      if (breaks_(schedule)) return schedule;
    }
    return std::nullopt;
  }

  void shorten() {
    Duration works = std::min(input_.length, input_.schedule.until);
    Duration fails{};
    for (int i = 0; i < kHalvings; ++i) {
      Schedule shorter = best_.schedule;
      shorter.until = milliseconds((works + fails).ms() / 2);
      if (shorter.until.ns <= 0) break;
      if (const auto broken = attempt(shorter)) {
        best_.schedule = *broken;
        works = shorter.until;
      } else {
        fails = shorter.until;
      }
    }
  }

  bool try_strikes(Numbers kept) {
    return try_kept(&Schedule::strikes, &Shrunk::strikes, std::move(kept));
  }
  bool try_operations(Numbers kept) {
    return try_kept(&Schedule::operations, &Shrunk::operations, std::move(kept));
  }
  bool try_kept(NumberSet Schedule::* scheduled, Numbers Shrunk::* left, Numbers kept) {
    Schedule schedule = best_.schedule;
    schedule.*scheduled = NumberSet::of(kept);
    const auto broken = attempt(schedule);
    if (!broken) return false;
    best_.schedule = *broken;
    best_.*left = std::move(kept);
    return true;
  }

  // `now` is what is left, which `keep` replaces when what it is given is enough.
  template <typename Keep>
  void reduce(const Numbers& now, std::size_t grain, Keep keep) {
    std::size_t parts = 2;
    while (now.size() > 1 && !exhausted()) {
      const std::size_t size = std::max(grain, (now.size() + parts - 1) / parts);
      bool smaller = false;
      for (std::size_t begin = 0; begin < now.size() && !exhausted();) {
        if (keep(without(now, begin, size))) {
          smaller = true;  // what followed has moved up to `begin`
        } else {
          begin += size;
        }
      }
      if (size <= grain && !smaller) return;
      parts = size <= grain ? parts : std::min(now.size(), parts * 2);
    }
    if (now.size() == 1 && !exhausted()) keep(Numbers{});
  }

  static Numbers without(const Numbers& all, std::size_t begin, std::size_t size) {
    Numbers rest(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(begin));
    const std::size_t end = std::min(all.size(), begin + size);
    rest.insert(rest.end(), all.begin() + static_cast<std::ptrdiff_t>(end), all.end());
    return rest;
  }
  static Numbers common(const Numbers& a, const Numbers& b) {
    Numbers both;
    std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
    return both;
  }

  const Breaks& breaks_;
  const ShrinkInput& input_;
  Shrunk best_;
};

}  // namespace

Shrunk shrink(const ShrinkInput& input, const Breaks& breaks) {
  return Shrinker(input, breaks).run();
}

}  // namespace stator::sim

#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/time.h"

// What of a run takes place. A seed draws a long list of events: the strikes of its adversary and
// the operations of its clients, each numbered, and each drawn from a random stream of its own. So
// any of them can be left out without changing what the others are, which is how a failed run is
// made small (sim/shrink.h).

namespace stator::sim {

/// A set of numbers as runs of them: "3,7-12", "all", "none".
class NumberSet {
 public:
  using Run = std::pair<std::uint64_t, std::uint64_t>;  // first and last, both in it

  [[nodiscard]] static NumberSet all();
  [[nodiscard]] static NumberSet none() { return {}; }
  /// Of numbers in rising order, without repeats.
  [[nodiscard]] static NumberSet of(const std::vector<std::uint64_t>& numbers);
  [[nodiscard]] static Result<NumberSet> parse(std::string_view text);

  [[nodiscard]] bool contains(std::uint64_t number) const;
  [[nodiscard]] bool is_all() const;
  [[nodiscard]] std::string text() const;
  bool operator==(const NumberSet&) const = default;

 private:
  std::vector<Run> runs_;  // in order, apart
};

struct Schedule {
  /// The adversary heals, and the clients' last seconds begin, when so much of the run is over, if
  /// that is earlier than it would be.
  Duration until{std::numeric_limits<std::int64_t>::max()};
  NumberSet strikes = NumberSet::all();
  NumberSet operations = NumberSet::all();
  /// Another number lets chance of the network and of the machines, of which no event is numbered,
  /// fall differently: where something was left out, the rest falls differently anyway.
  std::uint64_t variation = 0;

  [[nodiscard]] bool whole() const;
  bool operator==(const Schedule&) const = default;
};

/// As options of `stator sim`, each with a space in front; empty for the whole.
[[nodiscard]] std::string to_flags(const Schedule& schedule);

}  // namespace stator::sim

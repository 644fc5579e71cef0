#pragma once

#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include "base/time.h"

// How much a node holds, and when that is too much: the judgement of I14 and I20, apart from the
// looking (sim/bounds.h), so that it can be tested with figures that no run has.

namespace stator::sim {

/// Of one shard at one moment, between two events.
struct Holdings {
  /// By when the first of the open operations has to be over.
  MonoTime first_deadline{std::numeric_limits<std::int64_t>::max()};
  std::size_t operations = 0;    // of clients, in the largest of the tables
  std::size_t waiting = 0;       // requests, as the admission counts them
  std::size_t walks = 0;         // of SCAN, and explanations
  std::size_t merges = 0;        // what peers gave, and the engine has not stored yet
  std::size_t hints = 0;         // being delivered
  std::size_t reads = 0;         // that wait for the engine
  std::size_t staged_bytes = 0;  // that wait for the engine
  std::size_t link_bytes = 0;    // that wait on one link, the most
  std::size_t stream_bytes = 0;  // that one client does not take, the most
  std::size_t timers = 0;
  std::size_t listeners = 0;
  std::size_t links = 0;
  std::size_t streams = 0;  // connections of clients
};

/// No operation is open longer than its deadline and this (I14).
inline constexpr Duration kOverdueMax = seconds(1);

/// What is over the limit, each a sentence; `most` holds the limits in the same fields. An
/// operation is judged only where the shard is not behind with its timers: `behind` says that it
/// is.
[[nodiscard]] std::vector<std::string> over_limits(const Holdings& held, const Holdings& most,
                                                   MonoTime now, bool behind);
/// What has not been given back when all is over, each a sentence: nothing may be under way any
/// more, and what is always there, as in `fresh`, has not grown.
[[nodiscard]] std::vector<std::string> left_over(const Holdings& held, const Holdings& fresh);

}  // namespace stator::sim

#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cli/bench/histogram.h"
#include "cli/bench/operation.h"
#include "cli/bench/stale_check.h"

namespace stator::bench {

/// Why an operation of the load did not end well.
enum class Failure : std::uint8_t {
  kUnknown,         // -UNKNOWN: the write may be visible, now or later
  kTryAgain,        // -TRYAGAIN: not applied
  kRefused,         // any other error answer
  kConnectionLost,  // sent, and the connection ended before the answer
  kNoAnswer,        // sent, and nothing came within the time limit
};
inline constexpr std::size_t kFailures = 5;
inline constexpr std::array<std::string_view, kFailures> kFailureNames = {
    "unknown", "tryagain", "refused", "connection_lost", "no_answer"};

/// By the prefix of an error answer.
[[nodiscard]] Failure failure_of(std::string_view error);

/// What one kind of operation came to.
struct KindTally {
  Histogram latency;            // of those that ended well, in nanoseconds
  Histogram refusal;            // of -TRYAGAIN answers, from when the operation left
  std::uint64_t not_found = 0;  // reads that ended well and found nothing
  std::array<std::uint64_t, kFailures> failures{};

  [[nodiscard]] std::uint64_t failed() const;
};

/// Error answers of one prefix, with an example.
struct Refusal {
  std::string prefix;
  std::uint64_t count = 0;
  std::string example;
};

/// What the counted part of a run came to. Bounded: one histogram for each kind of operation, and
/// at most kRefusalsMax prefixes.
struct Tally {
  std::array<KindTally, kOpKinds> kinds;
  Histogram lag;  // open loop: how much later than meant operations left, in nanoseconds
  std::vector<Refusal> refusals;
  std::uint64_t not_sent = 0;               // open loop: due, and never sent
  std::array<std::uint64_t, 4> verdicts{};  // by Verdict, of the reads that were checked

  static constexpr std::size_t kRefusalsMax = 16;

  void succeeded(OpKind kind, Duration latency, bool not_found);
  /// `after`: how long after the operation left `error` came.
  void failed(OpKind kind, Failure failure, std::string_view error = {}, Duration after = {});
  void merge(const Tally& other);

  [[nodiscard]] KindTally& of(OpKind kind) { return kinds[static_cast<std::size_t>(kind)]; }
  [[nodiscard]] const KindTally& of(OpKind kind) const {
    return kinds[static_cast<std::size_t>(kind)];
  }
  /// All kinds together.
  [[nodiscard]] KindTally total() const;
  [[nodiscard]] std::uint64_t verdict(Verdict verdict) const {
    return verdicts[static_cast<std::size_t>(verdict)];
  }
};

}  // namespace stator::bench

#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/random.h"

// The three partitioning strategies of the paper's section 6.2 and the rings of single tokens of
// its Figures 2 and 7: to show and to measure them beside our own placement. The product never uses
// them.
//
// The ring here is 64 bits wide, which stands for the top of the 128. A token owns the region from
// its predecessor (excluded) to itself (included), so a position that equals a token belongs to
// that token; Figure 2 writes it (A,B]. Hosts are numbers from 0. Pure, no thread affinity.

namespace stator::strategies {

using Host = std::uint32_t;
using RingPoint = std::uint64_t;

struct Token {
  RingPoint position = 0;
  Host host = 0;
  auto operator<=>(const Token&) const = default;
};

/// (from, to], running over the end of the ring where from >= to. The whole ring if from == to.
struct KeyRange {
  RingPoint from = 0;
  RingPoint to = 0;
  auto operator<=>(const KeyRange&) const = default;
};

/// Tokens on a ring (paper 4.2): strategy 1, and the walk that strategies 2 and 3 use.
class TokenRing {
 public:
  /// At least one token; positions distinct (asserted).
  explicit TokenRing(std::vector<Token> tokens);

  [[nodiscard]] std::span<const Token> tokens() const { return tokens_; }
  [[nodiscard]] std::uint32_t hosts() const { return hosts_; }

  /// Clockwise from `point`, each host once (paper 4.3: positions are skipped so that the list only
  /// holds distinct nodes); at most `length` of them.
  [[nodiscard]] std::vector<Host> preference_list(RingPoint point, std::size_t length) const;
  /// The key ranges for which `host` is among the first `n` distinct hosts, in order of position,
  /// neighbours not joined: one range per token's region.
  [[nodiscard]] std::vector<KeyRange> coverage(Host host, std::uint32_t n) const;
  /// Per host: share of the ring for which it is among the first `n` distinct hosts. Sums to
  /// min(n, hosts).
  [[nodiscard]] std::vector<double> loads(std::uint32_t n) const;

 private:
  template <typename Visit>
  void walk(std::size_t token, std::uint32_t length, Visit&& visit) const;
  [[nodiscard]] std::size_t token_for(RingPoint point) const;
  [[nodiscard]] KeyRange region(std::size_t token) const;

  std::vector<Token> tokens_;  // by position
  std::uint32_t hosts_ = 0;    // highest host + 1
  std::uint32_t distinct_ = 0;
};

/// Equal partitions whose first hosts are found on a token ring (strategies 2 and 3).
class PartitionedRing {
 public:
  /// Partition p holds the points from p/q of the ring on up to, and without, (p+1)/q.
  PartitionedRing(TokenRing ring, std::uint32_t q);

  [[nodiscard]] std::uint32_t partitions() const { return q_; }
  [[nodiscard]] const TokenRing& tokens() const { return ring_; }
  [[nodiscard]] std::uint32_t partition_of(RingPoint point) const;
  /// The last point of a partition, where the walk starts: the paper places a partition on the
  /// first N distinct nodes met clockwise from its end.
  [[nodiscard]] RingPoint end_of(std::uint32_t partition) const;
  [[nodiscard]] std::vector<Host> preference_list(RingPoint point, std::size_t length) const;
  [[nodiscard]] std::vector<double> loads(std::uint32_t n) const;

 private:
  TokenRing ring_;
  std::uint32_t q_;
};

/// Strategy 1: `tokens_per_host` random tokens for each of `hosts`; partition by token value.
[[nodiscard]] TokenRing strategy1(SplitMix64& random, std::uint32_t hosts,
                                  std::uint32_t tokens_per_host);
/// Strategy 2: the tokens of strategy 1, and `q` equal partitions.
[[nodiscard]] PartitionedRing strategy2(SplitMix64& random, std::uint32_t hosts,
                                        std::uint32_t tokens_per_host, std::uint32_t q);
/// Strategy 3: `q` equal partitions with one token at the end of each, q/hosts for each host, dealt
/// at random. `hosts` divides `q` (asserted).
[[nodiscard]] PartitionedRing strategy3(SplitMix64& random, std::uint32_t hosts, std::uint32_t q);

/// The paper's load balancing efficiency: mean load / load of the hottest host.
[[nodiscard]] double efficiency(std::span<const double> loads);

}  // namespace stator::strategies

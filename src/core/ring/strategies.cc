#include "core/ring/strategies.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/assert.h"

namespace stator::strategies {
namespace {

std::vector<Token> random_tokens(SplitMix64& random, std::uint32_t hosts,
                                 std::uint32_t tokens_per_host) {
  std::vector<Token> tokens;
  tokens.reserve(std::size_t{hosts} * tokens_per_host);
  for (Host host = 0; host < hosts; ++host) {
    for (std::uint32_t i = 0; i < tokens_per_host; ++i) tokens.push_back({random.next(), host});
  }
  return tokens;
}

/// The last point of partition p of q: (p+1)/q of the ring, rounded down, minus one.
RingPoint last_point(std::uint32_t partition, std::uint32_t q) {
  const std::uint64_t run = ~0ULL / q;
  const std::uint64_t rest = ~0ULL % q + 1;  // 2^64 = run * q + rest
  return run * (partition + 1ULL) + rest * (partition + 1ULL) / q - 1;
}

}  // namespace

TokenRing::TokenRing(std::vector<Token> tokens) : tokens_(std::move(tokens)) {
  STATOR_ASSERT(!tokens_.empty());
  std::ranges::sort(tokens_);
  std::vector<bool> seen;
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    STATOR_ASSERT(i == 0 || tokens_[i - 1].position < tokens_[i].position);
    hosts_ = std::max(hosts_, tokens_[i].host + 1);
    seen.resize(hosts_);
    if (!seen[tokens_[i].host]) ++distinct_;
    seen[tokens_[i].host] = true;
  }
}

/// Calls visit(host) for the first `length` distinct hosts from this token on.
template <typename Visit>
void TokenRing::walk(std::size_t token, std::uint32_t length, Visit&& visit) const {
  std::vector<Host> met;
  const std::size_t wanted = std::min(length, distinct_);
  for (; met.size() < wanted; token = token + 1 == tokens_.size() ? 0 : token + 1) {
    const Host host = tokens_[token].host;
    if (std::ranges::find(met, host) != met.end()) continue;
    met.push_back(host);
    visit(host);
  }
}

std::size_t TokenRing::token_for(RingPoint point) const {
  const auto found = std::ranges::lower_bound(tokens_, point, {}, &Token::position);
  return found == tokens_.end() ? 0 : static_cast<std::size_t>(found - tokens_.begin());
}

KeyRange TokenRing::region(std::size_t token) const {
  return {tokens_[token == 0 ? tokens_.size() - 1 : token - 1].position, tokens_[token].position};
}

std::vector<Host> TokenRing::preference_list(RingPoint point, std::size_t length) const {
  std::vector<Host> list;
  walk(token_for(point), static_cast<std::uint32_t>(std::min<std::size_t>(length, distinct_)),
       [&](Host host) { list.push_back(host); });
  return list;
}

std::vector<KeyRange> TokenRing::coverage(Host host, std::uint32_t n) const {
  std::vector<KeyRange> ranges;
  for (std::size_t token = 0; token < tokens_.size(); ++token) {
    walk(token, n, [&](Host met) {
      if (met == host) ranges.push_back(region(token));
    });
  }
  return ranges;
}

std::vector<double> TokenRing::loads(std::uint32_t n) const {
  std::vector<double> loads(hosts_);
  for (std::size_t token = 0; token < tokens_.size(); ++token) {
    const KeyRange range = region(token);
    const std::uint64_t length = range.to - range.from;  // wraps as the ring does
    const double share = tokens_.size() == 1 ? 1.0 : static_cast<double>(length) * 0x1.0p-64;
    walk(token, n, [&](Host met) { loads[met] += share; });
  }
  return loads;
}

PartitionedRing::PartitionedRing(TokenRing ring, std::uint32_t q) : ring_(std::move(ring)), q_(q) {
  STATOR_ASSERT(q >= 1);
}

std::uint32_t PartitionedRing::partition_of(RingPoint point) const {
  std::uint32_t low = 0;
  std::uint32_t high = q_ - 1;
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    if (point <= end_of(middle)) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

RingPoint PartitionedRing::end_of(std::uint32_t partition) const {
  return last_point(partition, q_);
}

std::vector<Host> PartitionedRing::preference_list(RingPoint point, std::size_t length) const {
  return ring_.preference_list(end_of(partition_of(point)), length);
}

std::vector<double> PartitionedRing::loads(std::uint32_t n) const {
  std::vector<double> loads(ring_.hosts());
  for (std::uint32_t p = 0; p < q_; ++p) {
    for (const Host host : ring_.preference_list(end_of(p), n)) loads[host] += 1.0 / q_;
  }
  return loads;
}

TokenRing strategy1(SplitMix64& random, std::uint32_t hosts, std::uint32_t tokens_per_host) {
  return TokenRing(random_tokens(random, hosts, tokens_per_host));
}

PartitionedRing strategy2(SplitMix64& random, std::uint32_t hosts, std::uint32_t tokens_per_host,
                          std::uint32_t q) {
  return {TokenRing(random_tokens(random, hosts, tokens_per_host)), q};
}

PartitionedRing strategy3(SplitMix64& random, std::uint32_t hosts, std::uint32_t q) {
  STATOR_ASSERT(hosts >= 1 && q % hosts == 0);
  std::vector<Host> deal(q);
  for (std::uint32_t i = 0; i < q; ++i) deal[i] = i % hosts;
  random.shuffle(std::span<Host>(deal));
  std::vector<Token> tokens;
  tokens.reserve(q);
  for (std::uint32_t p = 0; p < q; ++p) tokens.push_back({last_point(p, q), deal[p]});
  return {TokenRing(std::move(tokens)), q};
}

double efficiency(std::span<const double> loads) {
  STATOR_ASSERT(!loads.empty());
  const double sum = std::accumulate(loads.begin(), loads.end(), 0.0);
  return sum / static_cast<double>(loads.size()) / std::ranges::max(loads);
}

}  // namespace stator::strategies

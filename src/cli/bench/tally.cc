#include "cli/bench/tally.h"

#include <algorithm>
#include <numeric>

namespace stator::bench {

namespace {

std::string_view prefix_of(std::string_view error) {
  return error.substr(0, error.find(' '));
}

void add_refusal(std::vector<Refusal>& refusals, std::string_view prefix, std::uint64_t count,
                 std::string_view example) {
  const auto found = std::find_if(refusals.begin(), refusals.end(),
                                  [&](const Refusal& known) { return known.prefix == prefix; });
  if (found != refusals.end()) {
    found->count += count;
  } else if (refusals.size() < Tally::kRefusalsMax) {
    refusals.push_back({std::string(prefix), count, std::string(example)});
  }
}

std::uint64_t nanoseconds_of(Duration time) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(time.ns, 0));
}

void add(KindTally& to, const KindTally& from) {
  to.latency.merge(from.latency);
  to.refusal.merge(from.refusal);
  to.not_found += from.not_found;
  for (std::size_t i = 0; i < kFailures; ++i) to.failures[i] += from.failures[i];
}

}  // namespace

Failure failure_of(std::string_view error) {
  const std::string_view prefix = prefix_of(error);
  if (prefix == "UNKNOWN") return Failure::kUnknown;
  if (prefix == "TRYAGAIN") return Failure::kTryAgain;
  return Failure::kRefused;
}

std::uint64_t KindTally::failed() const {
  return std::accumulate(failures.begin(), failures.end(), std::uint64_t{0});
}

void Tally::succeeded(OpKind kind, Duration latency, bool not_found) {
  KindTally& tally = of(kind);
  tally.latency.record(nanoseconds_of(latency));
  tally.not_found += not_found ? 1 : 0;
}

void Tally::failed(OpKind kind, Failure failure, std::string_view error, Duration after) {
  KindTally& tally = of(kind);
  ++tally.failures[static_cast<std::size_t>(failure)];
  if (failure == Failure::kTryAgain) tally.refusal.record(nanoseconds_of(after));
  if (!error.empty()) add_refusal(refusals, prefix_of(error), 1, error);
}

void Tally::merge(const Tally& other) {
  for (std::size_t i = 0; i < kOpKinds; ++i) add(kinds[i], other.kinds[i]);
  lag.merge(other.lag);
  for (const Refusal& refusal : other.refusals) {
    add_refusal(refusals, refusal.prefix, refusal.count, refusal.example);
  }
  not_sent += other.not_sent;
  for (std::size_t i = 0; i < verdicts.size(); ++i) verdicts[i] += other.verdicts[i];
}

KindTally Tally::total() const {
  KindTally all;
  for (const KindTally& kind : kinds) add(all, kind);
  return all;
}

}  // namespace stator::bench

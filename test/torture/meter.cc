#include "meter.h"

#include <algorithm>
#include <cstdio>
#include <utility>

namespace stator::torture {
namespace {

double percentile_ms(std::vector<std::uint32_t>& values, double share) {
  if (values.empty()) return 0;
  const auto rank = static_cast<std::size_t>(share * static_cast<double>(values.size() - 1));
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(rank);
  std::nth_element(values.begin(), at, values.end());
  return *at / 1e3;
}

}  // namespace

void Meter::sent(sim::Operation& operation) {
  ++in_flight_;
  history_.sent(operation);
}

void Meter::answered(const sim::Operation& operation, const sim::Reply& reply) {
  --in_flight_;
  history_.answered(operation, reply);
  // A context that must be refused is, as an error.
  const bool refused = reply.is_error() && reply.error_prefix() == "BADCONTEXT";
  if (reply.is_error() && !refused) {
    ++errors_;
    failed(operation);
    return;
  }
  const Duration took = executor_.now() - operation.begin;
  took_us_.push_back(
      static_cast<std::uint32_t>(std::clamp<std::int64_t>(took.us(), 0, UINT32_MAX)));
  const bool read =
      operation.kind == sim::OperationKind::kGet || operation.kind == sim::OperationKind::kStGet;
  if (!read && !refused) ++acknowledged_;
}

void Meter::unanswered(const sim::Operation& operation) {
  --in_flight_;
  ++unanswered_;
  failed(operation);
  history_.unanswered(operation);
}

void Meter::failed(const sim::Operation& operation) {
  if (operation.begin >= asked_at_) ++failed_since_;
}

std::string Meter::take_window() {
  std::vector<std::uint32_t> took = std::exchange(took_us_, {});
  asked_at_ = executor_.now();
  char text[360];
  const double p50 = percentile_ms(took, 0.5);
  const double p99 = percentile_ms(took, 0.99);
  const double p99_9 = percentile_ms(took, 0.999);
  const double most = percentile_ms(took, 1);
  std::snprintf(
      text, sizeof text,
      "\"well\":%zu,\"errors\":%llu,\"unanswered\":%llu,\"in_flight\":%llu,\"p50_ms\":%.2f,"
      "\"p99_ms\":%.2f,\"p99_9_ms\":%.2f,\"max_ms\":%.2f,\"acknowledged\":%llu,"
      "\"failed_since\":%llu",
      took.size(), static_cast<unsigned long long>(std::exchange(errors_, 0)),
      static_cast<unsigned long long>(std::exchange(unanswered_, 0)),
      static_cast<unsigned long long>(in_flight_), p50, p99, p99_9, most,
      static_cast<unsigned long long>(acknowledged_),
      static_cast<unsigned long long>(std::exchange(failed_since_, 0)));
  return text;
}

}  // namespace stator::torture

#pragma once

#include <string>

#include "front/http/exchange.h"
#include "front/http/readiness.h"
#include "front/http/services.h"
#include "front/http/target.h"

namespace stator::http {

/// Everything that looks and does not write: explain, status, hints, ring, metrics, health
/// (design 2.3). All of it is read-only, for GET and HEAD.
class AdminRoutes {
 public:
  explicit AdminRoutes(Services& services) : services_(services) {}
  AdminRoutes(const AdminRoutes&) = delete;
  AdminRoutes& operator=(const AdminRoutes&) = delete;

  static constexpr std::string_view kAllow = "GET, HEAD";
  static constexpr std::string_view kExplainPrefix = "/v1/explain";

  void explain(Exchange& exchange, const Target& target);
  void status(Exchange& exchange, const Target& target);
  void hints(Exchange& exchange, const Target& target);
  void ring(Exchange& exchange, const Target& target);
  void metrics(Exchange& exchange, const Target& target);
  void healthz(Exchange& exchange, const Target& target);
  void readyz(Exchange& exchange, const Target& target);
  void index(Exchange& exchange, const Target& target);

 private:
  void answer_explain(Exchange& exchange, const Result<node::Explanation>& result);
  [[nodiscard]] Readiness readiness() const;
  /// Refuses parameters where there are none.
  [[nodiscard]] static bool no_query(Exchange& exchange, const Target& target);

  Services& services_;
  std::string bucket_;
  std::string key_;
  std::string answer_bucket_;
  std::string answer_key_;
};

}  // namespace stator::http

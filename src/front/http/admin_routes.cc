#include "front/http/admin_routes.h"

#include <string_view>

#include "base/assert.h"
#include "front/http/json.h"
#include "front/http/kv_routes.h"
#include "front/http/metrics_text.h"

namespace stator::http {
namespace {

constexpr std::string_view kIndex =
    "Stator: an always-writeable key-value store\n"
    "\n"
    "GET    /v1/kv/{bucket}/{key}       a value, or its siblings   ?r= &pr= &timeout_ms=\n"
    "PUT    /v1/kv/{bucket}/{key}       write                      ?w= &pw= &dw= &timeout_ms= "
    "&ttl_ms= &expires_ms=\n"
    "DELETE /v1/kv/{bucket}/{key}       delete                     ?w= &pw= &dw= &timeout_ms=\n"
    "GET    /v1/explain/{bucket}/{key}  who holds what, and what a read makes of it\n"
    "GET    /v1/status                  this node, the members, alarms\n"
    "GET    /v1/hints                   what this node keeps for others, and how it goes to them\n"
    "GET    /v1/ring                    who owns which part of the ring  ?partition=\n"
    "GET    /metrics                    Prometheus text\n"
    "GET    /healthz  /readyz           is it alive, should it get clients\n"
    "\n"
    "Headers: Stator-Context (what you saw: send it back with the next write of the key),\n"
    "Stator-Write-Id (names a write, so that it can be repeated), Stator-Quorum (who answered).\n";

void reply_json(Exchange& exchange, int status, std::string_view body) {
  exchange.reply({.status = status, .content_type = "application/json", .body = body});
}

void reply_text(Exchange& exchange, std::string_view body) {
  exchange.reply({.status = 200, .content_type = "text/plain; charset=utf-8", .body = body});
}

}  // namespace

bool AdminRoutes::no_query(Exchange& exchange, const Target& target) {
  QueryReader query(target.query);
  std::string_view name;
  std::string_view value;
  if (!query.next(name, value)) return true;
  exchange.reply(refusal(ErrorCode::kBadRequest, false,
                         "there is no parameter '" + std::string(name.substr(0, 100)) + "' here",
                         "leave it out"),
                 {});
  return false;
}

void AdminRoutes::explain(Exchange& exchange, const Target& target) {
  Problem problem;
  if (!no_query(exchange, target)) return;
  if (!decode_key(target.path.substr(kExplainPrefix.size()), false, bucket_, key_, problem)) {
    exchange.reply(problem, {});
    return;
  }
  services_.store.explain(
      bucket_, key_, [this, ticket = exchange.ticket()](const Result<node::Explanation>& result) {
        Exchange* waiting = services_.exchanges.find(ticket);
        if (waiting != nullptr) answer_explain(*waiting, result);
      });
}

void AdminRoutes::answer_explain(Exchange& exchange, const Result<node::Explanation>& result) {
  if (!result) {
    exchange.reply(problem_of(result.error()), {});
    return;
  }
  Problem problem;
  const Target target = split_target(exchange.request().target);
  const bool decoded = decode_key(target.path.substr(kExplainPrefix.size()), false, answer_bucket_,
                                  answer_key_, problem);
  STATOR_ASSERT(decoded);
  const auto body =
      explain_json(answer_bucket_, answer_key_, *result, services_.store.guarded_now());
  if (!body) {
    exchange.reply(problem_of(body.error()), {});
    return;
  }
  reply_json(exchange, 200, *body);
}

Readiness AdminRoutes::readiness() const {
  return readiness_of(services_.store.cluster(), services_.store.status(), services_.draining);
}

void AdminRoutes::status(Exchange& exchange, const Target& target) {
  if (!no_query(exchange, target)) return;
  reply_json(exchange, 200,
             status_json(services_.store.cluster(), services_.store.status(), readiness(),
                         services_.draining));
}

void AdminRoutes::hints(Exchange& exchange, const Target& target) {
  if (!no_query(exchange, target)) return;
  reply_json(exchange, 200, hints_json(services_.store.cluster(), services_.store.status()));
}

void AdminRoutes::ring(Exchange& exchange, const Target& target) {
  const node::ClusterView& cluster = services_.store.cluster();
  if (cluster.q == 0) {
    exchange.reply(problem_of(Error{.code = ErrorCode::kNotMember}), {});
    return;
  }
  QueryReader query(target.query);
  std::string_view name;
  std::string_view value;
  if (!query.next(name, value)) {
    reply_json(exchange, 200, ring_json(cluster));
    return;
  }
  const auto partition = parse_decimal(value, cluster.q - 1);
  if (name != "partition" || !partition || query.next(name, value)) {
    exchange.reply(refusal(ErrorCode::kBadRequest, false,
                           "the only parameter here is partition, a number from 0 to " +
                               std::to_string(cluster.q - 1),
                           "leave it out for the whole ring"),
                   {});
    return;
  }
  reply_json(exchange, 200, partition_json(cluster, static_cast<std::uint32_t>(*partition)));
}

void AdminRoutes::metrics(Exchange& exchange, const Target&) {
  node::Metrics counters = services_.store.metrics();
  if (!services_.counters_are_summed) counters.add(services_.counters);
  const node::NodeStatus node_status = services_.store.status();
  const Readiness ready = readiness();
  MetricsInput input{.counters = counters,
                     .cluster = services_.store.cluster(),
                     .status = node_status,
                     .readiness = ready,
                     .http_connections = static_cast<std::int64_t>(services_.connections),
                     .http_buffered_bytes = services_.buffered_bytes};
  if (services_.process_facts != nullptr) input.process = services_.process_facts();
  if (services_.heap_allocations != nullptr) input.heap_allocations = services_.heap_allocations();
  std::string body;
  append_metrics(input, body);
  exchange.reply({.status = 200, .content_type = kMetricsContentType, .body = body});
}

void AdminRoutes::healthz(Exchange& exchange, const Target&) {
  reply_text(exchange, "ok\n");
}

void AdminRoutes::readyz(Exchange& exchange, const Target&) {
  const Readiness ready = readiness();
  reply_json(exchange, ready.ready ? 200 : 503, readiness_json(ready));
}

void AdminRoutes::index(Exchange& exchange, const Target&) {
  reply_text(exchange, kIndex);
}

}  // namespace stator::http

#include "front/http/router.h"

#include <string_view>

namespace stator::http {
namespace {

struct Fixed {
  std::string_view path;
  void (AdminRoutes::*serve)(Exchange&, const Target&);
};
constexpr Fixed kFixed[] = {
    {"/", &AdminRoutes::index},          {"/v1/status", &AdminRoutes::status},
    {"/v1/ring", &AdminRoutes::ring},    {"/v1/hints", &AdminRoutes::hints},
    {"/metrics", &AdminRoutes::metrics}, {"/healthz", &AdminRoutes::healthz},
    {"/readyz", &AdminRoutes::readyz},
};

bool is_under(std::string_view path, std::string_view prefix) {
  return path.starts_with(prefix) && path.substr(prefix.size()).starts_with('/');
}

bool reads(const Request& request) {
  return request.method == Method::kGet || request.method == Method::kHead;
}

}  // namespace

void Router::serve(Exchange& exchange) {
  const Request& request = exchange.request();
  const Target target = split_target(request.target);
  if (is_under(target.path, KvRoutes::kPrefix)) {
    if (request.method == Method::kOther) {
      exchange.reply(method_not_allowed(KvRoutes::kAllow), {});
    } else {
      kv_.serve(exchange, target);
    }
    return;
  }
  auto serve = is_under(target.path, AdminRoutes::kExplainPrefix) ? &AdminRoutes::explain : nullptr;
  for (const Fixed& fixed : kFixed) {
    if (fixed.path == target.path) serve = fixed.serve;
  }
  if (serve == nullptr) {
    exchange.reply(no_such_path(target.path), {});
  } else if (!reads(request)) {
    exchange.reply(method_not_allowed(AdminRoutes::kAllow), {});
  } else {
    (admin_.*serve)(exchange, target);
  }
}

}  // namespace stator::http

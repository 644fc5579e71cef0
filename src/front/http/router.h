#pragma once

#include "front/http/admin_routes.h"
#include "front/http/exchange.h"
#include "front/http/kv_routes.h"
#include "front/http/services.h"

namespace stator::http {

/// Finds who answers a request, by path and method. One per shard.
class Router {
 public:
  explicit Router(Services& services) : kv_(services), admin_(services) {}

  /// Replies through `exchange`, now or later.
  void serve(Exchange& exchange);

 private:
  KvRoutes kv_;
  AdminRoutes admin_;
};

}  // namespace stator::http

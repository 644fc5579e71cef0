#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "env/network.h"

namespace stator::cli {

struct HttpAnswer {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;

  /// Empty when it was not sent.
  [[nodiscard]] std::string_view header(std::string_view lower_case_name) const;
};

struct HttpRequest {
  std::string method = "GET";
  std::string target = "/";
  std::vector<std::pair<std::string, std::string>> headers{};
  std::string body{};
};

/// Asks one thing of one node and waits: a connection per request, HTTP/1.1. Blocks at most
/// `timeout`. kClosed when nothing listens there or it cannot be reached (nothing was sent), else
/// kTimeout, kIo, kCorrupt (no HTTP).
[[nodiscard]] Result<HttpAnswer> http_ask(const env::Address& node, const HttpRequest& request,
                                          Duration timeout);

/// The bytes of a path segment or a query value, with everything but letters, digits and "-._~"
/// escaped.
[[nodiscard]] std::string percent_encoded(std::string_view bytes);

}  // namespace stator::cli

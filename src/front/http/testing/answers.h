#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace stator::http::testing {

/// One answer as a client reads it. Names of headers in lower case.
struct Answer {
  int status = 0;
  std::map<std::string, std::string> headers;
  std::string body;

  [[nodiscard]] std::string header(const std::string& name) const;
};

/// The answers in `bytes`, which must be whole. `heads`: they answer HEAD requests, so that no
/// bodies follow. An empty list when the bytes are not what HTTP/1.1 allows.
[[nodiscard]] std::vector<Answer> parse_answers(std::string_view bytes, bool heads = false);

}  // namespace stator::http::testing

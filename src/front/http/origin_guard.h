#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "front/http/request.h"

namespace stator::http {

/// No web page reaches a node through a browser (design 2.3). A page of another site can make a
/// browser send requests here: its Origin gives it away. A page whose own name was pointed at this
/// machine after it was loaded (DNS rebinding) has the right Origin: the name in Host gives it
/// away, since it is none of ours. Numbers cannot be rebound, so they are always allowed.
class OriginGuard {
 public:
  /// `names`: hosts under which this node is known, besides numbers and "localhost".
  explicit OriginGuard(std::vector<std::string> names) : names_(std::move(names)) {}

  enum class Verdict : std::uint8_t {
    kAllowed,
    kHostMissing,    // or there are several
    kHostForeign,    // not a name of this node
    kOriginForeign,  // a page of another site asks
  };
  /// `authority` is that of an absolute target: it replaces Host.
  [[nodiscard]] Verdict check(const Request& request, std::string_view authority) const;

 private:
  [[nodiscard]] bool knows(std::string_view host) const;

  std::vector<std::string> names_;
};

/// "[::1]:80" -> "[::1]", "a:80" -> "a"; all of it when what follows the host is no port.
[[nodiscard]] std::string_view host_of(std::string_view authority);
/// Dotted IPv4 or IPv6 in brackets.
[[nodiscard]] bool is_ip_literal(std::string_view host);

}  // namespace stator::http

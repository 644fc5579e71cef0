#include "front/http/origin_guard.h"

#include <algorithm>

#include "front/http/target.h"
#include "front/http/text.h"

namespace stator::http {
namespace {

bool is_ipv4(std::string_view host) {
  for (int number = 0; number < 4; ++number) {
    const std::size_t end = std::min(host.find('.'), host.size());
    if (end == 0 || end > 3 || !parse_decimal(host.substr(0, end), 255)) return false;
    host.remove_prefix(end);
    if (number == 3) return host.empty();
    if (host.empty()) return false;
    host.remove_prefix(1);
  }
  return false;
}

bool is_ipv6_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':' ||
         c == '.';
}

}  // namespace

std::string_view host_of(std::string_view authority) {
  std::size_t end = authority.find(':');
  if (authority.starts_with('[')) {
    end = authority.find(']');
    if (end != std::string_view::npos) ++end;
  }
  if (end >= authority.size()) return authority;
  const bool port = authority[end] == ':' && (end + 1 == authority.size() ||
                                              parse_decimal(authority.substr(end + 1), 65535));
  return port ? authority.substr(0, end) : authority;
}

bool is_ip_literal(std::string_view host) {
  if (!host.starts_with('[')) return is_ipv4(host);
  if (host.size() < 4 || host.back() != ']') return false;
  host = host.substr(1, host.size() - 2);
  return host.find(':') != std::string_view::npos &&
         std::all_of(host.begin(), host.end(), is_ipv6_character);
}

bool OriginGuard::knows(std::string_view host) const {
  if (is_ip_literal(host) || equal_ignoring_case(host, "localhost")) return true;
  return std::any_of(names_.begin(), names_.end(),
                     [&](const std::string& name) { return equal_ignoring_case(host, name); });
}

OriginGuard::Verdict OriginGuard::check(const Request& request, std::string_view authority) const {
  if (request.host.count > 1) return Verdict::kHostMissing;
  if (authority.empty()) authority = request.host.text;
  if (authority.empty()) {
    // Only HTTP/1.0 may leave it out, which no browser speaks.
    if (request.http_11) return Verdict::kHostMissing;
  } else if (!knows(host_of(authority))) {
    return Verdict::kHostForeign;
  }
  if (!request.origin.present()) return Verdict::kAllowed;
  if (request.origin.count > 1) return Verdict::kOriginForeign;
  std::string_view origin = request.origin.text;
  const std::size_t scheme = origin.find("://");
  if (scheme == std::string_view::npos) return Verdict::kOriginForeign;
  origin.remove_prefix(scheme + 3);
  const bool own = !authority.empty() && equal_ignoring_case(origin, authority);
  return own ? Verdict::kAllowed : Verdict::kOriginForeign;
}

}  // namespace stator::http

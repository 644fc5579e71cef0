#include <algorithm>
#include <charconv>
#include <cstddef>

#include "env/network.h"

namespace stator::env {

namespace {

constexpr std::size_t kHostMax = 253;  // a DNS name

Error bad_address(std::string_view text, const char* why) {
  return {.code = ErrorCode::kBadRequest,
          .detail = "'" + std::string(text.substr(0, kHostMax)) + "' is no address: " + why +
                    " (write host:port or [ipv6]:port)"};
}

// What names, IPv4 and IPv6 numbers (with a zone) are made of.
bool is_host_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
         c == '.' || c == '_' || c == ':' || c == '%';
}

bool is_ipv4_loopback(std::string_view host) {
  int numbers = 0;
  for (std::string_view rest = host; numbers < 4; ++numbers) {
    unsigned value = 256;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
    if (error != std::errc() || value > 255 || (numbers == 0 && value != 127)) return false;
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    if (numbers == 3) return rest.empty();
    if (rest.empty() || rest.front() != '.') return false;
    rest.remove_prefix(1);
  }
  return false;
}

}  // namespace

Result<Address> parse_address(std::string_view text) {
  std::string_view host;
  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) {
      return std::unexpected(bad_address(text, "the ']' is missing"));
    }
    host = text.substr(1, end - 1);
    port = text.substr(end + 1);
    if (host.find(':') == std::string_view::npos) {
      return std::unexpected(bad_address(text, "only IPv6 numbers stand in brackets"));
    }
    if (!port.starts_with(':')) return std::unexpected(bad_address(text, "the port is missing"));
    port.remove_prefix(1);
  } else {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) {
      return std::unexpected(bad_address(text, "the port is missing"));
    }
    if (text.find(':', colon + 1) != std::string_view::npos) {
      return std::unexpected(bad_address(text, "IPv6 numbers stand in brackets"));
    }
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
  }
  if (host.empty()) return std::unexpected(bad_address(text, "the host is missing"));
  if (host.size() > kHostMax) return std::unexpected(bad_address(text, "the host is too long"));
  if (!std::all_of(host.begin(), host.end(), is_host_character)) {
    return std::unexpected(bad_address(text, "the host has a character that no host has"));
  }
  std::uint16_t number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (error != std::errc() || end != port.data() + port.size()) {
    return std::unexpected(bad_address(text, "the port is no number from 0 to 65535"));
  }
  return Address{.host = std::string(host), .port = number};
}

std::string to_string(const Address& address) {
  const bool brackets = address.host.find(':') != std::string::npos;
  return (brackets ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

bool is_loopback(const Address& address) {
  return address.host == "::1" || address.host == "localhost" || is_ipv4_loopback(address.host);
}

}  // namespace stator::env

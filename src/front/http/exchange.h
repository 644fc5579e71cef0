#pragma once

#include <cstdint>
#include <string_view>

#include "core/version/hlc.h"
#include "front/http/errors.h"
#include "front/http/request.h"

namespace stator::http {

/// An answer. Views are copied before reply() returns.
struct Response {
  int status = 200;
  std::string_view content_type{};  // empty: no body and no length
  std::string_view headers{};       // whole lines, each with its CRLF
  std::string_view body{};
};

/// Names one request, for an answer that comes later: its connection may be gone by then.
struct Ticket {
  std::uint32_t slot = 0;
  std::uint64_t serial = 0;  // of the request, never used again
};

/// One request and the place of its answer.
class Exchange {
 public:
  virtual ~Exchange() = default;
  [[nodiscard]] virtual const Request& request() const = 0;
  [[nodiscard]] virtual Ticket ticket() const = 0;
  /// One of the two, once.
  virtual void reply(const Response& response) = 0;
  /// `headers` as in Response.
  virtual void reply(const Problem& problem, std::string_view headers) = 0;
  /// The latest time that this connection has read or written: what it writes is stamped later.
  [[nodiscard]] virtual Hlc floor() const = 0;
  virtual void raise_floor(Hlc time) = 0;
};

/// Finds the connection of a request that waits.
class ExchangeTable {
 public:
  virtual ~ExchangeTable() = default;
  /// nullptr when the client has gone.
  [[nodiscard]] virtual Exchange* find(const Ticket& ticket) = 0;
};

}  // namespace stator::http

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/ids.h"

// Everything that a client can be told instead of what it asked for. One table turns the store's
// errors into statuses; what HTTP itself can get wrong is listed beside it, so that all of it can
// be read on one page (errors.cc).

namespace stator::http {

/// One error answer. The JSON is made from it when it is sent (design 2.3, docs/http.md).
struct Problem {
  int status = 500;
  std::string_view code;  // stable name, static text
  std::optional<Outcome> outcome{};
  std::string message{};
  std::string hint{};  // the next thing to do
  std::optional<std::uint8_t> needed{};
  std::optional<std::uint8_t> got{};
  WriteId write_id{};
  std::string_view allow{};  // of a 405: the methods, static text
};

/// What the store answered. Reads have no outcome and no write id.
[[nodiscard]] Problem problem_of(const Error& error);
[[nodiscard]] Problem problem_of(const Error& error, Outcome outcome, const WriteId& id);

/// A request refused before it was handed to the store. `write`: it would have written, so that its
/// outcome is known: not applied.
[[nodiscard]] Problem refusal(ErrorCode code, bool write, std::string message, std::string hint);

// What HTTP knows and the store does not.
[[nodiscard]] Problem malformed_request(std::string_view what);
[[nodiscard]] Problem header_too_large(std::size_t bytes_max);
[[nodiscard]] Problem http_version_not_supported();
[[nodiscard]] Problem transfer_encoding_not_supported();
[[nodiscard]] Problem expectation_failed();
[[nodiscard]] Problem host_missing();
[[nodiscard]] Problem host_foreign(std::string_view host);
[[nodiscard]] Problem origin_foreign(std::string_view origin);
[[nodiscard]] Problem request_too_slow(bool write);
[[nodiscard]] Problem too_many_connections(std::size_t connections_max);
/// `announced`: 0 when the client did not say how much it sends.
[[nodiscard]] Problem value_too_large(std::size_t bytes_max, std::uint64_t announced);
[[nodiscard]] Problem no_such_path(std::string_view path);
[[nodiscard]] Problem method_not_allowed(std::string_view allow);
[[nodiscard]] Problem key_not_found(bool tombstone);

/// {"error", "outcome", "message", "hint", "needed", "got", "write_id"}, all always there.
[[nodiscard]] std::string problem_json(const Problem& problem);
/// Seconds for a Retry-After header; 0: none.
[[nodiscard]] int retry_after_s(const Problem& problem);

/// "Not Found" for 404.
[[nodiscard]] std::string_view reason_phrase(int status);

}  // namespace stator::http

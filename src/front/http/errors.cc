#include "front/http/errors.h"

#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

#include "front/http/text.h"

namespace stator::http {
namespace {

struct Row {
  ErrorCode code;
  int status;
  const char* message;  // used when the error brings no words of its own
  const char* hint;
};

constexpr Row kRows[] = {
    {ErrorCode::kBadRequest, 400, "the request is malformed",
     "compare the request with docs/http.md"},
    {ErrorCode::kBadContext, 400,
     "the context is cut, random, of another key or of another cluster",
     "read the key again and send back the Stator-Context of that answer, unchanged"},
    {ErrorCode::kTooLarge, 413, "a key, bucket, value or header is over its limit",
     "make it smaller, or split it over several keys"},
    {ErrorCode::kTooManySiblings, 409, "the key has too many siblings",
     "read the key and write one value, or delete it, with the Stator-Context of that read"},
    {ErrorCode::kOverloaded, 429, "the node has more requests than it can serve",
     "send it again after a pause that grows, or to another node"},
    {ErrorCode::kTooFewNodes, 503, "too few nodes can be reached",
     "look at /v1/status for the nodes that are away; try again, or ask for a smaller quorum"},
    {ErrorCode::kTimeout, 504, "too few nodes answered in time",
     "try again, or allow more time with ?timeout_ms="},
    {ErrorCode::kHistoryMismatch, 503, "the nodes do not agree yet on who the members are",
     "try again in a second"},
    {ErrorCode::kNotMember, 503, "this node is no member of a cluster yet, or its peers refuse it",
     "ask another node; /v1/status of this one says what is wrong with it"},
    {ErrorCode::kUnreadable, 500, "a stored record is damaged",
     "ask another node; /v1/explain/{bucket}/{key} shows which replica is damaged"},
    {ErrorCode::kDiskFull, 507, "the disks of the nodes that hold this key are full",
     "free space on the nodes that /v1/status shows with no_write"},
    {ErrorCode::kIo, 500, "a disk or a connection of a node failed",
     "try another node, and look at the log of this one"},
    {ErrorCode::kCorrupt, 500, "a record or frame failed its checksum",
     "try another node, and look at the log of this one"},
    {ErrorCode::kNotSupported, 400, "this is of a later version, or lacks support in this build",
     "compare the versions of client and node"},
    {ErrorCode::kClosed, 503, "the node is stopping", "ask another node"},
    {ErrorCode::kConflict, 409, "it belongs to something else", "look at /v1/status"},
    {ErrorCode::kWriteIdExpired, 409, "the write id is too old for a retry",
     "read the key; if your write is not there, write again with a new Stator-Write-Id and the "
     "Stator-Context of that read"},
};
static_assert(std::size(kRows) == static_cast<std::size_t>(ErrorCode::kWriteIdExpired) + 1);

// Where a repetition is safe only under the same name.
constexpr const char* kUnknownHint =
    "the write may or may not show up: send it again with the same body and context and the header "
    "Stator-Write-Id set to this write_id";
constexpr const char* kUnknownOnceHint =
    "the delete may or may not show up: send it again with the header Stator-Write-Id set to this "
    "write_id to learn whether it did, or read the key and delete with its Stator-Context";

const Row& row_of(ErrorCode code) {
  const Row& row = kRows[static_cast<std::size_t>(code)];
  return row.code == code ? row : kRows[0];
}

Problem of_http(int status, std::string_view code, std::string message, std::string hint) {
  Problem problem;
  problem.status = status;
  problem.code = code;
  problem.message = std::move(message);
  problem.hint = std::move(hint);
  return problem;
}

// Quotes what a client sent, in part.
std::string quoted(std::string_view text) {
  constexpr std::size_t kShown = 100;
  std::string out = "'";
  out += text.substr(0, kShown);
  out += text.size() > kShown ? "...'" : "'";
  return out;
}

}  // namespace

Problem problem_of(const Error& error) {
  const Row& row = row_of(error.code);
  Problem problem = of_http(row.status, to_string(error.code),
                            error.detail.empty() ? row.message : error.detail, row.hint);
  if (error.needed > 0) {
    problem.needed = error.needed;
    problem.got = error.got;
    problem.message +=
        ": " + std::to_string(error.needed) + " needed, " + std::to_string(error.got) + " got";
  }
  return problem;
}

Problem problem_of(const Error& error, Outcome outcome, const WriteId& id) {
  Problem problem = problem_of(error);
  problem.outcome = outcome;
  problem.write_id = id;
  // A retry that nobody can recognise any more is told so in the store's own words.
  const bool may_repeat = outcome == Outcome::kUnknown && error.detail.empty() &&
                          error.code != ErrorCode::kWriteIdExpired;
  if (may_repeat) problem.hint = id.retryable() ? kUnknownHint : kUnknownOnceHint;
  return problem;
}

Problem refusal(ErrorCode code, bool write, std::string message, std::string hint) {
  Problem problem =
      of_http(row_of(code).status, to_string(code), std::move(message), std::move(hint));
  if (write) problem.outcome = Outcome::kNotApplied;
  return problem;
}

Problem malformed_request(std::string_view what) {
  return of_http(400, "bad_request", "the request is malformed: " + std::string(what),
                 "this port speaks HTTP/1.1; check the address and the client");
}

Problem header_too_large(std::size_t bytes_max) {
  return of_http(431, "header_too_large",
                 "request line and headers have more than " + std::to_string(bytes_max) + " bytes",
                 "send fewer headers; the first request on a connection may have less than those "
                 "that follow");
}

Problem http_version_not_supported() {
  return of_http(505, "http_version", "this port speaks HTTP/1.1 and HTTP/1.0", "use HTTP/1.1");
}

Problem transfer_encoding_not_supported() {
  return of_http(501, "transfer_encoding", "the only transfer encoding known here is 'chunked'",
                 "send the body with Content-Length, or chunked");
}

Problem expectation_failed() {
  return of_http(417, "expectation_failed", "the only expectation known here is '100-continue'",
                 "leave out the header Expect");
}

Problem host_missing() {
  return of_http(400, "bad_request", "the header Host is missing, or there are several",
                 "send one Host header with the name or number of this node");
}

Problem host_foreign(std::string_view host) {
  return of_http(421, "host_foreign", quoted(host) + " is no name of this node",
                 "use its number, localhost, or a name that it announces; this keeps web pages "
                 "from reaching it through a browser");
}

Problem origin_foreign(std::string_view origin) {
  return of_http(403, "origin_foreign",
                 "a web page of " + quoted(origin) + " may not use this node through a browser",
                 "ask from a program, or from a page that this node serves itself");
}

Problem request_too_slow(bool write) {
  Problem problem = of_http(408, "request_timeout", "the request did not arrive in time",
                            "send it again on a new connection");
  if (write) problem.outcome = Outcome::kNotApplied;
  return problem;
}

Problem too_many_connections(std::size_t connections_max) {
  return of_http(429, "overloaded",
                 "this node serves " + std::to_string(connections_max) + " connections already",
                 "use another node, or close connections that are not used");
}

Problem value_too_large(std::size_t bytes_max, std::uint64_t announced) {
  Problem problem =
      of_http(413, "too_large",
              "a value has at most " + std::to_string(bytes_max) + " bytes; this one has " +
                  (announced != 0 ? std::to_string(announced) : std::string("more")),
              row_of(ErrorCode::kTooLarge).hint);
  problem.outcome = Outcome::kNotApplied;
  return problem;
}

Problem no_such_path(std::string_view path) {
  return of_http(404, "no_such_path", "there is nothing at " + quoted(path),
                 "GET / lists what there is");
}

Problem method_not_allowed(std::string_view allow) {
  Problem problem = of_http(405, "method_not_allowed", "this path does not know that method",
                            "use one of: " + std::string(allow));
  problem.allow = allow;
  return problem;
}

Problem key_not_found(bool tombstone) {
  return of_http(404, "not_found",
                 tombstone ? "the key was deleted or has expired" : "nobody has written this key",
                 tombstone
                     ? "to write it again, send the Stator-Context of this answer with the put"
                     : "write it with PUT");
}

std::string problem_json(const Problem& problem) {
  nlohmann::ordered_json json;
  json["error"] = problem.code;
  json["outcome"] = nullptr;
  if (problem.outcome) json["outcome"] = to_string(*problem.outcome);
  json["message"] = problem.message;
  json["hint"] = problem.hint;
  json["needed"] = nullptr;
  if (problem.needed) json["needed"] = *problem.needed;
  json["got"] = nullptr;
  if (problem.got) json["got"] = *problem.got;
  json["write_id"] = nullptr;
  if (problem.write_id) json["write_id"] = write_id_text(problem.write_id);
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

int retry_after_s(const Problem& problem) {
  return problem.status == 429 || problem.status == 503 ? 1 : 0;
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200: return "OK";
    case 204: return "No Content";
    case 300: return "Multiple Choices";
    case 400: return "Bad Request";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 413: return "Content Too Large";
    case 417: return "Expectation Failed";
    case 421: return "Misdirected Request";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    case 507: return "Insufficient Storage";
    default: return "Unknown";
  }
}

}  // namespace stator::http

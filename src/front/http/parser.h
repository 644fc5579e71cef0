#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "front/http/request.h"

namespace stator::http {

enum class ParseFault : std::uint8_t {
  kNone,
  kMalformed,       // no HTTP/1 request
  kVersion,         // another version of HTTP
  kHeaderTooLarge,  // request line and headers over `header_bytes_max`
};

/// Reads one HTTP/1 request after another from a stream of bytes, without any I/O. Knows framing
/// only: what a request means is decided by others. After a fault it must not be fed again.
///
/// The framing is Boost.Beast's; this is the only place that includes it.
class RequestParser {
 public:
  explicit RequestParser(Request& request);
  ~RequestParser();
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;

  enum class Event : std::uint8_t {
    kNeedMore,  // all that can be consumed is
    kHead,      // the head is complete: set request.keep_body now, then feed on
    kBody,      // some of the body arrived
    kDone,      // the request is complete; the next feed begins the next one
    kFault,
  };
  struct Step {
    Event event = Event::kNeedMore;
    std::size_t consumed = 0;
  };
  /// Takes bytes up to the next event. Bytes that it does not consume must come again, in front of
  /// those that follow.
  [[nodiscard]] Step feed(std::string_view bytes);

  /// No byte of a request was seen since the last kDone.
  [[nodiscard]] bool idle() const;
  [[nodiscard]] ParseFault fault() const { return fault_; }
  /// A few words about a kMalformed.
  [[nodiscard]] std::string_view fault_text() const { return fault_text_; }
  void set_header_bytes_max(std::size_t bytes) { header_bytes_max_ = bytes; }

 private:
  struct Framing;

  [[nodiscard]] Step parse(std::string_view bytes);
  Step fail(ParseFault fault, std::string_view text, std::size_t consumed);

  Request& request_;
  std::unique_ptr<Framing> framing_;
  std::size_t header_bytes_max_ = 16 * 1024;
  std::size_t header_bytes_ = 0;  // consumed of the head of this request
  ParseFault fault_ = ParseFault::kNone;
  std::string_view fault_text_;
};

}  // namespace stator::http

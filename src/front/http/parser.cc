#include "front/http/parser.h"

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/verb.hpp>
#include <optional>
#include <utility>

#include "base/assert.h"

namespace stator::http {
namespace {

namespace beast = boost::beast::http;
using beast::error;
using boost::beast::error_code;
using Text = boost::beast::string_view;

// A chunk's header or the trailers may be this long before they are complete.
constexpr std::size_t kChunkHeaderMax = 4096;
// "0\r\n\r\n": as much at least comes of a chunked body until it is complete.
constexpr std::size_t kLastChunkMin = 5;

Method method_of(beast::verb verb) {
  switch (verb) {
    case beast::verb::get: return Method::kGet;
    case beast::verb::head: return Method::kHead;
    case beast::verb::put: return Method::kPut;
    case beast::verb::delete_: return Method::kDelete;
    default: return Method::kOther;
  }
}

void take(Field& field, Text value) {
  field.text.assign(value.data(), value.size());
  ++field.count;
}

// Hands the parts of a request to the Request as they are found: nothing is kept that this server
// does not look at.
class Reader final : public beast::basic_parser<true> {
 public:
  explicit Reader(Request& request) : request_(request) {
    body_limit(boost::none);  // who reads decides what becomes of the body
  }

 private:
  void on_request_impl(beast::verb verb, Text, Text target, int version, error_code&) override {
    request_.method = method_of(verb);
    request_.target.assign(target.data(), target.size());
    request_.http_11 = version == 11;
  }
  void on_response_impl(int, Text, int, error_code&) override {}

  void on_field_impl(beast::field name, Text text, Text value, error_code&) override {
    if (is_header_done()) return;  // trailers say nothing
    switch (name) {
      case beast::field::host: take(request_.host, value); break;
      case beast::field::origin: take(request_.origin, value); break;
      case beast::field::content_type: take(request_.content_type, value); break;
      case beast::field::content_encoding:
      case beast::field::content_range: request_.encoded = true; break;
      case beast::field::if_match:
      case beast::field::if_none_match:
      case beast::field::if_unmodified_since: request_.conditional = true; break;
      case beast::field::transfer_encoding:
        if (!boost::beast::iequals(value, "chunked")) request_.foreign_transfer_encoding = true;
        break;
      case beast::field::expect:
        request_.expect = boost::beast::iequals(value, "100-continue")
                              ? Request::Expect::kContinue
                              : Request::Expect::kSomethingElse;
        break;
      case beast::field::unknown: take_own(text, value); break;
      default: break;
    }
  }
  void take_own(Text name, Text value) {
    if (boost::beast::iequals(name, "stator-context")) {
      take(request_.context, value);
    } else if (boost::beast::iequals(name, "stator-write-id")) {
      take(request_.write_id, value);
    } else if (boost::beast::iequals(name, "stator-expires")) {
      take(request_.expires, value);
    }
  }

  void on_header_impl(error_code&) override {}
  void on_body_init_impl(boost::optional<std::uint64_t> const&, error_code&) override {}
  std::size_t on_body_impl(Text piece, error_code&) override {
    request_.received_bytes += piece.size();
    if (request_.keep_body) request_.body.append(piece.data(), piece.size());
    return piece.size();
  }
  void on_chunk_header_impl(std::uint64_t, Text, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, Text piece, error_code& ec) override {
    return on_body_impl(piece, ec);
  }
  void on_finish_impl(error_code&) override {}

  Request& request_;
};

std::string_view words_for(const error_code& ec) {
  if (ec == error::bad_method) return "the method is malformed";
  if (ec == error::bad_target) return "the request target is malformed";
  if (ec == error::bad_line_ending) return "a line does not end with CRLF";
  if (ec == error::bad_field || ec == error::bad_obs_fold) return "a header's name is malformed";
  if (ec == error::bad_value) return "a header's value is malformed";
  if (ec == error::bad_content_length || ec == error::multiple_content_length)
    return "Content-Length is malformed or contradicts itself";
  if (ec == error::bad_transfer_encoding)
    return "Transfer-Encoding is repeated or contradicts Content-Length";
  if (ec == error::bad_chunk || ec == error::bad_chunk_extension) return "a chunk is malformed";
  return "this is not HTTP";
}

}  // namespace

// Beast's parser serves one message; another is made in its place for the next.
struct RequestParser::Framing {
  std::optional<Reader> reader;
  bool head_told = false;
};

RequestParser::RequestParser(Request& request)
    : request_(request), framing_(std::make_unique<Framing>()) {}

RequestParser::~RequestParser() = default;

bool RequestParser::idle() const {
  return !framing_->reader;
}

RequestParser::Step RequestParser::fail(ParseFault fault, std::string_view text,
                                        std::size_t consumed) {
  fault_ = fault;
  fault_text_ = text;
  return {Event::kFault, consumed};
}

RequestParser::Step RequestParser::feed(std::string_view bytes) {
  STATOR_ASSERT(fault_ == ParseFault::kNone);
  std::size_t skipped = 0;
  if (!framing_->reader) {
    // RFC 9112 2.2: empty lines before a request are overlooked.
    while (bytes.substr(skipped).starts_with("\r\n")) skipped += 2;
    const std::string_view rest = bytes.substr(skipped);
    if (rest.empty() || rest == "\r") return {Event::kNeedMore, skipped};
    request_.clear();
    framing_->reader.emplace(request_);
    framing_->reader->header_limit(static_cast<std::uint32_t>(header_bytes_max_));
    framing_->head_told = false;
    header_bytes_ = 0;
  }
  Step step = parse(bytes.substr(skipped));
  step.consumed += skipped;
  return step;
}

RequestParser::Step RequestParser::parse(std::string_view bytes) {
  Reader& reader = *framing_->reader;
  if (framing_->head_told && reader.is_done()) {
    framing_->reader.reset();
    return {Event::kDone, 0};
  }
  if (bytes.empty()) return {Event::kNeedMore, 0};
  const bool in_head = !reader.is_header_done();
  // Beast asserts that a last chunk, once begun, comes with so much, wherever the client cut it.
  if (!in_head && request_.chunked && bytes.size() < kLastChunkMin) return {Event::kNeedMore, 0};
  const std::uint64_t body_before = request_.received_bytes;
  error_code ec;
  const std::size_t consumed = reader.put(boost::asio::buffer(bytes.data(), bytes.size()), ec);
  if (in_head) {
    header_bytes_ += consumed;
    const std::size_t seen = header_bytes_ + (ec ? bytes.size() - consumed : 0);
    if (ec == error::header_limit || ((!ec || ec == error::need_more) && seen > header_bytes_max_))
      return fail(ParseFault::kHeaderTooLarge, {}, consumed);
  }
  if (ec == error::bad_version) return fail(ParseFault::kVersion, {}, consumed);
  if (ec && ec != error::need_more) return fail(ParseFault::kMalformed, words_for(ec), consumed);
  if (in_head && reader.is_header_done()) {
    framing_->head_told = true;
    request_.keep_alive = reader.keep_alive();
    request_.chunked = reader.chunked();
    request_.announced_bytes = reader.content_length().value_or(0);
    request_.has_body = request_.chunked || request_.announced_bytes > 0;
    return {Event::kHead, consumed};
  }
  if (!in_head && ec == error::need_more && bytes.size() - consumed > kChunkHeaderMax)
    return fail(ParseFault::kMalformed, "a chunk's header or the trailers are too long", consumed);
  if (!in_head && reader.is_done()) {
    framing_->reader.reset();
    return {Event::kDone, consumed};
  }
  if (request_.received_bytes != body_before) return {Event::kBody, consumed};
  return {ec ? Event::kNeedMore : Event::kBody, consumed};
}

}  // namespace stator::http

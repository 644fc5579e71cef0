#include "front/http/connection.h"

#include <string>
#include <utility>

#include "front/http/target.h"
#include "front/http/text.h"

namespace stator::http {
namespace {

// A body larger than this is given back after its request.
constexpr std::size_t kBodyKept = 16 * 1024;
constexpr int kTooManyRequests = 429;

}  // namespace

Connection::Connection(Services& services, Router& router, env::Stream& stream,
                       ConnectionOwner& owner, std::uint32_t slot)
    : services_(services),
      router_(router),
      stream_(stream),
      owner_(owner),
      slot_(slot),
      parser_(request_),
      since_(services.executor.now()) {
  parser_.set_header_bytes_max(services.connection_limits.first_header_bytes_max);
}

// Reading.

std::size_t Connection::on_data(std::string_view bytes) {
  in_data_ = true;
  refused_ = false;
  std::size_t consumed = 0;
  bool more = true;
  while (more && phase_ == Phase::kReading) {
    const bool was_idle = parser_.idle();
    const RequestParser::Step step = parser_.feed(bytes.substr(consumed));
    consumed += step.consumed;
    if (was_idle && !parser_.idle()) since_ = services_.executor.now();
    switch (step.event) {
      case RequestParser::Event::kNeedMore: more = false; break;
      case RequestParser::Event::kHead: on_head(); break;
      case RequestParser::Event::kBody: on_body(); break;
      case RequestParser::Event::kDone: on_request(); break;
      case RequestParser::Event::kFault: on_fault(); break;
    }
  }
  in_data_ = false;
  services_.counters.client_bytes_in_total += consumed;
  if (phase_ == Phase::kClosing) return bytes.size();
  if (phase_ != Phase::kReading && consumed < bytes.size()) {
    paused_ = true;
    stream_.pause_reading();
  }
  // A refusal is all that it will hear: that need not wait for the work of others in this turn.
  if (refused_ && phase_ != Phase::kWaiting) stream_.send_now();
  return consumed;
}

bool Connection::writes() const {
  return request_.method == Method::kPut || request_.method == Method::kDelete;
}

std::optional<Problem> Connection::check_head() const {
  const Target target = split_target(request_.target);
  switch (services_.guard.check(request_, target.authority)) {
    case OriginGuard::Verdict::kAllowed: break;
    case OriginGuard::Verdict::kHostMissing: return host_missing();
    case OriginGuard::Verdict::kHostForeign:
      return host_foreign(target.authority.empty() ? request_.host.text : target.authority);
    case OriginGuard::Verdict::kOriginForeign: return origin_foreign(request_.origin.text);
  }
  if (request_.expect == Request::Expect::kSomethingElse) return expectation_failed();
  if (request_.method != Method::kPut) return std::nullopt;
  if (request_.announced_bytes > services_.limits.value_bytes_max)
    return value_too_large(services_.limits.value_bytes_max, request_.announced_bytes);
  return std::nullopt;
}

void Connection::on_head() {
  refusal_.reset();
  close_after_reply_ = false;
  // Where a body ends is not known then.
  if (request_.foreign_transfer_encoding) return refuse_now(transfer_encoding_not_supported());
  if (request_.chunked && !request_.http_11)
    return refuse_now(malformed_request("HTTP/1.0 knows no chunked bodies"));
  refusal_ = check_head();
  request_.keep_body = !refusal_ && request_.method == Method::kPut;
  if (!request_.has_body) return;
  const bool asks_first = request_.http_11 && request_.expect != Request::Expect::kNothing;
  const bool endless =
      request_.announced_bytes > services_.connection_limits.discarded_body_bytes_max;
  // Whether a client that asked first sends its body after a refusal is up to it, so that nothing
  // can follow.
  if (refusal_ && (asks_first || endless)) return refuse_now(*refusal_);
  if (endless)
    return refuse_now(value_too_large(services_.limits.value_bytes_max, request_.announced_bytes));
  if (asks_first) stream_.output() += "HTTP/1.1 100 Continue\r\n\r\n";
}

void Connection::on_body() {
  account();
  if (request_.keep_body && request_.received_bytes > services_.limits.value_bytes_max) {
    refusal_ = value_too_large(services_.limits.value_bytes_max, request_.announced_bytes);
    drop_body();
  } else if (request_.keep_body && services_.overloaded()) {
    refusal_ = refusal(ErrorCode::kOverloaded, true,
                       "clients of this node have too much left to send or to read",
                       "send it again after a pause that grows, or to another node");
    drop_body();
  }
  if (request_.received_bytes > services_.connection_limits.discarded_body_bytes_max) {
    refuse_now(refusal_
                   ? *refusal_
                   : value_too_large(services_.limits.value_bytes_max, request_.announced_bytes));
  }
}

void Connection::drop_body() {
  request_.keep_body = false;
  std::string().swap(request_.body);
  account();
}

void Connection::on_request() {
  ++services_.counters.commands_total;
  if (!std::exchange(served_one_, true))
    parser_.set_header_bytes_max(services_.connection_limits.header_bytes_max);
  serial_ = services_.next_serial++;
  phase_ = Phase::kWaiting;
  if (refusal_) {
    const Problem problem = *std::exchange(refusal_, std::nullopt);
    reply(problem, {});
  } else {
    router_.serve(*this);
  }
}

void Connection::on_fault() {
  switch (parser_.fault()) {
    case ParseFault::kVersion: refuse_now(http_version_not_supported()); break;
    case ParseFault::kHeaderTooLarge: {
      const ConnectionLimits& limits = services_.connection_limits;
      refuse_now(
          header_too_large(served_one_ ? limits.header_bytes_max : limits.first_header_bytes_max));
      break;
    }
    default: refuse_now(malformed_request(parser_.fault_text())); break;
  }
}

// The answer to a request that has not arrived whole, hence the last one.
void Connection::refuse_now(const Problem& problem) {
  close_after_reply_ = true;
  ++services_.counters.commands_total;
  const Problem copy = problem;  // may be refusal_
  refusal_.reset();
  reply(copy, {});
}

// Answering.

void Connection::reply(const Response& response) {
  send(response, 0, {});
}

void Connection::reply(const Problem& problem, std::string_view headers) {
  if (problem.code != "not_found") ++services_.counters.commands_refused_total;
  refused_ = refused_ || problem.status == kTooManyRequests;
  const std::string body = problem_json(problem);
  send({.status = problem.status,
        .content_type = "application/json",
        .headers = headers,
        .body = body},
       retry_after_s(problem), problem.allow);
}

void Connection::send(const Response& response, int retry_after_s, std::string_view allow) {
  write_head(response, retry_after_s, allow);
  if (request_.method != Method::kHead) stream_.output() += response.body;
  after_reply();
}

void Connection::write_head(const Response& response, int retry_after_s, std::string_view allow) {
  std::string& out = stream_.output();
  out += "HTTP/1.1 ";
  append_decimal(out, static_cast<std::uint64_t>(response.status));
  out.append(" ").append(reason_phrase(response.status)).append("\r\nDate: ");
  out += services_.date();
  out += "\r\nServer: stator\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n";
  out += response.headers;
  if (!response.content_type.empty()) {
    out.append("Content-Type: ").append(response.content_type).append("\r\nContent-Length: ");
    append_decimal(out, response.body.size());
    out += "\r\n";
  }
  if (retry_after_s > 0) {
    out += "Retry-After: ";
    append_decimal(out, static_cast<std::uint64_t>(retry_after_s));
    out += "\r\n";
  }
  if (!allow.empty()) out.append("Allow: ").append(allow).append("\r\n");
  if (services_.draining || !request_.keep_alive) close_after_reply_ = true;
  if (close_after_reply_) {
    out += "Connection: close\r\n";
  } else if (!request_.http_11) {
    out += "Connection: keep-alive\r\n";
  }
  out += "\r\n";
}

void Connection::after_reply() {
  if (close_after_reply_) {
    close();
    return;
  }
  if (request_.body.capacity() > kBodyKept) std::string().swap(request_.body);
  account();
  since_ = services_.executor.now();
  if (stream_.unsent() > services_.connection_limits.unsent_bytes_max) {
    phase_ = Phase::kBlocked;
    return;
  }
  phase_ = Phase::kReading;
  resume();
}

void Connection::resume() {
  if (in_data_ || !std::exchange(paused_, false)) return;
  stream_.resume_reading();
}

void Connection::on_drained() {
  account();
  if (phase_ != Phase::kBlocked) return;
  phase_ = Phase::kReading;
  since_ = services_.executor.now();
  if (services_.draining) {
    close();
  } else {
    resume();
  }
}

// Ending.

void Connection::close() {
  phase_ = Phase::kClosing;
  std::string().swap(request_.body);
  account();
  stream_.close_after_flush();
}

bool Connection::on_end_of_input() {
  if (phase_ == Phase::kWaiting) {
    close_after_reply_ = true;
  } else if (phase_ != Phase::kClosing) {
    close();
  }
  return true;
}

void Connection::on_closed() {
  services_.buffered_bytes -= std::exchange(accounted_bytes_, 0);
  owner_.forget(slot_);
}

void Connection::drain() {
  if (phase_ == Phase::kReading && parser_.idle()) close();
}

void Connection::check_time(MonoTime now) {
  account();
  const ConnectionLimits& limits = services_.connection_limits;
  const std::size_t unsent = stream_.unsent();
  if (unsent == 0 || unsent != unsent_seen_) {
    unsent_seen_ = unsent;
    unsent_since_ = now;
  } else if (now - unsent_since_ > limits.stalled_time_max) {
    stream_.close_now();
    return;
  }
  if (phase_ != Phase::kReading) return;
  const Duration elapsed = now - since_;
  if (parser_.idle()) {
    if (elapsed > (served_one_ ? limits.idle_time_max : limits.header_time_max)) close();
    request_.shrink();
    return;
  }
  const Duration late = elapsed - limits.header_time_max;
  if (late <= Duration{}) return;
  const auto least =
      static_cast<std::uint64_t>(late.ms()) * limits.body_bytes_per_second_min / 1000;
  if (request_.received_bytes == 0 || request_.received_bytes < least)
    refuse_now(request_too_slow(writes()));
}

// What this connection holds of the memory that all share.
void Connection::account() {
  const std::uint64_t held = request_.body.capacity() + stream_.unsent();
  services_.buffered_bytes += held - accounted_bytes_;
  accounted_bytes_ = held;
}

}  // namespace stator::http
